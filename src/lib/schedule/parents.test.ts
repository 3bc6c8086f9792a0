import { expect, test } from 'vitest';
import { FULL_DEPTH, NO_DEPTH, SUBSTREAMS } from '../model/message.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { QUIET_MS } from './bounds.ts';
import type { Neighbour } from './neighbour.ts';
import { Parents } from './parents.ts';

const depths = (depth: number) => new Uint8Array(SUBSTREAMS).fill(depth);
const parents = () => new Parents(() => 0);

function evaluate(
	of: Parents,
	neighbours: readonly Neighbour[],
	nowMs: number,
	heard: readonly Neighbour[] = neighbours,
): void {
	for (const neighbour of heard) neighbour.heardAtMs = nowMs;
	of.evaluate(neighbours, nowMs, (neighbour, substreams) => {
		neighbour.asked = substreams;
	});
}

test('asks the neighbour nearest to the broadcaster', () => {
	const near = fakeNeighbour(0, { depths: depths(1) });
	const far = fakeNeighbour(1, { depths: depths(4) });
	evaluate(parents(), [far, near], 0);
	expect(near.asked).toBe(0xff);
	expect(far.asked).toBe(0);
});

test('wishes for the broadcaster always, and hangs on it when it grants', () => {
	const source = fakeNeighbour(0, { role: 'broadcaster' });
	const mine = parents();
	evaluate(mine, [source], 0);
	expect(source.asked).toBe(0xff);
	mine.onSubscribed(source, 1, 0xff, 10);
	evaluate(mine, [source], 20);
	expect(mine.parentOf(0)).toBe(source);
	expect(mine.depthOf(0)).toBe(1);
	expect(mine.parentOf(1)).toBeUndefined();
});

test('takes an answer only for what it answers', () => {
	const other = fakeNeighbour(0, { depths: depths(1) });
	const mine = parents();
	evaluate(mine, [other], 0);
	// The answer to an earlier question, of substream 0 alone.
	mine.onSubscribed(other, 1, 1, 10);
	expect(mine.parentOf(0)).toBe(other);
	evaluate(mine, [other], 20);
	expect(other.asked).toBe(0xff);
	mine.onSubscribed(other, 1, 0xff, 30);
	evaluate(mine, [other], 40);
	expect(other.asked).toBe(1);
});

test('leaves who refused alone, until it has room again', () => {
	const full = fakeNeighbour(0, { depths: depths(1 + FULL_DEPTH) });
	const mine = parents();
	mine.noteRoom(full, depths(1));
	evaluate(mine, [full], 0);
	mine.onSubscribed(full, 0, 0xff, 10);
	evaluate(mine, [full], 20);
	expect(full.asked).toBe(0);
	const before = full.depths;
	full.depths = depths(1);
	mine.noteRoom(full, before);
	evaluate(mine, [full], 30);
	expect(full.asked).toBe(0xff);
});

test('chooses nobody who stands deeper than itself: it may hang on us', () => {
	const source = fakeNeighbour(0, { role: 'broadcaster' });
	const deeper = fakeNeighbour(1, { depths: depths(5) });
	const mine = parents();
	evaluate(mine, [source], 0);
	mine.onSubscribed(source, 0xff, 0xff, 10);
	evaluate(mine, [source, deeper], 20);
	mine.onSubscribed(source, 0, 0xff, 30);
	evaluate(mine, [source, deeper], 40);
	expect(deeper.asked).toBe(0);
});

test('asks nobody who can push nothing', () => {
	const empty = fakeNeighbour(0, { depths: depths(NO_DEPTH) });
	evaluate(parents(), [empty], 0);
	expect(empty.asked).toBe(0);
});

test('forgets a parent that left, and one that failed', () => {
	const mine = parents();
	const parent = fakeNeighbour(0, { depths: depths(1) });
	evaluate(mine, [parent], 0);
	mine.onSubscribed(parent, 0xff, 0xff, 10);
	mine.fail(parent, 2, 20);
	expect(mine.parentOf(2)).toBeUndefined();
	mine.remove(parent);
	expect(mine.lacksAny()).toBe(true);
	expect(mine.hop()).toBe(255);
});

test('who failed does not come back by saying again that it pushes, and nobody but a parent fails', () => {
	const mine = parents();
	const [parent, other] = [0, 1].map((slot) => fakeNeighbour(slot, { depths: depths(1 + slot) }));
	if (!parent || !other) expect.unreachable();
	evaluate(mine, [parent, other], 0);
	mine.onSubscribed(parent, 0xff, 0xff, 10);
	mine.fail(other, 1, 20);
	expect(mine.parentOf(1)).toBe(parent);
	mine.fail(parent, 0, 20);
	mine.onSubscribed(parent, 0xff, 0xff, 30);
	expect(mine.parentOf(0)).toBeUndefined();
	evaluate(mine, [parent, other], 40);
	expect([parent.asked, other.asked]).toEqual([0xfe, 1]);
});

