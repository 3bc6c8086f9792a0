import { expect, test } from 'vitest';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { freeLinks, neighbourToDrop, wantedLinks } from './neighbourhood.ts';

const LATER_MS = 60_000;
const many = (count: number, known = {}) =>
	Array.from({ length: count }, (_, slot) => fakeNeighbour(slot, known));

test('a viewer seeks a few links, a broadcaster all it may have', () => {
	expect(wantedLinks('viewer', [], 0)).toBe(8);
	expect(wantedLinks('viewer', many(12), 0)).toBe(0);
	expect(wantedLinks('broadcaster', many(20), 0)).toBe(4);
});

test('a viewer counts only neighbours that are of use to it, and keeps to its bound all the same', () => {
	const riders = many(6, { uplinkKbps: 0, heardAtMs: 5000 });
	const good = many(3, { heardAtMs: 5000 });
	expect(wantedLinks('viewer', [...riders, ...good], 5000)).toBe(5);
	expect(wantedLinks('viewer', [...many(6), ...good], 5000)).toBe(5);
	expect(wantedLinks('viewer', [...many(6, { failures: 2 }), ...good], 0)).toBe(5);
	expect(wantedLinks('viewer', many(14, { uplinkKbps: 0 }), 0)).toBe(2);
});

test('who fell silent takes no room from the living, and has a slot until it is left', () => {
	const silent = many(12);
	const here = many(12, { heardAtMs: 2000 });
	expect(freeLinks('broadcaster', [...silent, ...here], 0)).toBe(0);
	expect(freeLinks('broadcaster', [...silent, ...here], 2000)).toBe(8);
	expect(wantedLinks('broadcaster', [...silent, ...here], 2000)).toBe(8);
	expect(freeLinks('viewer', [...silent, ...here], 2000)).toBe(4);
	expect(freeLinks('viewer', many(20, { heardAtMs: 2000 }), 2000)).toBe(0);
});

test('a broadcaster lets go of a weak uplink that holds no place', () => {
	const all = many(24, { given: 1 });
	const weak = fakeNeighbour(24, { uplinkKbps: 900 });
	expect(neighbourToDrop('broadcaster', [...all, weak], LATER_MS, 0)).toBe(weak);
	expect(neighbourToDrop('broadcaster', all, LATER_MS, 0)).toBeUndefined();
});

test('a broadcaster lets go of who keeps everything to itself, but not in a storm', () => {
	const all = many(24, { given: 1 });
	const sink = fakeNeighbour(24, { given: 1, spread: 0.1 });
	expect(neighbourToDrop('broadcaster', [...all, sink], LATER_MS, 0)).toBe(sink);
	const storm = many(24, { given: 1, spread: 0.1 });
	expect(neighbourToDrop('broadcaster', storm, LATER_MS, 0)).toBeUndefined();
});

test('nobody is let go of twice in a short time, nor while links are few or young', () => {
	const idle = many(24, { uplinkKbps: 100 });
	expect(neighbourToDrop('viewer', idle, LATER_MS, LATER_MS - 1000)).toBeUndefined();
	expect(neighbourToDrop('viewer', idle.slice(0, 4), LATER_MS, 0)).toBeUndefined();
	expect(neighbourToDrop('viewer', many(24, { sinceMs: LATER_MS }), LATER_MS, 0)).toBeUndefined();
});

test('a viewer never lets go of a parent, a child or the broadcaster', () => {
	const used = many(6, { given: 1 });
	const parents = many(6, { granted: 1, asked: 1 });
	const source = fakeNeighbour(20, { role: 'broadcaster' });
	expect(neighbourToDrop('viewer', [...used, ...parents, source], LATER_MS, 0)).toBeUndefined();
});

test('with every link taken by who is of no use, a viewer lets go of one soon to make room for others', () => {
	const riders = many(16, { uplinkKbps: 0, heardAtMs: 9000 });
	expect(neighbourToDrop('viewer', riders, 9000, 5000)).toBe(riders[0]);
	expect(neighbourToDrop('viewer', riders, 9000, 8000)).toBeUndefined();
	expect(neighbourToDrop('viewer', riders.slice(1), 9000, 5000)).toBeUndefined();
	const enough = [...many(8, { uplinkKbps: 0, heardAtMs: 9000 }), ...many(8, { heardAtMs: 9000 })];
	expect(neighbourToDrop('viewer', enough, 9000, 5000)).toBeUndefined();
});
