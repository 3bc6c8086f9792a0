import { expect, test } from 'vitest';
import type { SignedManifest } from './model/manifest-delta.ts';
import { ManifestExchange } from './manifest-exchange.ts';
import type { Message } from './model/message.ts';
import type { Neighbour } from './schedule/neighbour.ts';
import type { Scheduler } from './schedule/scheduler.ts';
import { DvrWindow } from './store/dvr-window.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { fakeNeighbour } from './testing/fake-neighbour.ts';
import { SimMedia } from './testing/sim-media.ts';

function setup(count: number) {
	const media = new SimMedia({ streamBps: 1_000_000, segmentMs: 500 });
	const signed = Array.from({ length: count }, (_, i) => media.next(i * 500));
	const window = new DvrWindow();
	const clock = new FakeClock();
	const neighbours: Neighbour[] = [];
	/** First pieces of the segments that a link was told of. */
	const informed = new Set<number>();
	const scheduler = {
		neighbours,
		isInformed: (_, firstPiece) => informed.has(firstPiece),
		noteInformed: (_, firstPiece) => void informed.add(firstPiece),
		announceTo: () => undefined,
	} satisfies Partial<Scheduler> as unknown as Scheduler;
	const exchange = new ManifestExchange(clock, window, () => scheduler);
	const first = signed[0]?.manifest;
	if (!first) throw new Error('nothing published');
	const start = { epoch: first.epoch, sequence: 0 };
	const come = (sequence: number, from: ReturnType<typeof fakeNeighbour>) => {
		const one = signed[sequence];
		if (!one) throw new Error('not published');
		window.add(one);
		exchange.fillGap(from, one.manifest, start);
	};
	const pieceBefore = (sequence: number) => (signed[sequence]?.manifest.firstPiece ?? 0) - 1;
	return { clock, come, pieceBefore, exchange, window, signed, neighbours, informed, start };
}
const typesOf = ({ sent }: { sent: readonly Message[] }) => sent.map(({ type }) => type);

test('asks for what was missed before a manifest, once', () => {
	const { come, pieceBefore } = setup(6);
	const from = fakeNeighbour(0);
	come(0, from);
	expect(from.sent).toEqual([]);
	come(4, from);
	expect(from.sent).toEqual([{ type: 'want-manifest', piece: pieceBefore(4), before: 2 }]);
	come(3, from);
	come(2, from);
	come(1, from);
	const asked = from.sent.length;
	come(5, from);
	expect(from.sent.length).toBe(asked);
});

test('a gap whose filler stays silent is asked of the next who tells of a manifest', () => {
	const { clock, come, pieceBefore } = setup(6);
	const [silent, other] = [fakeNeighbour(0), fakeNeighbour(1)];
	come(0, silent);
	come(2, silent);
	expect(silent.sent.length).toBe(1);
	clock.advance(500);
	come(3, other);
	expect(other.sent).toEqual([{ type: 'want-manifest', piece: pieceBefore(2), before: 0 }]);
});

test('tells of a manifest as a difference to who knows the one before, of the same run', () => {
	const { exchange, window, signed, informed } = setup(2);
	const [one, two] = signed as [SignedManifest, SignedManifest];
	const to = fakeNeighbour(0);
	exchange.inform(to.link, 0);
	expect(to.sent).toEqual([]);
	window.add(one);
	window.add(two);
	exchange.inform(to.link, 1);
	expect(to.sent).toEqual([]);
	exchange.inform(to.link, two.manifest.firstPiece);
	informed.add(one.manifest.firstPiece);
	exchange.inform(to.link, two.manifest.firstPiece);
	expect(typesOf(to)).toEqual(['manifest', 'manifest-delta']);
	const epoch = two.manifest.epoch + 1;
	window.add({ ...two, manifest: { ...two.manifest, epoch } });
	exchange.inform(to.link, two.manifest.firstPiece);
	expect(typesOf(to).at(-1)).toBe('manifest');
});

test('floods a manifest to all who said who they are, but not back', () => {
	const { exchange, signed, neighbours } = setup(1);
	const [from, other, unknown] = [0, 1, 2].map((slot) => fakeNeighbour(slot)) as [
		ReturnType<typeof fakeNeighbour>,
		ReturnType<typeof fakeNeighbour>,
		ReturnType<typeof fakeNeighbour>,
	];
	neighbours.push(from, other, Object.assign(unknown, { role: undefined }));
	exchange.flood(signed[0] ?? expect.unreachable(), from);
	expect([from, other, unknown].map(typesOf)).toEqual([[], ['manifest'], []]);
});

