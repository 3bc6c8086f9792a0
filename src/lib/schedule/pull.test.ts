import { expect, test } from 'vitest';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { MAX_OUTSTANDING_PIECES } from './bounds.ts';
import { chooseSource } from './pull.ts';

const NOBODY = -1;

test('asks who answers soonest', () => {
	const slow = fakeNeighbour(0, { serviceMs: 300, spareKbps: 2000 });
	const quick = fakeNeighbour(1, { serviceMs: 80, spareKbps: 2000 });
	expect(chooseSource([slow, quick], 0b11, NOBODY, 0)).toBe(quick);
});

test('counts what a weak uplink takes to send, for each piece that is asked of it already', () => {
	const weak = fakeNeighbour(0, { serviceMs: 100, spareKbps: 2000, uplinkKbps: 2000 });
	const strong = fakeNeighbour(1, { serviceMs: 120, spareKbps: 2000, uplinkKbps: 13_000 });
	expect(chooseSource([weak, strong], 0b11, NOBODY, 0)).toBe(strong);
	strong.outstanding = 3;
	expect(chooseSource([weak, strong], 0b11, NOBODY, 0)).toBe(weak);
	weak.outstanding = 1;
	expect(chooseSource([weak, strong], 0b11, NOBODY, 0)).toBe(strong);
});

test('asks only holders', () => {
	const one = fakeNeighbour(0);
	expect(chooseSource([one], 0b10, NOBODY, 0)).toBeUndefined();
});

test('passes over the one that was asked already', () => {
	const [one, two] = [fakeNeighbour(0), fakeNeighbour(1)];
	expect(chooseSource([one, two], 0b11, 0, 0)).toBe(two);
	expect(chooseSource([one], 0b01, 0, 0)).toBeUndefined();
});

test('leaves alone who just refused, who is silent, who has enough to do and who shares nothing', () => {
	const hopeless = [
		fakeNeighbour(0, { busyUntilMs: 6000, heardAtMs: 5000 }),
		fakeNeighbour(1, { heardAtMs: 0 }),
		fakeNeighbour(2, { outstanding: MAX_OUTSTANDING_PIECES, heardAtMs: 5000 }),
		fakeNeighbour(3, { uplinkKbps: 0, heardAtMs: 5000 }),
		fakeNeighbour(4, { snubbedUntilMs: 6000, heardAtMs: 5000 }),
	];
	expect(chooseSource(hopeless, 0b11111, NOBODY, 5000)).toBeUndefined();
});

test('asks the broadcaster only when nobody else can be asked', () => {
	const source = fakeNeighbour(0, { role: 'broadcaster', spareKbps: 9000 });
	const viewer = fakeNeighbour(1, { serviceMs: 500 });
	expect(chooseSource([source, viewer], 0b11, NOBODY, 0)).toBe(viewer);
	expect(chooseSource([source], 0b01, NOBODY, 0)).toBe(source);
});
