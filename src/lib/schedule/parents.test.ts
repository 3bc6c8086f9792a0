import { expect, test } from 'vitest';
import { FULL_DEPTH, NO_DEPTH, SUBSTREAMS } from '../model/message.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import type { Neighbour } from './neighbour.ts';
import { Parents } from './parents.ts';

const depths = (depth: number) => new Uint8Array(SUBSTREAMS).fill(depth);
const parents = () => new Parents(() => 0);

function evaluate(of: Parents, neighbours: readonly Neighbour[], nowMs: number): void {
	for (const neighbour of neighbours) neighbour.heardAtMs = nowMs;
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
