import { expect, test } from 'vitest';
import { CUT_DEPTH, NO_DEPTH, SUBSTREAMS, type Message } from '../model/message.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { BROKEN_PROMISES, SNUB_MS } from './bounds.ts';
import { Parents } from './parents.ts';
import { RequestBook } from './request-book.ts';
import { Roster } from './roster.ts';
import { HELD, trackSegment } from './segment-track.ts';
import { MIX, Seeker, type Strategy } from './seeker.ts';

function setup(strategy: Strategy = MIX) {
	const roster = new Roster();
	const parents = new Parents(() => 0);
	const book = new RequestBook(roster);
	const seeker = new Seeker({ strategy, roster, book, parents });
	const track = trackSegment(
		{ firstPiece: 0, count: 8, pieceLength: 16_384, length: 8 * 16_384, wanted: true },
		0,
	);
	const join = () => {
		const { link, sent } = fakeNeighbour(roster.all.length);
		const neighbour = roster.add(link, 0);
		if (!neighbour) throw new Error('no slot');
		Object.assign(neighbour, { role: 'viewer', uplinkKbps: 5000, spareKbps: 5000, rttMs: 60 });
		return { neighbour, sent };
	};
	const adopt = (parent: ReturnType<typeof join>['neighbour']) => {
		parent.depths = new Uint8Array(SUBSTREAMS).fill(1);
		parents.evaluate([parent], 0, (neighbour, wish) => (neighbour.asked = wish));
		parents.onSubscribed(parent, 0xff, 0xff, 0);
	};
	const hear = (nowMs: number) => {
		for (const neighbour of roster.all) neighbour.heardAtMs = nowMs;
	};
	return { roster, parents, seeker, track, join, adopt, hear };
}
const requests = (sent: readonly { type: string }[]) =>
	sent.filter(({ type }) => type === 'request').length;
const cancels = (sent: readonly Message[]) =>
	sent.flatMap((message) => (message.type === 'cancel' ? [message.index] : []));

test('asks who announced a piece, when nobody pushes it', () => {
	const { seeker, track, join } = setup();
	const [holder, other] = [join(), join()];
	track.holders[3] = 1 << holder.neighbour.slot;
	seeker.consider(track, 3, 10);
	expect([requests(holder.sent), requests(other.sent)]).toEqual([1, 0]);
	seeker.consider(track, 3, 20);
	expect(requests(holder.sent)).toBe(1);
});

test('asks for nothing that is held, not wanted or given up', () => {
	const { seeker, track, join } = setup();
	const holder = join();
	track.holders.fill(1 << holder.neighbour.slot);
	track.states[0] = HELD;
	seeker.consider(track, 0, 10);
	track.wanted = false;
	seeker.consider(track, 1, 10);
	track.wanted = true;
	track.lost = true;
	seeker.consider(track, 2, 10);
	expect(holder.sent).toEqual([]);
});

test('waits for a parent as long as it usually takes, a round trip and a little, then turns to another', () => {
	const { seeker, track, join, adopt, hear } = setup();
	const [parent, holder] = [join(), join()];
	adopt(parent.neighbour);
	parent.neighbour.lagMs.fill(200);
	track.holders[0] = 1 << holder.neighbour.slot;
	hear(450);
	seeker.consider(track, 0, 450);
	expect(requests(holder.sent)).toBe(0);
	expect(cancels(parent.sent)).toEqual([]);
	seeker.consider(track, 0, 470);
	expect(requests(holder.sent)).toBe(1);
	expect(cancels(parent.sent)).toEqual([0]);
	expect(cancels(holder.sent)).toEqual([]);
	// Whoever announced it may lie: the broadcaster's copy is not to be had elsewhere then.
	parent.neighbour.role = 'broadcaster';
	track.holders[1] = 1 << holder.neighbour.slot;
	seeker.consider(track, 1, 470);
	expect(requests(holder.sent)).toBe(2);
	expect(cancels(parent.sent)).toEqual([0]);
});

