import { expect, test } from 'vitest';
import { NO_DEPTH, SUBSTREAMS } from '../model/message.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { bitCount, Children, clampUplinkKbps, type Room } from './children.ts';

const ROOM: Room = {
	planBps: 5_000_000,
	streamBps: 2_500_000,
	congested: false,
	depthOf: () => 1,
	parentBits: () => 0,
	canServe: () => true,
};
const children = () => new Children(() => 0);
const ignore = () => undefined;

test('grants what is asked for within the uplink and no more', () => {
	const greedy = [0, 1, 2].map((slot) => fakeNeighbour(slot, { wants: 0xff }));
	const parent = children();
	parent.evaluate(greedy, ROOM, undefined, 0, ignore);
	// 92 % of 5 Mbit/s in places of 312.5 kbit/s.
	expect(parent.taken(greedy)).toBe(14);
});

test('grants nothing while blocks wait too long', () => {
	const child = fakeNeighbour(0, { wants: 0xff });
	children().evaluate([child], { ...ROOM, congested: true }, undefined, 0, ignore);
	expect(child.given).toBe(0);
});

test('answers whoever asks, even with nothing', () => {
	const child = fakeNeighbour(0, { wants: 1 });
	const told: unknown[] = [];
	children().evaluate([child], { ...ROOM, canServe: () => false }, child, 0, (n) => told.push(n));
	expect(told).toEqual([child]);
	expect(child.given).toBe(0);
});

test('serves those whom nobody serves before those who only want a better parent', () => {
	const served = fakeNeighbour(0, { wants: 0xff, depths: new Uint8Array(SUBSTREAMS).fill(2) });
	const lost = fakeNeighbour(1, { wants: 0xff, depths: new Uint8Array(SUBSTREAMS).fill(NO_DEPTH) });
	children().evaluate([served, lost], { ...ROOM, planBps: 3_000_000 }, undefined, 0, ignore);
	expect(lost.given).toBe(0xff);
	expect(served.given).toBe(0);
});

test('serves whoever passes nothing on last', () => {
	const rider = fakeNeighbour(0, { wants: 0xff, uplinkKbps: 0 });
	const sharer = fakeNeighbour(1, { wants: 0xff, uplinkKbps: 1500 });
	children().evaluate([rider, sharer], { ...ROOM, planBps: 3_000_000 }, undefined, 0, ignore);
	expect(sharer.given).toBe(0xff);
	expect(rider.given).toBe(0);
});

test('never pushes a substream back to the one it comes from', () => {
	const parent = fakeNeighbour(0, { wants: 0xff });
	const room = { ...ROOM, canServe: (s: number) => s !== 3 };
	children().evaluate([parent], room, undefined, 0, ignore);
	expect(parent.given).toBe(0xff & ~(1 << 3));
});

test('takes back what a child gave up', () => {
	const child = fakeNeighbour(0, { wants: 1, given: 3 });
	children().evaluate([child], ROOM, undefined, 0, ignore);
	expect(child.given).toBe(1);
});

test('withdraws when the uplink turns out smaller', () => {
	const child = fakeNeighbour(0, { wants: 0xff, given: 0xff });
	children().evaluate([child], { ...ROOM, planBps: 1_000_000 }, undefined, 0, ignore);
	expect(bitCount(child.given)).toBe(2);
});

test('believes an unknown uplink moderately and a boast not beyond reason', () => {
	expect(clampUplinkKbps(undefined)).toBe(4000);
	expect(clampUplinkKbps(1e12)).toBe(1e6);
	expect(clampUplinkKbps(0)).toBe(0);
});

