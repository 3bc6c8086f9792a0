import { describe, expect, test } from 'vitest';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { STALE_SEND_MS } from './bounds.ts';
import type { Neighbour } from './neighbour.ts';
import { Uplink, type Sending, type UplinkLimits } from './uplink.ts';

const BLOCK = 16 * 1024;

function setup(limits: UplinkLimits = {}) {
	const sent: Sending[] = [];
	const uplink = new Uplink((sending) => {
		sent.push(sending);
		(sending.to.link as { bufferedBytes: number }).bufferedBytes += sending.length;
		return sending.length;
	}, limits);
	const push = (to: Neighbour, index: number, options: Partial<Sending> = {}) =>
		uplink.push({
			to,
			index,
			begin: 0,
			length: BLOCK,
			asked: false,
			turn: 0,
			queuedAtMs: 0,
			...options,
		});
	/** Blocks wait all the time, and one leaves every 16 ms: 8 Mbit/s. */
	const keepFull = (forMs: number) => {
		const to = fakeNeighbour(0);
		const link = to.link as { bufferedBytes: number };
		for (let atMs = 0; atMs < forMs; atMs += 16) {
			push(to, atMs, { queuedAtMs: atMs });
			push(to, atMs + 1, { queuedAtMs: atMs });
			uplink.drain(atMs, [to]);
			link.bufferedBytes = Math.max(0, link.bufferedBytes - BLOCK);
		}
	};
	return { uplink, sent, push, keepFull };
}

test('sends lower turns first, and what has none when nothing else waits', () => {
	const { uplink, sent, push } = setup();
	const to = fakeNeighbour(0);
	const other = fakeNeighbour(1);
	push(to, 1, { asked: true, turn: Infinity });
	push(other, 2, { turn: 2 });
	push(to, 3);
	push(other, 4, { asked: true, turn: 1 });
	expect([uplink.askedDelayMs(5), uplink.pushDelayMs(6)]).toEqual([5, 6]);
	for (let atMs = 0; atMs < 3; atMs++) uplink.drain(atMs, []);
	expect(sent.map(({ index }) => index)).toEqual([3, 4, 2, 1]);
	expect([uplink.askedDelayMs(5), uplink.pushDelayMs(5)]).toEqual([0, 0]);
});

test('hands the network no more than a little at a time', () => {
	const { uplink, sent, push } = setup();
	const to = fakeNeighbour(0);
	for (let index = 0; index < 20; index++) push(to, index);
	uplink.drain(0, [to]);
	expect(sent.length).toBe(2);
	expect(uplink.waiting).toBe(18);
});

test('drops what waited too long', () => {
	const { uplink, sent, push } = setup();
	push(fakeNeighbour(0), 1);
	uplink.drain(STALE_SEND_MS + 1, []);
	expect(sent).toEqual([]);
	expect(uplink.droppedBlocks).toBe(1);
	expect(uplink.waiting).toBe(0);
});

test('takes back what is no longer wanted', () => {
	const { uplink, sent, push } = setup();
	const to = fakeNeighbour(0);
	push(to, 1);
	push(to, 2, { asked: true });
	expect(to.queuedBlocks).toBe(1);
	expect(uplink.cancel(({ index }) => index === 2)).toBe(false);
	expect(to.queuedBlocks).toBe(0);
	push(to, 3);
	expect(uplink.cancel(({ index }) => index === 3)).toBe(true);
	uplink.drain(0, [to]);
	expect(sent.map(({ index }) => index)).toEqual([1]);
});

test('sends nothing when sharing is off', () => {
	const { uplink, sent, push } = setup({ uplinkCapBps: 0 });
	push(fakeNeighbour(0), 1);
	uplink.drain(100, []);
	expect(uplink.open).toBe(false);
	expect(sent).toEqual([]);
});

test('keeps to its cap', () => {
	const { uplink, push } = setup({ uplinkCapBps: 1_000_000 });
	for (let atMs = 0; atMs < 2000; atMs += 10) {
		const to = fakeNeighbour(0, { heardAtMs: atMs });
		push(to, atMs, { queuedAtMs: atMs });
		uplink.drain(atMs, [to]);
	}
	expect(uplink.sentBytes * 4).toBeLessThan(1_300_000);
	expect(uplink.sentBytes * 4).toBeGreaterThan(700_000);
});