test('asks elsewhere at once while nothing comes to the parent', () => {
	const { seeker, track, join, adopt, hear } = setup();
	const [parent, holder] = [join(), join()];
	adopt(parent.neighbour);
	track.holders.fill(1 << holder.neighbour.slot);
	hear(100);
	seeker.consider(track, 0, 100);
	expect(requests(holder.sent)).toBe(0);
	parent.neighbour.depths.fill(1 + CUT_DEPTH);
	seeker.consider(track, 0, 100);
	expect(requests(holder.sent)).toBe(1);
	// It may get the piece all the same, and announces it then.
	expect(cancels(parent.sent)).toEqual([0]);
});

test('what was asked ahead is asked of the first who has it', () => {
	const { seeker, track, join, hear } = setup();
	const [early, late] = [join(), join()];
	early.neighbour.lagMs.fill(50);
	late.neighbour.lagMs.fill(400);
	seeker.askAhead(track, 0);
	expect([requests(early.sent), requests(late.sent)]).toEqual([8, 0]);
	hear(60);
	track.holders[0] = 1 << late.neighbour.slot;
	track.holders[1] = 1 << early.neighbour.slot;
	for (const offset of [0, 1, 2]) seeker.consider(track, offset, 60);
	expect(cancels(early.sent)).toEqual([0]);
	expect(requests(late.sent)).toBe(1);
	expect([early.neighbour.failures, early.neighbour.serviceMs]).toEqual([0, NaN]);
});

test('asks a late parent after all when it announces what it took back and the other who announced it delivers nothing', () => {
	const { seeker, track, join, adopt, hear } = setup();
	const [parent, liar] = [join(), join()];
	adopt(parent.neighbour);
	parent.neighbour.lagMs.fill(200);
	track.holders[0] = 1 << liar.neighbour.slot;
	hear(470);
	seeker.consider(track, 0, 470);
	expect([requests(liar.sent), requests(parent.sent)]).toEqual([1, 0]);
	track.holders[0] |= 1 << parent.neighbour.slot;
	hear(900);
	seeker.consider(track, 0, 900);
	seeker.consider(track, 0, 910);
	expect([requests(liar.sent), requests(parent.sent)]).toEqual([1, 1]);
});

test('asks at once for what a new parent had before it became one, when what the last one sent had its time to come', () => {
	const { seeker, track, join, adopt, hear } = setup();
	const parent = join();
	adopt(parent.neighbour);
	parent.neighbour.lagMs.fill(400);
	track.holders[0] = 1 << parent.neighbour.slot;
	hear(40);
	seeker.consider(track, 0, 40);
	expect(requests(parent.sent)).toBe(0);
	seeker.consider(track, 0, 60);
	seeker.consider(track, 1, 60);
	expect(requests(parent.sent)).toBe(1);
	expect(cancels(parent.sent)).toEqual([]);
});

test('leaves to a new parent what was asked ahead of another, unless one of them has it', () => {
	const { seeker, track, join } = setup();
	const [other, parent] = [join(), join()];
	other.neighbour.lagMs.fill(50);
	seeker.askAhead(track, 0);
	expect(requests(other.sent)).toBe(8);
	track.holders[1] = 1 << other.neighbour.slot;
	track.holders[2] = 1 << parent.neighbour.slot;
	seeker.leaveTo(parent.neighbour, 0b1111, [track]);
	expect(cancels(other.sent)).toEqual([0, 3]);
	expect(other.neighbour.outstanding).toBe(6);
});

test('does not wait for a parent that is not heard, nor for one that is cut off itself', () => {
	const { seeker, track, join, adopt } = setup();
	const [parent, holder] = [join(), join()];
	adopt(parent.neighbour);
	parent.neighbour.lagMs.fill(200);
	track.holders.fill(1 << holder.neighbour.slot);
	parent.neighbour.heardAtMs = -500;
	seeker.consider(track, 0, 210);
	expect(requests(holder.sent)).toBe(1);
	parent.neighbour.heardAtMs = 200;
	seeker.consider(track, 1, 210);
	expect(requests(holder.sent)).toBe(1);
	parent.neighbour.depths = new Uint8Array(SUBSTREAMS).fill(NO_DEPTH);
	seeker.consider(track, 1, 210);
	expect(requests(holder.sent)).toBe(2);
});

