import { expect, test } from 'vitest';
import type { LinkEnd } from '../model/link.ts';
import { SUBSTREAMS, type PeerRole } from '../model/message.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { MAX_QUEUED_BLOCKS } from './bounds.ts';
import { Giver } from './giver.ts';
import type { Neighbour } from './neighbour.ts';
import type { SchedulerPort } from './port.ts';
import { Roster } from './roster.ts';
import { HELD, trackSegment } from './segment-track.ts';
import { Tracks } from './tracks.ts';
import { Trees } from './trees.ts';
import { Uplink } from './uplink.ts';

const BLOCK = 16_384;

function setup({ role = 'viewer', capBps }: { role?: PeerRole; capBps?: number } = {}) {
	const clock = new FakeClock();
	const roster = new Roster();
	const tracks = new Tracks();
	const ended: LinkEnd[] = [];
	const informed: { link: unknown; firstPiece: number }[] = [];
	const port: SchedulerPort = {
		block: (_, __, length) => new Uint8Array(length),
		check: () => undefined,
		inform: (link, firstPiece) => informed.push({ link, firstPiece }),
		wantManifest: () => undefined,
		lost: () => undefined,
		end: (_, why) => ended.push(why),
	};
	const uplink: Uplink = new Uplink((sending) => giver.transmit(sending), { uplinkCapBps: capBps });
	const trees = new Trees({
		role,
		random: () => 0,
		roster,
		uplink,
		push: true,
		streamBps: () => 2_500_000,
		tell: () => undefined,
	});
	const giver: Giver = new Giver({ role, clock, port, roster, tracks, uplink, trees });
	const track = trackSegment(
		{
			firstPiece: 0,
			count: SUBSTREAMS,
			pieceLength: BLOCK,
			length: SUBSTREAMS * BLOCK,
			wanted: true,
		},
		0,
	);
	tracks.add(track);
	const join = (known: Partial<Neighbour> = {}) => {
		const { link, sent } = fakeNeighbour(roster.all.length);
		const neighbour = roster.add(link, 0);
		if (!neighbour) throw new Error('no slot');
		Object.assign(neighbour, { role: 'viewer', uplinkKbps: 5000, rttMs: 60, ...known });
		return { neighbour, pieces: () => sent.filter(({ type }) => type === 'piece').length, sent };
	};
	const hold = (offset: number) => {
		track.states[offset] = HELD;
		giver.passOn(track, offset);
		giver.flush();
	};
	return { clock, giver, port, track, join, hold, informed, ended };
}
const request = (index: number, length = BLOCK) =>
	({ type: 'request', index, begin: 0, length }) as const;

test('pushes a piece to the children of its substream, with the manifest before it, and to nobody else', () => {
	const { join, hold, informed, giver } = setup();
	const child = join({ given: 0b100 });
	const other = join({ given: 0b010 });
	hold(2);
	expect([child.pieces(), other.pieces()]).toEqual([1, 0]);
	expect(informed).toEqual([{ link: child.neighbour.link, firstPiece: 0 }]);
	expect(giver.piecesPushed).toBe(1);
});

test('pushes nothing to a child that has the piece from elsewhere, before or while it waits', () => {
	const { join, hold, track, giver } = setup();
	const child = join({ given: 0b11 });
	track.holders[0] = 1 << child.neighbour.slot;
	hold(0);
	expect(child.pieces()).toBe(0);
	(child.neighbour.link as { bufferedBytes: number }).bufferedBytes = 100_000;
	hold(1);
	giver.spare(child.neighbour, new Set([1]));
	(child.neighbour.link as { bufferedBytes: number }).bufferedBytes = 0;
	giver.flush();
	expect(child.pieces()).toBe(0);
});