test('answers who asks with the manifests up to a piece, oldest first, and no more than a neighbour may have', () => {
	const { clock, exchange, window, signed } = setup(70);
	for (const one of signed) window.add(one);
	const [from, other] = [fakeNeighbour(0), fakeNeighbour(1)];
	const told = () => from.sent.splice(0).map((m) => (m.type === 'manifest' ? m.signature : m));
	const signatures = signed.map(({ signature }) => signature);
	const piece = (sequence: number) => signed[sequence]?.manifest.firstPiece ?? expect.unreachable();
	exchange.answer(from, { piece: piece(5) + 1, before: 2 });
	expect(told()).toEqual(signatures.slice(3, 6));
	exchange.answer(from, { piece: undefined, before: 0 });
	expect(told()).toEqual(signatures.slice(-1));
	exchange.answer(from, { piece: piece(69) + 1000, before: 64 });
	expect(told()).toEqual([]);
	for (let i = 0; i < 3; i++) exchange.answer(from, { piece: piece(69), before: 64 });
	// 128 at once, of which four went before.
	expect(told().length).toBe(124);
	clock.advance(1000);
	exchange.answer(from, { piece: piece(69), before: 64 });
	expect(told().length).toBe(15);
	exchange.answer(other, { piece: piece(69), before: 64 });
	expect(other.sent.length).toBe(65);
});

test('who asks for the newest is told of all since the key frame', () => {
	const { exchange, window, signed } = setup(4);
	const newest = signed[3] ?? expect.unreachable();
	for (const one of signed.slice(0, 3)) window.add(one);
	window.add({ ...newest, manifest: { ...newest.manifest, sinceKeyFrame: 2 } });
	const from = fakeNeighbour(0);
	exchange.answer(from, { piece: undefined, before: 0 });
	expect(from.sent.length).toBe(3);
});

test('asks for the same manifest again only after a while', () => {
	const { clock, exchange } = setup(1);
	const of = fakeNeighbour(0);
	exchange.ask(of.link, 7, 0);
	clock.advance(149);
	exchange.ask(of.link, 7, 0);
	exchange.ask(of.link, 8, 0);
	expect(of.sent.length).toBe(2);
	clock.advance(1);
	exchange.ask(of.link, 7, 0);
	expect(of.sent.length).toBe(3);
});

test('remembers so many as asked for, and no more', () => {
	const { exchange } = setup(1);
	const of = fakeNeighbour(0);
	for (let piece = 0; piece < 256; piece++) exchange.ask(of.link, piece, 0);
	exchange.ask(of.link, 0, 0);
	expect(of.sent.length).toBe(256);
	exchange.ask(of.link, 256, 0);
	exchange.ask(of.link, 0, 0);
	expect(of.sent.length).toBe(258);
});

test('asks for nothing of another run, before the first piece or before where it began to want', () => {
	const { exchange, window, signed, start } = setup(8);
	const from = fakeNeighbour(0);
	const [first, , , , fifth] = signed.map(({ manifest }) => manifest);
	if (!first || !fifth) expect.unreachable();
	window.add(signed[4] ?? expect.unreachable());
	exchange.fillGap(from, fifth, { ...start, epoch: start.epoch + 1 });
	exchange.fillGap(from, fifth, { ...start, sequence: 4 });
	expect(from.sent).toEqual([]);
	const only = setup(1);
	only.window.add(only.signed[0] ?? expect.unreachable());
	only.exchange.fillGap(from, first, { ...start, sequence: -3 });
	expect(from.sent).toEqual([]);
});

test('gives up on manifests older than all that are here, which may be nowhere', () => {
	const { clock, exchange, window, signed, start, neighbours } = setup(8);
	const from = fakeNeighbour(0);
	neighbours.push(from);
	const newest = signed[7] ?? expect.unreachable();
	window.add(newest);
	exchange.fillGap(from, newest.manifest, start);
	for (let i = 0; i < 600; i++) clock.advance(100);
	expect(from.sent.length).toBe(7);
	exchange.close();
});
