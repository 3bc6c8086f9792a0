import { expect, test } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { SPREAD_MS } from './bounds.ts';
import type { Neighbour } from './neighbour.ts';
import { Roster } from './roster.ts';
import { forgetSlot, trackSegment } from './segment-track.ts';
import { SpreadWatch } from './spread-watch.ts';

function setup(count: number) {
	const clock = new FakeClock();
	const roster = new Roster();
	const all = Array.from({ length: count }, () => {
		const neighbour = roster.add(fakeNeighbour(0).link, 0);
		if (!neighbour) throw new Error('no slot');
		return Object.assign(neighbour, {
			role: 'viewer' as const,
			uplinkKbps: 1000,
			rttMs: 60,
			heardAtMs: 600,
		});
	});
	const track = trackSegment(
		{ firstPiece: 0, count: 1, pieceLength: 16_384, length: 16_384, wanted: true },
		0,
	);
	const given: Neighbour[] = [];
	const watch = new SpreadWatch(clock, roster, (to) => given.push(to));
	const give = (child: Neighbour) => {
		track.pushed[0] = (track.pushed[0] ?? 0) | (1 << child.slot);
		track.holders[0] = (track.holders[0] ?? 0) | (1 << child.slot);
		watch.watch(child, track, 0);
	};
	return { clock, roster, track, given, watch, give, all };
}

test('a piece that somebody else announces has spread: nobody gets it twice', () => {
	const { clock, track, given, give, all } = setup(3);
	const [child, , other] = all;
	if (!child || !other) throw new Error('too few');
	give(child);
	track.holders[0] = (track.holders[0] ?? 0) | (1 << other.slot);
	clock.advance(SPREAD_MS + 200);
	expect(given).toEqual([]);
	expect(child.spread).toBe(1);
});

test('a piece that nobody else announces goes to the best of the others, and is held against the first', () => {
	const { clock, given, give, all } = setup(3);
	const [child, weak, strong] = all;
	if (!child || !weak || !strong) throw new Error('too few');
	strong.uplinkKbps = 9000;
	give(child);
	clock.advance(SPREAD_MS + 119);
	expect(given).toEqual([]);
	clock.advance(2);
	expect(given).toEqual([strong]);
	expect(child.spread).toBeLessThan(1);
});

test('whoever got it of us too proves nothing', () => {
	const { clock, given, give, all } = setup(3);
	const [child, second, third] = all;
	if (!child || !second || !third) throw new Error('too few');
	give(child);
	give(second);
	clock.advance(SPREAD_MS + 121);
	expect(given[0]).toBe(third);
});

test('an only neighbour is not blamed, and nothing happens after the end', () => {
	const alone = setup(1);
	const [only] = alone.all;
	if (!only) throw new Error('too few');
	alone.give(only);
	alone.clock.advance(1000);
	expect(only.spread).toBe(1);

	const { clock, given, give, watch, all } = setup(2);
	if (all[0]) give(all[0]);
	watch.close();
	clock.advance(1000);
	expect(given).toEqual([]);
});

test('what only those have who left goes to another at once, though it be the last', () => {
	const { clock, roster, track, given, give, watch, all } = setup(3);
	const [first, second, stays] = all;
	if (!first || !second || !stays) throw new Error('too few');
	clock.advance(600);
	give(first);
	give(second);
	const leave = (neighbour: Neighbour) => {
		roster.remove(neighbour);
		forgetSlot(track, neighbour.slot);
	};
	leave(first);
	watch.hasten();
	// The second may still pass it on.
	expect(given).toEqual([]);
	leave(second);
	watch.hasten();
	expect(new Set(given)).toEqual(new Set([stays]));
});

test('a second copy goes to nobody who fell silent', () => {
	const { clock, given, give, all } = setup(3);
	const [child, gone, here] = all;
	if (!child || !gone || !here) throw new Error('too few');
	gone.uplinkKbps = 9000;
	gone.heardAtMs = 0;
	clock.advance(2000);
	here.heardAtMs = 2200;
	give(child);
	clock.advance(SPREAD_MS + 121);
	expect(given).toEqual([here]);
});

test('what only those have who fell silent goes to another at once, and only once', () => {
	const { clock, given, give, watch, all } = setup(4);
	const [first, second, here, more] = all;
	if (!first || !second || !here || !more) throw new Error('too few');
	here.uplinkKbps = 9000;
	clock.advance(700);
	give(first);
	give(second);
	const hears = (...heard: Neighbour[]) => {
		for (const neighbour of heard) neighbour.heardAtMs = clock.now();
	};
	clock.advance(250);
	hears(second, here, more);
	clock.advance(200);
	hears(here, more);
	watch.hasten();
	// The first is silent, but the second may still pass it on.
	expect(given).toEqual([]);
	second.heardAtMs = 600;
	watch.hasten();
	watch.hasten();
	expect(given.length).toBeGreaterThan(0);
	expect(new Set(given)).toEqual(new Set([here]));
	const soFar = given.length;
	clock.advance(2000);
	expect(given.length).toBe(soFar);
});

test('while nobody is heard nobody is blamed, nor before what they announced meanwhile has had time to come', () => {
	const { clock, track, given, give, watch, all } = setup(3);
	const [first, second, third] = all;
	if (!first || !second || !third) throw new Error('too few');
	const ticks = (ms: number, heard: boolean) => {
		for (let passedMs = 0; passedMs < ms; passedMs += 50) {
			clock.advance(50);
			if (heard) for (const neighbour of all) neighbour.heardAtMs = clock.now();
			watch.hasten();
		}
	};
	ticks(600, true);
	give(first);
	ticks(1500, false);
	expect(given).toEqual([]);
	ticks(SPREAD_MS, true);
	expect(first.spread).toBe(1);
	track.holders[0] = (track.holders[0] ?? 0) | (1 << second.slot);
	ticks(2000, true);
	expect(given).toEqual([]);
	expect(first.spread).toBe(1);

	track.holders[0] = track.pushed[0] = 0;
	give(third);
	ticks(1500, false);
	ticks(2000, true);
	expect(given.length).toBe(1);
	expect(given).not.toContain(third);
	expect(third.spread).toBeLessThan(1);
});

test('among many neighbours one announcement may be a lie, two count', () => {
	const { clock, track, given, give, all } = setup(12);
	const [child, liar, other] = all;
	if (!child || !liar || !other) throw new Error('too few');
	track.holders[0] = 1 << liar.slot;
	give(child);
	clock.advance(SPREAD_MS + 121);
	expect(given.length).toBe(1);
	track.pushed[0] = 0;
	track.holders[0] = (1 << liar.slot) | (1 << other.slot);
	for (const neighbour of all) neighbour.heardAtMs = clock.now();
	give(child);
	clock.advance(SPREAD_MS + 121);
	expect(given.length).toBe(1);
});

test('a piece is given to nobody who would keep it to itself', () => {
	const { clock, given, give, all } = setup(3);
	for (const neighbour of all) neighbour.uplinkKbps = 0;
	if (all[0]) give(all[0]);
	clock.advance(SPREAD_MS + 200);
	expect(given).toEqual([]);
});
