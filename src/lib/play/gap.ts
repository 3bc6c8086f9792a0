import { aheadS, rangeAfter, type Range } from './ranges.ts';

/** What a decision about a hole needs. */
export interface GapView {
	readonly playheadS: number;
	readonly buffered: readonly Range[];
	/** Where the playhead should be now; `undefined` while it doesn't follow the live edge. */
	readonly scheduleS: number | undefined;
	/** How long the video has been waiting for data, milliseconds; `undefined` while it plays. */
	readonly waitingMs: number | undefined;
}

/** A decoder may stop this long before the end of what is buffered (Chromium: 60 to 100 ms with sound). */
const STARVING_S = 0.12;
/** Holes up to this long are rounding at a seam; the rest is waited out. */
const SEAM_S = 0.1;
/** Into the range, so that rounding doesn't land before it. */
const INSIDE_S = 0.002;
/** Enough to play on; Chromium starts with 0.2 s of sound after a seek. */
const ENOUGH_S = 0.25;
/** A video that has enough and waits longer than this needs a push. */
const PATIENCE_MS = 60;

/**
 * Where to go on when the playhead stands before a hole: at the first media behind it, at the moment when that would
 * have been played anyway. So the delay stays as it is, and what is late gets its chance until then.
 */
export function crossGap(view: GapView): number | undefined {
	const { playheadS, buffered, scheduleS, waitingMs } = view;
	if (waitingMs === undefined) return undefined;
	const left = aheadS(buffered, playheadS);
	// A decoder that has stopped, or was sent here, takes more to begin than to go on.
	if (left > (waitingMs < PATIENCE_MS ? STARVING_S : ENOUGH_S)) return undefined;
	const next = rangeAfter(buffered, playheadS + left);
	if (!next) return undefined;
	const isSeam = next.startS - (playheadS + left) <= SEAM_S;
	const isDue = scheduleS === undefined || next.startS <= scheduleS;
	return isSeam || isDue ? next.startS + INSIDE_S : undefined;
}

/**
 * Whether a video that waits has all it needs. After an underflow Chromium wants twice the sound before it goes
 * on, and again twice; a seek to where it stands sets that back and costs 10 to 30 ms.
 */
export function isStuck({ playheadS, buffered, waitingMs }: GapView): boolean {
	if (waitingMs === undefined || waitingMs < PATIENCE_MS) return false;
	return aheadS(buffered, playheadS) >= ENOUGH_S;
}
