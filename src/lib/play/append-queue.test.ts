import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liveSegments, type LiveStretch } from '../testing/live-segments.ts';
import { AppendQueue, type AppendBounds, type AppendView } from './append-queue.ts';
import type { PlacedSegment } from './live-segment.ts';
import type { Range } from './ranges.ts';
import { Timeline } from './timeline.ts';

const nowhere: AppendView = { playheadS: 0, scheduleS: undefined, buffered: [] };

function placed(stretch: LiveStretch): PlacedSegment[] {
	const timeline = new Timeline();
	return liveSegments(stretch).map((segment) => timeline.place(segment)!);
}

/** Takes all that the queue would append now; the numbers of what it gave. */
function drain(queue: AppendQueue, view: AppendView = nowhere): number[] {
	const orders: number[] = [];
	for (let step = queue.next(view); step?.type === 'append'; step = queue.next(view)) {
		orders.push(step.placed.order);
		queue.done(step, 0);
	}
	return orders;
}

/** A queue that has appended the first `count` of the segments, and what is buffered then. */
function begun(segments: readonly PlacedSegment[], count: number, bounds?: AppendBounds) {
	const queue = new AppendQueue(bounds);
	for (const segment of segments.slice(0, count)) {
		queue.add(segment);
		drain(queue);
	}
	const buffered: Range[] = [{ startS: segments[0]!.startS, endS: segments[count - 1]!.endS }];
	return { queue, buffered };
}