test('takes a request back from who lets it wait, asks a second, and passes the first over when it does it again', () => {
	const { seeker, track, join, hear, roster } = setup();
	const [slow, second] = [join(), join()];
	for (let i = 0; i < 6; i++) join();
	track.holders.fill(1 << slow.neighbour.slot);
	for (let offset = 0; offset < BROKEN_PROMISES; offset++) seeker.consider(track, offset, 0);
	expect(requests(slow.sent)).toBe(3);
	track.holders.fill((1 << slow.neighbour.slot) | (1 << second.neighbour.slot));
	hear(900);
	for (let offset = 0; offset < BROKEN_PROMISES; offset++) {
		slow.neighbour.serviceMs = NaN;
		seeker.consider(track, offset, 900);
	}
	expect(slow.sent.filter(({ type }) => type === 'cancel').length).toBe(3);
	expect(requests(second.sent)).toBe(3);
	expect(slow.neighbour.snubbedUntilMs).toBe(900 + SNUB_MS);
	expect(roster.all.filter(({ snubbedUntilMs }) => snubbedUntilMs > 0).length).toBe(1);
});

test('passes over longer each time who never delivers', () => {
	const { seeker, track, join, hear } = setup();
	const [liar, second] = [join(), join()];
	for (let i = 0; i < 6; i++) join();
	liar.neighbour.failures = BROKEN_PROMISES;
	track.holders.fill(1 << liar.neighbour.slot);
	for (let offset = 0; offset < BROKEN_PROMISES; offset++) {
		liar.neighbour.serviceMs = NaN;
		seeker.consider(track, offset, 0);
		track.holders[offset] = (1 << liar.neighbour.slot) | (1 << second.neighbour.slot);
		hear(900);
		seeker.consider(track, offset, 900);
	}
	expect(liar.neighbour.failures).toBe(2 * BROKEN_PROMISES);
	expect(liar.neighbour.snubbedUntilMs).toBe(900 + 2 * SNUB_MS);
});

test('where nobody pushes, asks ahead of who usually has pieces first, and not the broadcaster', () => {
	const { seeker, track, join } = setup({ push: false, standing: true });
	const [usual, source] = [join(), join()];
	usual.neighbour.lagMs.fill(50);
	source.neighbour.lagMs.fill(1);
	source.neighbour.role = 'broadcaster';
	seeker.askAhead(track, 0);
	expect([requests(usual.sent), requests(source.sent)]).toEqual([8, 0]);
});

test('never passes over the only neighbour that shares: those who share nothing are no choice instead', () => {
	const { seeker, track, join, hear } = setup();
	const relay = join();
	for (let i = 0; i < 8; i++) join().neighbour.uplinkKbps = 0;
	track.holders.fill(1 << relay.neighbour.slot);
	for (let offset = 0; offset < 2 * BROKEN_PROMISES; offset++) {
		relay.neighbour.serviceMs = NaN;
		seeker.consider(track, offset, 0);
		hear(900);
		seeker.consider(track, offset, 900);
	}
	expect(relay.neighbour.failures).toBeGreaterThanOrEqual(BROKEN_PROMISES);
	expect(relay.neighbour.snubbedUntilMs).toBe(0);
});