test('keeps no place for who went quiet, and gives it to who is here', () => {
	const gone = fakeNeighbour(0, { wants: 0xff, given: 0xff, heardAtMs: 0 });
	const here = fakeNeighbour(1, { wants: 0xff, heardAtMs: 1900 });
	children().evaluate([gone, here], { ...ROOM, planBps: 3_000_000 }, undefined, 2000, ignore);
	expect(gone.given).toBe(0);
	expect(here.given).toBe(0xff);
	// When it is heard again it need not ask anew.
	gone.heardAtMs = 3000;
	here.wants = 0;
	here.heardAtMs = 3000;
	children().evaluate([gone, here], { ...ROOM, planBps: 3_000_000 }, undefined, 3000, ignore);
	expect(gone.given).toBe(0xff);
});

test('a weak uplink takes no child that has a parent, and only one in a tree of those that have none', () => {
	// A piece of 131 kbit takes 164 ms at 800 kbit/s.
	const room = { ...ROOM, planBps: 800_000, streamBps: 500_000 };
	const served = fakeNeighbour(0, { wants: 0xff, depths: new Uint8Array(SUBSTREAMS).fill(2) });
	const lost = [1, 2].map((slot) => fakeNeighbour(slot, { wants: 1 }));
	children().evaluate([served, ...lost], room, undefined, 0, ignore);
	expect(served.given).toBe(0);
	expect(lost.map(({ given }) => given)).toEqual([1, 0]);
});

test('a piece leaves for all children of a tree within a sixth of a second', () => {
	const many = Array.from({ length: 9 }, (_, slot) => fakeNeighbour(slot, { wants: 1 }));
	children().evaluate(many, { ...ROOM, planBps: 5_300_000 }, undefined, 0, ignore);
	expect(many.filter(({ given }) => given === 1).length).toBe(6);
});

test('has room for one of each tree while the rate is unknown', () => {
	expect(children().capacity({ ...ROOM, streamBps: 0 })).toBe(SUBSTREAMS);
});

test('puts a weak child out for one more than twice as strong, one at a time', () => {
	const room = { ...ROOM, planBps: 3_000_000 };
	const told = { depths: new Uint8Array(SUBSTREAMS).fill(2) };
	const weak = fakeNeighbour(0, { ...told, wants: 0x7f, uplinkKbps: 2000 });
	const strong = fakeNeighbour(1, { ...told, uplinkKbps: 3999 });
	const parent = children();
	const evaluate = (nowMs: number) => {
		weak.heardAtMs = strong.heardAtMs = nowMs;
		parent.evaluate([weak, strong], room, undefined, nowMs, ignore);
		return [weak, strong].map(({ given }) => bitCount(given));
	};
	expect(evaluate(0)).toEqual([7, 0]);
	strong.wants = 0xff;
	expect(evaluate(1000)).toEqual([7, 0]);
	strong.uplinkKbps = 4000;
	expect(evaluate(1000)).toEqual([6, 1]);
	expect(evaluate(2999)).toEqual([6, 1]);
	expect(evaluate(3000)).toEqual([5, 2]);
});

test('a full uplink whose only child asks for more puts nobody out', () => {
	const room = { ...ROOM, planBps: 3_000_000 };
	const only = fakeNeighbour(0, { wants: 0x7f, depths: new Uint8Array(SUBSTREAMS).fill(2) });
	const parent = children();
	parent.evaluate([only], room, undefined, 0, ignore);
	only.wants = 0xff;
	parent.evaluate([only], room, undefined, 100, ignore);
	expect(only.given).toBe(0x7f);
});

test('takes a place back from the tree in which it stands deepest, and only from a child that has one', () => {
	const depthOf = (s: number) => [1, 1, 5, 9][s] ?? 1;
	const room = { ...ROOM, planBps: 900_000, depthOf };
	const old = fakeNeighbour(0, { wants: 0b110, depths: new Uint8Array(SUBSTREAMS).fill(2) });
	const parent = children();
	parent.evaluate([old], room, undefined, 0, ignore);
	expect(old.given).toBe(0b110);
	const next = fakeNeighbour(1, { wants: 1, depths: new Uint8Array(SUBSTREAMS).fill(2) });
	parent.evaluate([old, next], room, undefined, 100, ignore);
	expect([old.given, next.given]).toEqual([0b010, 0b001]);
});