test('answers a request for what it holds, holds one for what it does not, and answers that when it comes', () => {
	const { join, hold, giver, track } = setup();
	const asker = join();
	track.states[0] = HELD;
	giver.onRequest(asker.neighbour, request(0));
	giver.onRequest(asker.neighbour, request(1));
	giver.flush();
	expect(asker.pieces()).toBe(1);
	hold(1);
	expect(asker.pieces()).toBe(2);
	expect(asker.neighbour.queuedBlocks).toBe(0);
});

test('refuses what it does not know, what was given up, and everything when it does not share', () => {
	const { join, giver, track } = setup();
	const asker = join();
	giver.onRequest(asker.neighbour, request(99));
	track.lost = true;
	giver.onRequest(asker.neighbour, request(1));
	expect(asker.sent.map(({ type }) => type)).toEqual(['reject', 'reject']);
	const closed = setup({ capBps: 0 });
	const late = closed.join();
	closed.track.states[0] = HELD;
	closed.giver.onRequest(late.neighbour, request(0));
	expect(late.sent.map(({ type }) => type)).toEqual(['reject']);
});

test('refuses more than a neighbour may have queued, and leaves who asks beyond a piece', () => {
	const { join, giver, ended } = setup();
	const greedy = join({ queuedBlocks: MAX_QUEUED_BLOCKS });
	giver.onRequest(greedy.neighbour, request(1));
	expect(greedy.sent.map(({ type }) => type)).toEqual(['reject']);
	const liar = join();
	giver.onRequest(liar.neighbour, request(1, BLOCK + 1));
	expect(ended).toEqual(['protocol']);
});

test('a canceled request is not answered', () => {
	const { join, hold, giver } = setup();
	const asker = join();
	giver.onRequest(asker.neighbour, request(1));
	giver.onCancel(asker.neighbour, { index: 1, begin: 0 });
	hold(1);
	expect(asker.pieces()).toBe(0);
});

test('a cancel of what it does not know, or of nothing that waits, is passed over', () => {
	const { join, giver } = setup();
	const asker = join();
	giver.onCancel(asker.neighbour, { index: 99, begin: 0 });
	giver.onCancel(asker.neighbour, { index: 1, begin: 0 });
	expect(asker.sent).toEqual([]);
});

test('what one neighbour takes back takes nothing from another, and nothing else from itself', () => {
	const { join, hold, giver, track } = setup();
	const [one, other] = [join({ given: 0xff }), join({ given: 0xff })];
	const links = [one, other].map(({ neighbour }) => neighbour.link as { bufferedBytes: number });
	for (const link of links) link.bufferedBytes = 100_000;
	for (const offset of [1, 2, 3, 4]) hold(offset);
	track.states[5] = HELD;
	for (const { neighbour } of [one, other]) giver.onRequest(neighbour, request(5));
	giver.onCancel(one.neighbour, { index: 1, begin: 0 });
	giver.onCancel(one.neighbour, { index: 2, begin: BLOCK });
	giver.spare(one.neighbour, new Set([3]));
	giver.keepOnly(one.neighbour, 0xff & ~0b110000);
	for (const link of links) link.bufferedBytes = 0;
	for (let i = 0; i < 9; i++) {
		giver.flush();
		for (const link of links) link.bufferedBytes = 0;
	}
	const got = ({ sent }: typeof one) =>
		sent.flatMap((message) => (message.type === 'piece' ? [message.index] : [])).sort();
	expect(got(one)).toEqual([2, 5]);
	expect(got(other)).toEqual([1, 2, 3, 4, 5]);
});

test('refuses requests while blocks wait too long, the broadcaster later than others', () => {
	for (const [role, busyMs] of [
		['viewer', 250],
		['broadcaster', 500],
	] as const) {
		const { clock, giver, track, join } = setup({ role });
		const asker = join();
		track.states.fill(HELD);
		giver.onRequest(asker.neighbour, request(0));
		clock.advance(busyMs);
		giver.onRequest(asker.neighbour, request(1));
		expect(asker.sent).toEqual([]);
		clock.advance(1);
		giver.onRequest(asker.neighbour, request(2));
		expect(asker.sent.map(({ type }) => type)).toEqual(['reject']);
	}
});

