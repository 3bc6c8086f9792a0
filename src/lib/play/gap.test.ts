import { describe, expect, it } from 'vitest';
import { crossGap, isStuck, type GapView } from './gap.ts';

const view: GapView = {
	playheadS: 4.93,
	buffered: [
		{ startS: 0, endS: 5 },
		{ startS: 5.5, endS: 7 },
	],
	scheduleS: 5.6,
	waitingMs: 300,
};

describe('crossGap', () => {
	it('goes to the media behind the hole once that is due', () => {
		expect(crossGap(view)).toBeCloseTo(5.5, 2);
	});

	it('waits while the missing media may still come in time', () => {
		expect(crossGap({ ...view, scheduleS: 5.4 })).toBeUndefined();
	});

	it('crosses a seam at once', () => {
		const buffered = [
			{ startS: 0, endS: 5 },
			{ startS: 5.04, endS: 7 },
		];
		expect(crossGap({ ...view, buffered, scheduleS: 4.5 })).toBeCloseTo(5.04, 2);
	});

	it('lets what is before the hole be played out', () => {
		expect(crossGap({ ...view, waitingMs: undefined })).toBeUndefined();
		expect(crossGap({ ...view, playheadS: 4.5 })).toBeUndefined();
		expect(crossGap({ ...view, playheadS: 4.85, waitingMs: 20 })).toBeUndefined();
	});

	it('gives up a rest that is too short for a decoder to begin with', () => {
		expect(crossGap({ ...view, playheadS: 4.85 })).toBeCloseTo(5.5, 2);
	});

	it('goes on at once where nobody follows the live edge', () => {
		expect(crossGap({ ...view, scheduleS: undefined })).toBeCloseTo(5.5, 2);
	});

	it('moves a playhead whose media was removed to what is left', () => {
		const buffered = [{ startS: 20, endS: 40 }];
		expect(crossGap({ ...view, buffered, scheduleS: undefined })).toBeCloseTo(20, 2);
	});

	it('stays when nothing follows', () => {
		expect(crossGap({ ...view, buffered: [{ startS: 0, endS: 5 }] })).toBeUndefined();
		expect(crossGap({ ...view, buffered: [] })).toBeUndefined();
	});
});

describe('isStuck', () => {
	it('is a video that waits with enough to play', () => {
		expect(isStuck({ ...view, playheadS: 4.6 })).toBe(true);
	});

	it('is not one that waits for media, or has not waited long, or plays', () => {
		expect(isStuck({ ...view, playheadS: 4.9 })).toBe(false);
		expect(isStuck({ ...view, playheadS: 4.6, waitingMs: 20 })).toBe(false);
		expect(isStuck({ ...view, playheadS: 4.6, waitingMs: undefined })).toBe(false);
	});
});