test('the broadcaster does not fail, and becomes a parent once however often it says so', () => {
	const source = fakeNeighbour(0, { role: 'broadcaster' });
	const mine = parents();
	evaluate(mine, [source], 0);
	expect(mine.onSubscribed(source, 3, 0xff, 10)).toBe(3);
	expect(mine.onSubscribed(source, 7, 0xff, 20)).toBe(4);
	mine.fail(source, 0, 30);
	expect(mine.parentOf(0)).toBe(source);
});

test('asks again only when it wishes for something else', () => {
	const mine = parents();
	const near = fakeNeighbour(0, { depths: depths(1) });
	evaluate(mine, [near], 0);
	mine.onSubscribed(near, 0xff, 0xff, 10);
	const asked: number[] = [];
	const again = (nowMs: number) =>
		mine.evaluate([near], nowMs, (neighbour, wish) => asked.push((neighbour.asked = wish)));
	again(20);
	expect(asked).toEqual([]);
	mine.fail(near, 0, 30);
	again(40);
	expect(asked).toEqual([0xfe]);
});

test('takes what is still on its way from a former parent, through several changes', () => {
	const mine = parents();
	const parent = fakeNeighbour(0, { depths: depths(1) });
	evaluate(mine, [parent], 0);
	mine.onSubscribed(parent, 0xff, 0xff, 10);
	mine.fail(parent, 0, 20);
	evaluate(mine, [parent], 30);
	mine.fail(parent, 1, 40);
	evaluate(mine, [parent], 50);
	expect(parent.asked).toBe(0xfc);
	expect(parent.former & 0b11).toBe(0b11);
	expect(parent.graceUntilMs).toBeGreaterThan(2000);
});

test('is cut off the moment its parent tells that it is, and keeps it until somebody better answers', () => {
	const mine = parents();
	const parent = fakeNeighbour(0, { depths: depths(1) });
	evaluate(mine, [parent], 0);
	mine.onSubscribed(parent, 0xff, 0xff, 10);
	evaluate(mine, [parent], 20);
	expect([mine.isConnected(0), mine.depthOf(0), mine.lacksAny()]).toEqual([true, 2, false]);
	parent.depths = depths(NO_DEPTH);
	const other = fakeNeighbour(1, { depths: depths(2) });
	evaluate(mine, [parent, other], 30);
	expect([mine.isConnected(0), mine.depthOf(0), mine.lacksAny()]).toEqual([false, NO_DEPTH, true]);
	expect(other.asked).toBe(0xff);
	expect(mine.parentOf(0)).toBe(parent);
});

test('who is cut off takes a parent deeper than it stood only after all behind it have heard', () => {
	const mine = parents();
	const parent = fakeNeighbour(0, { depths: depths(1) });
	const deeper = fakeNeighbour(1, { depths: depths(5) });
	evaluate(mine, [parent], 0);
	mine.onSubscribed(parent, 0xff, 0xff, 10);
	evaluate(mine, [parent], 20);
	mine.remove(parent);
	evaluate(mine, [deeper], 800);
	expect(deeper.asked).toBe(0);
	evaluate(mine, [deeper], 1000);
	expect(deeper.asked).toBe(0xff);
});

test('a parent that fell silent is kept in case it comes back, and counts as none until then', () => {
	const mine = parents();
	const parent = fakeNeighbour(0, { depths: depths(1) });
	evaluate(mine, [parent], 0);
	mine.onSubscribed(parent, 0xff, 0xff, 10);
	evaluate(mine, [parent], 20);
	const silentAtMs = 20 + QUIET_MS + 1;
	evaluate(mine, [parent], silentAtMs - 2, []);
	expect([mine.isConnected(0), mine.hasNews(silentAtMs - 1)]).toEqual([true, false]);
	expect(mine.hasNews(silentAtMs)).toBe(true);
	evaluate(mine, [parent], silentAtMs, []);
	expect([mine.isConnected(0), mine.lacksAny(), mine.hasNews(silentAtMs)]).toEqual([
		false,
		true,
		false,
	]);
	// Who hangs on us need not look for others yet.
	expect(mine.depthOf(0)).toBe(2);
	evaluate(mine, [parent], silentAtMs + 350, []);
	expect([mine.depthOf(0), mine.parentOf(0)]).toEqual([NO_DEPTH, parent]);
	evaluate(mine, [parent], silentAtMs + 400);
	expect([mine.isConnected(0), mine.depthOf(0)]).toEqual([true, 2]);
});

test('who hangs on the dead takes a parent that stands deeper in time, and not only when the dead are left', () => {
	const mine = parents();
	const dead = fakeNeighbour(0, { depths: depths(1) });
	const deeper = fakeNeighbour(1, { depths: depths(5) });
	evaluate(mine, [dead], 0);
	mine.onSubscribed(dead, 0xff, 0xff, 10);
	evaluate(mine, [dead, deeper], 20);
	const heldDownFromMs = 20 + QUIET_MS;
	evaluate(mine, [dead, deeper], heldDownFromMs, [deeper]);
	evaluate(mine, [dead, deeper], heldDownFromMs + 900, [deeper]);
	expect(deeper.asked).toBe(0);
	evaluate(mine, [dead, deeper], heldDownFromMs + 901, [deeper]);
	expect(deeper.asked).toBe(0xff);
});