test('refuses what it held too long, and not before', () => {
	const { clock, giver, join } = setup();
	const asker = join();
	giver.onRequest(asker.neighbour, request(1));
	clock.advance(1000);
	giver.expire();
	expect(asker.sent).toEqual([]);
	clock.advance(1001);
	giver.expire();
	expect(asker.sent.map(({ type }) => type)).toEqual(['reject']);
});

test('tells of a manifest once, and only to children unless all are to hear of it', () => {
	const { join, giver, track, informed } = setup();
	const [child, other] = [join({ given: 1 }), join()];
	join({ role: undefined });
	const told = () => informed.splice(0).map(({ link }) => link);
	giver.inform(track, false);
	expect(told()).toEqual([child.neighbour.link]);
	giver.inform(track, true);
	expect(told()).toEqual([other.neighbour.link]);
	giver.inform(track, true);
	expect(told()).toEqual([]);
});

test('what has left the window before its turn is not sent', () => {
	const { join, giver, track, port } = setup();
	const asker = join();
	track.states[0] = HELD;
	port.block = () => undefined;
	giver.onRequest(asker.neighbour, request(0));
	giver.flush();
	expect(asker.sent).toEqual([]);
	expect(asker.neighbour.queuedBlocks).toBe(0);
});

test('a push that waits is taken back when the child finds the piece elsewhere, or another parent for its substream', () => {
	const { join, hold, giver, track } = setup();
	const child = join({ given: 0xff });
	const link = child.neighbour.link as { bufferedBytes: number };
	link.bufferedBytes = 100_000;
	for (const offset of [1, 2, 3]) hold(offset);
	giver.onCancel(child.neighbour, { index: 1, begin: 0 });
	giver.keepOnly(child.neighbour, 0xff & ~0b100);
	expect(child.neighbour.given).toBe(0xff & ~0b100);
	link.bufferedBytes = 0;
	giver.flush();
	expect(child.sent.flatMap((sent) => (sent.type === 'piece' ? [sent.index] : []))).toEqual([3]);
	giver.onRequest(child.neighbour, request(2));
	giver.flush();
	expect(child.pieces()).toBe(2);
	expect(track.states[1]).toBe(HELD);
});

test('what a child has asked for elsewhere is announced instead of pushed, whether it waits or is yet to come', () => {
	const { join, hold, giver, track } = setup();
	const child = join({ given: 0xff });
	const link = child.neighbour.link as { bufferedBytes: number };
	link.bufferedBytes = 100_000;
	hold(1);
	giver.onCancel(child.neighbour, { index: 1, begin: 0 });
	expect(child.sent).toEqual([{ type: 'have', first: 1, bits: Uint8Array.of(0x80) }]);
	giver.onCancel(child.neighbour, { index: 2, begin: 0 });
	link.bufferedBytes = 0;
	hold(2);
	expect(child.pieces()).toBe(0);
	// Not among the holders, it is told with the next announcement.
	expect([1, 2].map((offset) => track.holders[offset])).toEqual([0, 0]);
	giver.onRequest(child.neighbour, request(1));
	giver.onRequest(child.neighbour, request(2));
	giver.flush();
	expect(child.pieces()).toBe(2);
});

test('a request for what is overdue goes with the pushes of the moment, but not that of a newcomer', () => {
	const { clock, giver, join, hold, track } = setup();
	const child = join({ given: 0b10, branches: new Uint8Array(SUBSTREAMS).fill(2) });
	const [settled, newcomer] = [join(), join()];
	const busy = join().neighbour.link as { bufferedBytes: number };
	clock.advance(4000);
	Object.assign(newcomer.neighbour, { sinceMs: 3000 });
	Object.assign(track, { knownAtMs: 3100 });
	for (const { neighbour } of [child, settled, newcomer]) neighbour.heardAtMs = 4000;
	busy.bufferedBytes = 100_000;
	track.states[0] = HELD;
	giver.onRequest(newcomer.neighbour, request(0));
	giver.onRequest(settled.neighbour, request(0));
	clock.advance(100);
	hold(1);
	busy.bufferedBytes = 0;
	const counts: number[][] = [];
	for (let i = 0; i < 3; i++) {
		giver.flush();
		counts.push([settled, child, newcomer].map((one) => one.pieces()));
	}
	expect(counts.at(-1)).toEqual([1, 1, 1]);
	expect(counts[0]).toEqual([1, 1, 0]);
});