describe('AppendQueue', () => {
	it('begins with the newest key frame that has arrived', () => {
		const queue = new AppendQueue();
		for (const segment of placed({ count: 25, segmentMs: 100, keyEvery: 10 })) queue.add(segment);
		expect(drain(queue)).toEqual([20, 21, 22, 23, 24]);
		expect(queue.pending).toEqual({ segments: 0, bytes: 0 });
	});

	it('begins with nothing before a key frame is there', () => {
		const queue = new AppendQueue();
		const segments = placed({ count: 12, segmentMs: 100, keyEvery: 10 });
		for (const segment of segments.slice(3, 10)) queue.add(segment);
		expect(drain(queue)).toEqual([]);
		for (const segment of segments.slice(10)) queue.add(segment);
		expect(drain(queue)).toEqual([10, 11]);
	});

	it('waits for the missing link of a chain', () => {
		const segments = placed({ count: 20, segmentMs: 100, keyEvery: 10 });
		const { queue, buffered } = begun(segments, 3);
		for (const i of [5, 4, 6]) queue.add(segments[i]!);
		expect(drain(queue, { playheadS: 0, scheduleS: 0, buffered })).toEqual([]);
		queue.add(segments[3]!);
		expect(drain(queue, { playheadS: 0, scheduleS: 0, buffered })).toEqual([3, 4, 5, 6]);
	});

	it('gives a hole in a chain up when the next key frame is due and the playhead is there', () => {
		const segments = placed({ count: 20, segmentMs: 100, keyEvery: 10 });
		const { queue, buffered } = begun(segments, 3);
		for (const segment of segments.slice(4)) queue.add(segment);
		expect(drain(queue, { playheadS: 0.25, scheduleS: 0.5, buffered })).toEqual([]);
		expect(drain(queue, { playheadS: 0.01, scheduleS: 1.2, buffered })).toEqual([]);
		expect(drain(queue, { playheadS: 0.25, scheduleS: 0.95, buffered })[0]).toBe(10);
		expect(queue.pending.segments).toBe(0);
		expect(queue.add(segments[3]!)).toBe(false);
	});

	it('appends whole groups of pictures in any order, and fills holes later', () => {
		const segments = placed({ count: 6 });
		const { queue, buffered } = begun(segments, 1);
		queue.add(segments[3]!);
		queue.add(segments[2]!);
		expect(drain(queue, { playheadS: 0, scheduleS: 0, buffered })).toEqual([2, 3]);
		queue.add(segments[1]!);
		queue.add(segments[4]!);
		expect(drain(queue, { playheadS: 0, scheduleS: 0, buffered })).toEqual([1, 4]);
	});

	it('takes every segment once', () => {
		const segments = placed({ count: 3 });
		const { queue } = begun(segments, 3);
		expect(segments.map((segment) => queue.add(segment))).toEqual([false, false, false]);
		const [next] = placed({ count: 1, fromSequence: 3 });
		expect([queue.add(next!), queue.add(next!)]).toEqual([true, false]);
	});

	it('never goes back to an init segment that was replaced', () => {
		const timeline = new Timeline();
		const old = liveSegments({ count: 2 }).map((segment) => timeline.place(segment)!);
		const fresh = liveSegments({ count: 2, fromSequence: 2, init: 2 });
		const queue = new AppendQueue();
		queue.add(old[0]!);
		drain(queue);
		queue.add(timeline.place(fresh[0]!)!);
		drain(queue);
		expect(queue.add(old[1]!)).toBe(false);
	});

	it('leaves out what it missed when it is far behind its schedule', () => {
		const segments = placed({ count: 60 });
		const { queue, buffered } = begun(segments, 4);
		for (const segment of segments.slice(4)) queue.add(segment);
		expect(drain(queue, { playheadS: 1.9, scheduleS: 28, buffered })[0]).toBe(56);
	});

	it('removes what is older than its window, at a key frame, and not what is played', () => {
		const segments = placed({ count: 100, segmentMs: 100, keyEvery: 10 });
		const { queue, buffered } = begun(segments, 100, { windowS: 4 });
		const at = (playheadS: number) => queue.next({ playheadS, scheduleS: undefined, buffered });
		expect(at(9.8)).toEqual({ type: 'remove', fromS: 0, toS: 6 });
		queue.done(at(9.8)!, 0);
		const left = [{ startS: 6, endS: 10 }];
		expect(queue.next({ playheadS: 9.8, scheduleS: undefined, buffered: left })).toBeUndefined();
	});

	it('lets go of a paused playhead beyond its window, so that memory stays bounded', () => {
		const segments = placed({ count: 100, segmentMs: 100, keyEvery: 10 });
		const { queue, buffered } = begun(segments, 100, { windowS: 4 });
		const step = queue.next({ playheadS: 1.5, scheduleS: undefined, buffered });
		expect(step).toEqual({ type: 'remove', fromS: 0, toS: 6 });
	});

	it('keeps to its bytes as well', () => {
		const segments = placed({ count: 40, bytes: 1000 });
		const { queue, buffered } = begun(segments, 40, { windowBytes: 10_000 });
		const step = queue.next({ playheadS: 19.5, scheduleS: undefined, buffered });
		expect(step).toEqual({ type: 'remove', fromS: 0, toS: 15 });
	});

	it('makes room when the source buffer is full, and tries again', () => {
		const segments = placed({ count: 41 });
		const { queue, buffered } = begun(segments, 40);
		queue.add(segments[40]!);
		const view = { playheadS: 19.4, scheduleS: 19.4, buffered };
		const removed: number[] = [];
		for (let tries = 0; tries < 8; tries++) {
			const step = queue.next(view)!;
			if (step.type === 'append') queue.full(step, tries);
			else {
				removed.push(step.toS);
				break;
			}
		}
		expect(removed[0]).toBeGreaterThan(0);
		expect(removed[0]).toBeLessThanOrEqual(18.4);
	});

	it('gives a segment up that never fits, and goes on with the next', () => {
		const segments = placed({ count: 3 });
		const { queue, buffered } = begun(segments, 1);
		queue.add(segments[1]!);
		queue.add(segments[2]!);
		const view = { playheadS: 0.3, scheduleS: 0.3, buffered };
		for (let tries = 0; tries < 3; tries++) queue.full(queue.next(view)!, 0);
		expect(queue.next(view)).toMatchObject({ placed: { order: 2 } });
	});

	it('begins anew behind what broke the source', () => {
		const segments = placed({ count: 30, segmentMs: 100, keyEvery: 10 });
		const { queue } = begun(segments, 12);
		queue.add(segments[12]!);
		queue.restart(segments[12]!.startS);
		for (const segment of segments.slice(13)) queue.add(segment);
		expect(drain(queue)[0]).toBe(20);
	});

	it('holds no more than its bounds while nothing can be appended', () => {
		const queue = new AppendQueue({ pendingSegments: 50, pendingBytes: 30_000 });
		for (const segment of placed({ count: 200, segmentMs: 100, keyEvery: 10 })) queue.add(segment);
		expect(queue.pending.segments).toBeLessThanOrEqual(50);
		expect(queue.pending.bytes).toBeLessThanOrEqual(30_000);
		expect(drain(queue)[0]).toBe(190);
	});

	it('never hands a decoder a segment without its predecessor, whatever is lost or late', () => {
		const segments = placed({ count: 60, segmentMs: 100, keyEvery: 10 });
		const arrivals = fc.shuffledSubarray(segments, { minLength: 10 });
		fc.assert(
			fc.property(arrivals, fc.array(fc.integer({ min: 0, max: 60 })), (some, clock) => {
				const queue = new AppendQueue();
				const given: PlacedSegment[] = [];
				for (const [i, segment] of some.entries()) {
					queue.add(segment);
					const scheduleS = (clock[i] ?? 0) / 10;
					const view = { playheadS: scheduleS, scheduleS, buffered: [] };
					for (let step = queue.next(view); step; step = queue.next(view)) {
						if (step.type === 'append') given.push(step.placed);
						queue.done(step, 0);
					}
				}
				expect(new Set(given.map(({ order }) => order)).size).toBe(given.length);
				for (const [i, one] of given.entries()) {
					if (!one.isKey) expect(given[i - 1]?.order).toBe(one.order - 1);
				}
			}),
		);
	});
});