test('asks a piece that a parent is to bring of a better one that must prove itself, once', () => {
	const { parents, seeker, track, join, adopt, hear, roster } = setup();
	const [parent, unknown] = [join(), join()];
	adopt(parent.neighbour);
	parent.neighbour.lagMs.fill(400);
	unknown.neighbour.depths = new Uint8Array(SUBSTREAMS).fill(1);
	unknown.neighbour.lagMs.fill(10);
	hear(5000);
	parents.evaluate(roster.all, 5000, () => undefined);
	const fresh = { ...track, knownAtMs: 5000 };
	seeker.consider(fresh, 0, 5010);
	expect(requests(unknown.sent)).toBe(0);
	fresh.holders.fill(1 << unknown.neighbour.slot);
	seeker.consider(fresh, 1, 5020);
	seeker.consider(fresh, 2, 5020);
	expect(requests(unknown.sent)).toBe(1);
	// Nothing hangs on it: the parent brings the piece all the same.
	expect(cancels(parent.sent)).toEqual([]);
	expect(unknown.neighbour.proven).toBe(false);
	seeker.noteGood(1, unknown.neighbour);
	expect(unknown.neighbour.proven).toBe(true);
});

test('a piece found elsewhere is spared to the parent that is late with it, and to no other', () => {
	const { seeker, join, adopt } = setup();
	const [parent, other] = [join(), join()];
	adopt(parent.neighbour);
	parent.sent.length = 0;
	seeker.noteGood(8, parent.neighbour);
	expect(parent.sent).toEqual([]);
	seeker.noteGood(9, other.neighbour);
	expect(parent.sent).toEqual([{ type: 'have', first: 9, bits: Uint8Array.of(0x80) }]);
	expect(other.sent).toEqual([]);
});

test('asks ahead only for what is missing, wanted and asked of nobody, and that no parent is to push', () => {
	const { seeker, track, join, adopt } = setup();
	const [usual, parent] = [join(), join()];
	usual.neighbour.lagMs.fill(50);
	track.wanted = false;
	seeker.askAhead(track, 0);
	expect(requests(usual.sent)).toBe(0);
	track.wanted = true;
	track.states[2] = HELD;
	seeker.askAhead(track, 0);
	expect(requests(usual.sent)).toBe(7);
	seeker.askAhead(track, 10);
	expect(requests(usual.sent)).toBe(7);
	adopt(parent.neighbour);
	const next = trackSegment(
		{ firstPiece: 8, count: 8, pieceLength: 16_384, length: 8 * 16_384, wanted: true },
		0,
	);
	seeker.askAhead(next, 20);
	expect(requests(usual.sent)).toBe(7);
});

test('asks no more than sixteen pieces ahead of one neighbour, and nothing of who fell silent', () => {
	const { seeker, join, hear } = setup();
	const [usual, silent] = [join(), join()];
	usual.neighbour.lagMs.fill(400);
	silent.neighbour.lagMs.fill(1);
	hear(5000);
	silent.neighbour.heardAtMs = 0;
	for (let i = 0; i < 3; i++) {
		const wanted = { firstPiece: 8 * i, count: 8, length: 8 * 16_384, wanted: true };
		seeker.askAhead(trackSegment({ ...wanted, pieceLength: 16_384 }, 5000), 5000);
	}
	expect([requests(usual.sent), requests(silent.sent)]).toEqual([16, 0]);
});

test('what a new parent was asked for already stays asked of it', () => {
	const { seeker, track, join } = setup();
	const parent = join();
	parent.neighbour.lagMs.fill(50);
	seeker.askAhead(track, 0);
	seeker.leaveTo(parent.neighbour, 0xff, [track]);
	expect(cancels(parent.sent)).toEqual([]);
});

test('takes a request back from the only one who has the piece after its time, not before', () => {
	const { seeker, track, join, hear } = setup();
	const only = join();
	track.holders[0] = 1 << only.neighbour.slot;
	seeker.consider(track, 0, 0);
	hear(390);
	seeker.consider(track, 0, 390);
	expect(cancels(only.sent)).toEqual([]);
	hear(400);
	seeker.consider(track, 0, 400);
	expect(cancels(only.sent)).toEqual([0]);
});

test('what was asked ahead waits as long as nobody has it', () => {
	const { seeker, track, join, hear } = setup();
	const early = join();
	early.neighbour.lagMs.fill(50);
	seeker.askAhead(track, 0);
	hear(2000);
	seeker.consider(track, 0, 2000);
	expect(cancels(early.sent)).toEqual([]);
});