test('a request for what is too late to be seen live waits until nothing else does', () => {
	const { clock, giver, join, hold, track } = setup();
	const child = join({ given: 0b10, branches: new Uint8Array(SUBSTREAMS).fill(2) });
	const [late, other] = [join(), join()];
	const busy = join().neighbour.link as { bufferedBytes: number };
	clock.advance(4000);
	for (const { neighbour } of [child, late, other]) neighbour.heardAtMs = 4000;
	busy.bufferedBytes = 100_000;
	track.states[0] = HELD;
	Object.assign(track, { knownAtMs: 2400 });
	giver.onRequest(late.neighbour, request(0));
	Object.assign(track, { knownAtMs: 3100 });
	giver.onRequest(other.neighbour, request(0));
	clock.advance(100);
	hold(1);
	busy.bufferedBytes = 0;
	giver.flush();
	expect([late, other, child].map((one) => one.pieces())).toEqual([0, 1, 1]);
	giver.flush();
	expect(late.pieces()).toBe(1);
});

test('the broadcaster sends every first copy before any second', () => {
	const { join, track, giver } = setup({ role: 'broadcaster' });
	const [strong, weak] = [join({ given: 0xff, uplinkKbps: 9000 }), join({ given: 0xff })];
	const links = [strong, weak].map(({ neighbour }) => neighbour.link as { bufferedBytes: number });
	for (const link of links) link.bufferedBytes = 100_000;
	for (const offset of [0, 1]) {
		track.states[offset] = HELD;
		giver.passOn(track, offset);
	}
	for (const link of links) link.bufferedBytes = 0;
	giver.flush();
	expect([strong.pieces(), weak.pieces()]).toEqual([2, 0]);
	giver.flush();
	expect([strong.pieces(), weak.pieces()]).toEqual([2, 2]);
});

test('serves who has a tree behind it first, and leaves last, whichever piece came first', () => {
	const { giver, join, hold } = setup();
	const branches = (peers: number) => new Uint8Array(SUBSTREAMS).fill(peers);
	const leaf = join({ given: 0xff, uplinkKbps: 90_000 });
	const small = join({ given: 0xff, branches: branches(2) });
	const large = join({ given: 0xff, branches: branches(60) });
	const busy = join().neighbour.link as { bufferedBytes: number };
	busy.bufferedBytes = 100_000;
	hold(0);
	hold(1);
	busy.bufferedBytes = 0;
	const counts: number[][] = [];
	for (let i = 0; i < 3; i++) {
		giver.flush();
		counts.push([large, small, leaf].map((child) => child.pieces()));
	}
	expect(counts).toEqual([
		[2, 0, 0],
		[2, 2, 0],
		[2, 2, 2],
	]);
});

test("a leaf's copy doesn't starve: it waits for larger branches only so long", () => {
	const { clock, giver, join, hold } = setup();
	const leaf = join({ given: 0b001 });
	const large = join({ given: 0b110, branches: new Uint8Array(SUBSTREAMS).fill(60) });
	const busy = join().neighbour.link as { bufferedBytes: number };
	busy.bufferedBytes = 100_000;
	hold(0);
	clock.advance(600);
	for (const { neighbour } of [leaf, large]) neighbour.heardAtMs = 600;
	busy.bufferedBytes = 90_000; // it moves, and so still counts
	hold(1);
	hold(2);
	busy.bufferedBytes = 0;
	giver.flush();
	expect([leaf.pieces(), large.pieces()]).toEqual([1, 1]);
});
