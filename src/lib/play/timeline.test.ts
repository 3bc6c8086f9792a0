import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liveSegments } from '../testing/live-segments.ts';
import { Timeline } from './timeline.ts';

describe('Timeline', () => {
	it('leaves the media times of the first epoch as they are', () => {
		const timeline = new Timeline();
		const [segment] = liveSegments({ count: 1, fromSequence: 20 });
		expect(timeline.place(segment!)).toMatchObject({
			startS: 10,
			endS: 10.5,
			offsetS: 0,
			order: 20,
		});
	});

	it('lets an epoch that begins at 0 follow where the one before ended', () => {
		const timeline = new Timeline();
		for (const segment of liveSegments({ count: 4 })) timeline.place(segment);
		const placed = liveSegments({ count: 2, epoch: 2 }).map((segment) => timeline.place(segment));
		expect(placed.map((one) => one?.startS)).toEqual([2, 2.5]);
		expect(placed.map((one) => one?.order)).toEqual([4, 5]);
	});

	it('drops what comes late from an epoch that is over', () => {
		const timeline = new Timeline();
		const [first, second] = liveSegments({ count: 2 });
		timeline.place(first!);
		timeline.place(liveSegments({ count: 1, epoch: 2 })[0]!);
		expect(timeline.place(second!)).toBeUndefined();
	});

	it('drops what a new epoch had before the segment that reached us first', () => {
		const timeline = new Timeline();
		timeline.place(liveSegments({ count: 1 })[0]!);
		const [first, second] = liveSegments({ count: 2, epoch: 2 });
		expect(timeline.place(second!)).toMatchObject({ startS: 0.5 });
		expect(timeline.place(first!)).toBeUndefined();
	});

	it('places segments of one epoch alike in any order', () => {
		fc.assert(
			fc.property(fc.shuffledSubarray(liveSegments({ count: 20 }), { minLength: 1 }), (some) => {
				const timeline = new Timeline();
				for (const segment of some) {
					const startS = segment.manifest.startUs / 1e6;
					expect(timeline.place(segment)).toMatchObject({ startS, endS: startS + 0.5 });
				}
			}),
		);
	});

	it('keeps a gap in the media time and takes out a leap', () => {
		const timeline = new Timeline();
		const stretch = (fromSequence: number, fromMs: number) =>
			timeline.place(liveSegments({ count: 1, fromSequence, fromMs })[0]!);
		stretch(0, 0);
		expect(stretch(1, 3000)).toMatchObject({ startS: 3, run: 1 });
		expect(stretch(2, 3_600_000)).toMatchObject({ startS: 3.5, run: 2 });
		expect(stretch(3, 3_600_500)).toMatchObject({ startS: 4, run: 2 });
	});

	it('goes on forward when media time jumps back within an epoch', () => {
		const timeline = new Timeline();
		for (const segment of liveSegments({ count: 10 })) timeline.place(segment);
		const again = liveSegments({ count: 2, fromSequence: 10, fromMs: 0 });
		expect(again.map((segment) => timeline.place(segment)?.startS)).toEqual([5, 5.5]);
		expect(timeline.place(liveSegments({ count: 1, fromSequence: 9 })[0]!)).toBeUndefined();
	});

	it('plays through the wraps of 32-bit clocks, a day and more after the beginning', () => {
		const timeline = new Timeline();
		const wrapMs = (2 ** 32 / 48_000) * 1000;
		const fromMs = Math.round(wrapMs) - 60_000;
		const placed = liveSegments({ count: 240, fromSequence: 178_000, fromMs }).map((segment) =>
			timeline.place(segment),
		);
		for (const [i, one] of placed.entries()) {
			expect(one?.run).toBe(1);
			expect(one?.startS).toBeCloseTo(fromMs / 1000 + i * 0.5, 6);
		}
	});

	it('never places a newer segment before an older one, whatever the epochs do', () => {
		const stretch = fc.record({
			epoch: fc.integer({ min: 1, max: 4 }),
			fromSequence: fc.integer({ min: 0, max: 40 }),
			fromMs: fc.integer({ min: 0, max: 100_000 }),
			count: fc.integer({ min: 1, max: 4 }),
		});
		fc.assert(
			fc.property(fc.array(stretch, { maxLength: 12 }), (stretches) => {
				const timeline = new Timeline();
				let newest: { order: number; startS: number } | undefined;
				for (const segment of stretches.flatMap((one) => liveSegments(one))) {
					const placed = timeline.place(segment);
					if (!placed || (newest && placed.order <= newest.order)) continue;
					expect(placed.startS).toBeGreaterThan((newest?.startS ?? -1) - 1);
					newest = placed;
				}
			}),
		);
	});
});
