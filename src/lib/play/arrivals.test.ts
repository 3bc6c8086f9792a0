import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arrivals } from './arrivals.ts';

/** Feeds a broadcast of segments whose lateness `lateMs` says, and returns the measure and the clock. */
function arrive(count: number, segmentMs: number, lateMs: (i: number) => number): Arrivals {
	const arrivals = new Arrivals();
	const order = Array.from({ length: count }, (_, i) => ({
		i,
		atMs: (i + 1) * segmentMs + lateMs(i),
	}));
	order.sort((a, b) => a.atMs - b.atMs);
	for (const { i, atMs } of order) {
		arrivals.add({ startS: (i * segmentMs) / 1000, endS: ((i + 1) * segmentMs) / 1000 }, atMs);
	}
	return arrivals;
}

describe('Arrivals', () => {
	it('knows nothing before the first', () => {
		const arrivals = new Arrivals();
		expect(arrivals.leastDelayS).toBeUndefined();
		expect(arrivals.neededDelayS).toBeUndefined();
	});

	it.each([100, 500])('needs one segment of %i ms when all come at once after their end', (ms) => {
		const arrivals = arrive(60, ms, () => 80);
		expect(arrivals.leastDelayS).toBeCloseTo(0.08);
		expect(arrivals.neededDelayS).toBeCloseTo(0.08 + ms / 1000);
	});

	it('allows for jitter before it has measured any', () => {
		const arrivals = arrive(2, 500, () => 0);
		expect(arrivals.neededDelayS).toBeGreaterThan(0.55);
		expect(arrivals.neededDelayS).toBeLessThan(0.65);
	});

	it('needs what the late ones take, in order or not', () => {
		const arrivals = arrive(60, 500, (i) => (i % 3 ? 0 : 600));
		expect(arrivals.neededDelayS).toBeCloseTo(1.1);
	});

	it('believes the first that are late after a join, though they are few', () => {
		const arrivals = arrive(7, 500, (i) => (i < 3 ? 0 : 400));
		expect(arrivals.neededDelayS).toBeCloseTo(0.9);
	});

	it.each([4, 5, 6, 7])('is not impressed by one outlier among the first %i', (count) => {
		const arrivals = arrive(count, 500, (i) => (i === 3 ? 400 : 0));
		expect(arrivals.neededDelayS).toBeCloseTo(0.6);
	});

	it('is not impressed by one outlier', () => {
		const arrivals = arrive(12, 500, (i) => (i === 6 ? 1400 : 0));
		expect(arrivals.neededDelayS).toBeCloseTo(0.5);
	});

	it.each([100, 500])(
		'allows as few stalls in a minute with segments of %i ms as with others',
		(ms) => {
			// One late segment in four seconds: five in what is remembered.
			const arrivals = arrive(20_000 / ms, ms, (i) => (i % (4000 / ms) === 1 ? 300 : 0));
			expect(arrivals.neededDelayS).toBeCloseTo(0.3 + ms / 1000);
		},
	);

	it('does not take the burst at a join for jitter', () => {
		const arrivals = new Arrivals();
		for (let i = 0; i < 20; i++) arrivals.add({ startS: i / 10, endS: (i + 1) / 10 }, 2000 + i);
		expect(arrivals.neededDelayS).toBeLessThan(0.25);
		for (let i = 20; i < 80; i++)
			arrivals.add({ startS: i / 10, endS: (i + 1) / 10 }, (i + 1) * 100);
		expect(arrivals.neededDelayS).toBeCloseTo(0.1, 1);
	});

	it('leaves out what was fetched from long ago', () => {
		const arrivals = arrive(40, 500, () => 0);
		arrivals.add({ startS: 1, endS: 1.5 }, 20_000);
		expect(arrivals.neededDelayS).toBeCloseTo(0.5);
	});

	it('finds the edge again after the path or the broadcast got slower', () => {
		const arrivals = arrive(80, 500, (i) => (i < 30 ? 0 : 2000));
		expect(arrivals.leastDelayS).toBeCloseTo(2);
	});

	it('finds the edge again after a delay that looks like an outage at first', () => {
		const arrivals = arrive(120, 500, (i) => (i < 30 ? 0 : 20_000));
		expect(arrivals.leastDelayS).toBeCloseTo(20);
	});

	it('starts over after a reset', () => {
		const arrivals = arrive(10, 500, () => 900);
		arrivals.reset();
		expect(arrivals.neededDelayS).toBeUndefined();
		arrivals.add({ startS: 0, endS: 0.1 }, 100);
		expect(arrivals.leastDelayS).toBeCloseTo(0);
	});

	it('never needs less than a segment, nor more than the worst lateness asks for', () => {
		const lateness = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 30, maxLength: 120 });
		fc.assert(
			fc.property(lateness, fc.constantFrom(100, 250, 500), (late, ms) => {
				const needed = arrive(late.length, ms, (i) => late[i]!).neededDelayS!;
				const inWindow = late.slice(-20_000 / ms);
				expect(needed).toBeGreaterThanOrEqual(ms / 1000 - 1e-9);
				expect(needed).toBeLessThanOrEqual((ms + Math.max(...late, ...inWindow)) / 1000 + 0.11);
			}),
		);
	});
});