test('measures its rate while blocks wait', () => {
	const { uplink, keepFull } = setup();
	expect(uplink.measuredBps).toBeUndefined();
	keepFull(1600);
	expect(uplink.measuredBps).toBeGreaterThan(7_000_000);
	expect(uplink.measuredBps).toBeLessThan(9_500_000);
});

test('a moment in which the page slept tells of the machine, not of its uplink', () => {
	const { uplink, push } = setup();
	const to = fakeNeighbour(0);
	const link = to.link as { bufferedBytes: number };
	for (let i = 0; i < 4; i++) push(to, i);
	uplink.drain(0, [to]);
	// All has long left when it wakes.
	link.bufferedBytes = 0;
	push(fakeNeighbour(1, { heardAtMs: 210 }), 9, { queuedAtMs: 210 });
	uplink.drain(210, [to]);
	link.bufferedBytes = 0;
	uplink.drain(215, [to]);
	expect(uplink.measuredBps).toBeUndefined();
});

describe('a remembered uplink', () => {
	test('is planned with until the first measurement, which replaces it', () => {
		const { uplink, keepFull } = setup({ uplinkGuessBps: 2_000_000 });
		expect(uplink.planBps).toBe(2_000_000);
		keepFull(400);
		expect(uplink.planBps).toBeGreaterThan(7_000_000);
		expect(uplink.seenBps).toBe(uplink.planBps);
	});

	test.each([
		['too little', 1, 300_000],
		['too much', 1e12, 16_000_000],
		['no rate', NaN, 4_000_000],
		['nothing', 0, 4_000_000],
	])('of %s is taken within bounds', (_, uplinkGuessBps, planned) => {
		expect(setup({ uplinkGuessBps }).uplink.planBps).toBe(planned);
	});

	test('is not seen again by being remembered, but by being used', () => {
		const { uplink, push } = setup({ uplinkGuessBps: 1_000_000 });
		uplink.grow(500);
		expect(uplink.seenBps).toBeUndefined();
		// Nothing waits, and most of it is used.
		for (let atMs = 500; atMs < 1500; atMs += 125) {
			push(fakeNeighbour(0, { heardAtMs: atMs }), atMs, { queuedAtMs: atMs });
			uplink.drain(atMs, []);
		}
		uplink.grow(1500);
		expect(uplink.measuredBps).toBeUndefined();
		expect(uplink.seenBps).toBe(1_250_000);
	});
});

test('a link that had nothing to send is not taken for stuck when it fills', () => {
	const { uplink, sent, push } = setup();
	const [busy, other] = [fakeNeighbour(0), fakeNeighbour(1)];
	push(other, 1);
	uplink.drain(0, [busy, other]);
	(other.link as { bufferedBytes: number }).bufferedBytes = 0;
	// After a pause manifests and an init segment fill a buffer: the uplink is full, and the next block waits.
	(busy.link as { bufferedBytes: number }).bufferedBytes = 60_000;
	push(other, 2, { queuedAtMs: 1000 });
	uplink.drain(1000, [busy, other]);
	expect(sent.map(({ index }) => index)).toEqual([1]);
});

test('a buffer that does not move belongs to who is gone, and holds up nobody else', () => {
	const { uplink, sent, push } = setup();
	const [gone, other] = [fakeNeighbour(0), fakeNeighbour(1)];
	(gone.link as { bufferedBytes: number }).bufferedBytes = 60_000;
	push(other, 1);
	uplink.drain(0, [gone, other]);
	expect(sent).toEqual([]);
	uplink.drain(301, [gone, other]);
	expect(sent.map(({ index }) => index)).toEqual([1]);
});

test('sends nothing to who went quiet: its blocks would only delay the others', () => {
	const { uplink, sent, push } = setup();
	const [gone, here] = [fakeNeighbour(0), fakeNeighbour(1, { heardAtMs: 2000 })];
	push(gone, 1, { queuedAtMs: 2000 });
	push(here, 2, { queuedAtMs: 2000 });
	uplink.drain(2000, [gone, here]);
	expect(sent.map(({ index }) => index)).toEqual([2]);
	expect(uplink.waiting).toBe(0);
});