test('gives who never keeps its promises one chance at a time', () => {
	const mine = parents();
	const liar = fakeNeighbour(0, { depths: depths(1), failures: 3 });
	liar.lagMs.fill(1);
	evaluate(mine, [liar], 0);
	expect(liar.asked).toBe(1);
	const honest = fakeNeighbour(1, { depths: depths(3) });
	honest.lagMs.fill(180);
	evaluate(mine, [liar, honest], 50);
	expect(honest.asked).toBe(0xfe);
});

/** A viewer served for a while by a parent that brings pieces at `lagMs`, and a neighbour that announces them at `otherLagMs`. */
function served(lagMs: number, otherLagMs: number, other: Partial<Neighbour> = {}) {
	const mine = parents();
	const parent = fakeNeighbour(0, { depths: depths(3), proven: true });
	evaluate(mine, [parent], 0);
	mine.onSubscribed(parent, 0xff, 0xff, 10);
	parent.lagMs.fill(lagMs);
	const candidate = fakeNeighbour(1, { depths: depths(2), uplinkKbps: 1e6, ...other });
	candidate.lagMs.fill(otherLagMs);
	evaluate(mine, [parent, candidate], 5000);
	return { mine, parent, candidate };
}

test('moves to a proven neighbour that is a little earlier, but not for less than its parent varies', () => {
	expect(served(400, 390, { proven: true }).candidate.asked).toBe(0xff);
	const { mine, parent, candidate } = served(400, 400, { proven: true });
	candidate.lagMs.fill(390);
	parent.lagSpreadMs.fill(30);
	evaluate(mine, [parent, candidate], 6000);
	expect(candidate.asked).toBe(0);
	candidate.lagMs.fill(380);
	evaluate(mine, [parent, candidate], 7000);
	expect(candidate.asked).toBe(0xff);
});

test('leaves a parent early only for one that stands much nearer', () => {
	const mine = parents();
	const parent = fakeNeighbour(0, { depths: depths(5), proven: true });
	evaluate(mine, [parent], 0);
	expect(mine.onSubscribed(parent, 0x0f, 0xff, 10)).toBe(0x0f);
	expect([mine.isHandingOver(0, 50), mine.isHandingOver(0, 70)]).toEqual([true, false]);
	parent.lagMs.fill(600);
	const nearer = fakeNeighbour(1, { depths: depths(4), proven: true });
	const muchNearer = fakeNeighbour(2, { depths: depths(3), proven: true });
	nearer.lagMs.fill(200);
	muchNearer.lagMs.fill(190);
	evaluate(mine, [parent, nearer, muchNearer], 400);
	expect([nearer.asked & 1, muchNearer.asked & 1]).toEqual([0, 0]);
	evaluate(mine, [parent, nearer], 600);
	expect(nearer.asked & 1).toBe(0);
	evaluate(mine, [parent, nearer, muchNearer], 700);
	expect(muchNearer.asked & 1).toBe(1);
});

test('counts the time that a weak uplink takes to send, which no announcement shows', () => {
	// Two pieces of 131 kbit at 1 Mbit/s are 262 ms.
	expect(served(400, 150, { proven: true, uplinkKbps: 1000 }).candidate.asked).toBe(0);
	expect(served(400, 130, { proven: true, uplinkKbps: 1000 }).candidate.asked).toBe(0xff);
});

test('leaves no working parent for who never delivered anything: one piece is asked of it first', () => {
	const { mine, parent, candidate } = served(400, 100);
	expect(candidate.asked).toBe(0);
	const holders = 1 << candidate.slot;
	expect(mine.takeUnproven(1 << parent.slot)).toBeUndefined();
	expect(mine.takeUnproven(holders)).toBe(candidate);
	expect(mine.takeUnproven(holders)).toBeUndefined();
	candidate.proven = true;
	evaluate(mine, [parent, candidate], 5250);
	expect(candidate.asked).toBe(0xff);
});

test('forgets who was to prove itself when it leaves', () => {
	const { mine, candidate } = served(400, 100);
	mine.remove(candidate);
	expect(mine.takeUnproven(1 << candidate.slot)).toBeUndefined();
});

test('without a parent hangs on who is proven rather than on who announces a little earlier', () => {
	const proven = fakeNeighbour(0, { depths: depths(2), proven: true });
	const unknown = fakeNeighbour(1, { depths: depths(2) });
	proven.lagMs.fill(300);
	unknown.lagMs.fill(200);
	evaluate(parents(), [proven, unknown], 0);
	expect([proven.asked, unknown.asked]).toEqual([0xff, 0]);
});
