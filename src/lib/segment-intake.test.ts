import { expect, test } from 'vitest';
import { pieceCount } from './model/manifest.ts';
import type { Proofs } from './model/proofs.ts';
import type { ReceivedSegment } from './peer-options.ts';
import { SegmentIntake } from './segment-intake.ts';
import { DvrWindow } from './store/dvr-window.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { SimMedia } from './testing/sim-media.ts';

function setup(proofs: Partial<Proofs> = {}) {
	const media = new SimMedia({ streamBps: 1_000_000, segmentMs: 500 });
	const signed = media.next(0);
	const { manifest } = signed;
	const window = new DvrWindow();
	window.add(signed);
	const delivered: ReceivedSegment[] = [];
	let forged = 0;
	const intake = new SegmentIntake({
		proofs: { ...media.proofs, ...proofs },
		window,
		clock: new FakeClock(),
		assemble: media.assemble,
		deliver: (segment) => delivered.push(segment),
		forged: () => forged++,
	});
	const piece = (offset: number) => {
		const start = offset * manifest.pieceLength;
		return media.segmentBytes.subarray(start, start + manifest.pieceLength);
	};
	const verdicts: boolean[] = [];
	const take = (offset: number, bytes: Uint8Array = piece(offset)) =>
		intake.takePiece(manifest.firstPiece + offset, bytes, ({ good }) => verdicts.push(good));
	const takeAll = () => {
		for (let offset = 0; offset < pieceCount(manifest); offset++) take(offset);
	};
	const takeInit = () => intake.takeInit(media.initSha256, new Uint8Array(media.init));
	return {
		intake,
		window,
		take,
		takeAll,
		takeInit,
		piece,
		verdicts,
		delivered,
		forged: () => forged,
	};
}

test('keeps a piece whose hash fits its place, and no other', () => {
	const { window, take, piece, verdicts } = setup();
	take(0, new Uint8Array(piece(0)));
	take(0, piece(1));
	expect([verdicts, window.bytes]).toEqual([[false, false], 0]);
	take(0);
	take(1000);
	expect([verdicts, window.bytes]).toEqual([[false, false, true], piece(0).length]);
});

test('delivers a segment when it is whole and its init segment is here, whichever comes first', () => {
	const initFirst = setup();
	initFirst.takeInit();
	initFirst.takeAll();
	expect(initFirst.delivered.length).toBe(1);
	const initLast = setup();
	initLast.takeAll();
	expect([initLast.delivered.length, [...initLast.intake.whole()].length]).toEqual([0, 0]);
	initLast.takeInit();
	initLast.takeInit();
	expect([initLast.delivered.length, [...initLast.intake.whole()].length]).toEqual([1, 1]);
	expect(initLast.delivered[0]?.manifest.length).toBe(initLast.delivered[0]?.bytes.length);
});

test('delivers no segment whose pieces fit and whose whole does not', () => {
	const { takeAll, takeInit, delivered, forged, verdicts } = setup({
		sha256: (_, done) => done(new Uint8Array(32)),
	});
	takeInit();
	takeAll();
	expect(verdicts.every((good) => good)).toBe(true);
	expect([delivered, forged()]).toEqual([[], 1]);
});

test('a segment that fell out of the window waits for no init segment', () => {
	const { intake, window, takeAll, takeInit, delivered } = setup();
	takeAll();
	for (const stored of window.segments) intake.forget(stored);
	takeInit();
	expect(delivered).toEqual([]);
});
