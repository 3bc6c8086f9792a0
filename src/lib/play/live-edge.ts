import { aheadS, rangeAfter, rangeAt, type Range } from './ranges.ts';

/** What a decision about the delay needs. Delays are seconds behind the live edge, where media arrives at the best. */
export interface EdgeView {
	readonly playheadS: number;
	readonly buffered: readonly Range[];
	readonly behindS: number;
	/** The delay to hold. */
	readonly targetS: number;
	/** The present playback rate. */
	readonly rate: number;
	/** Whether playback began, or was set back, moments ago, so that nobody is used to it yet. */
	readonly settling: boolean;
}

/** What to do about the delay. */
export type EdgeStep =
	| { readonly type: 'rate'; readonly rate: number }
	| { readonly type: 'jump'; readonly toS: number };

/** Fastest and slowest playback; with the pitch kept, neither is noticed. */
export const MAX_RATE = 1.1;
export const MIN_RATE = 0.97;

/** Delays nearer to the target than this are left alone. */
const DEAD_BAND_S = 0.05;
/** Catching up ends this near to the target. */
const ARRIVED_S = 0.02;
/** Rate per second of deviation. */
const GAIN = 0.4;
/** Smallest raise of the rate on the way. */
const RATE_STEP = 0.03;
/** Excess at which a beginning player jumps. */
const SETTLING_EXCESS_S = 0.3;
/**
 * With less than this buffered, playback is not hurried: the next segment is late. A decoder stops with 0.1 s left, and up to a quarter
 * of a second passes between two looks at it.
 */
const THIN_S = 0.25;
/** A seek has to land with this much buffered, or the decoder waits for it. */
export const START_AHEAD_S = 0.3;

/** Keeps the delay at its target: nothing when near, the rate when off, a jump when far. */
export function holdEdge(view: EdgeView): EdgeStep | undefined {
	const excessS = view.behindS - view.targetS;
	const farS = view.settling ? SETTLING_EXCESS_S : Math.max(view.targetS, 1);
	if (excessS > farS) {
		const toS = landing(view);
		if (toS !== undefined) return { type: 'jump', toS };
	}
	// Wherever the edge is thought to be: what isn't there can't be played faster.
	const isThin = aheadS(view.buffered, view.playheadS) < THIN_S;
	const rate = rateFor(isThin ? Math.min(excessS, 0) : excessS, view.rate);
	return rate === view.rate ? undefined : { type: 'rate', rate };
}

/** The newest position from which playback can go on at once, when it is worth a seek. */
function landing({ playheadS, buffered, behindS, targetS }: EdgeView): number | undefined {
	const wantedS = playheadS + (behindS - targetS);
	const newest = buffered.at(-1);
	if (!newest) return undefined;
	// In a hole, what follows it is the nearest to the target.
	const range = rangeAt(buffered, wantedS) ?? rangeAfter(buffered, wantedS) ?? newest;
	const toS = Math.max(range.startS, Math.min(wantedS, range.endS - START_AHEAD_S));
	const gainS = toS - playheadS;
	// While everything buffered is old a jump would only be the first of many.
	const isFresh = aheadS(buffered, toS) >= START_AHEAD_S - 0.01;
	return gainS >= SETTLING_EXCESS_S / 2 && isFresh ? toS : undefined;
}

/** The rate for a deviation: once off, held or raised until the target is reached, for every change is heard a little. */
function rateFor(excessS: number, present: number): number {
	const heading = Math.sign(excessS);
	const underway = present !== 1 && Math.sign(present - 1) === heading;
	if (Math.abs(excessS) <= (underway ? ARRIVED_S : DEAD_BAND_S)) return 1;
	const wanted = Math.min(MAX_RATE, Math.max(MIN_RATE, 1 + excessS * GAIN));
	const rate = Number(wanted.toFixed(2));
	return underway && Math.abs(rate - 1) - Math.abs(present - 1) < RATE_STEP ? present : rate;
}
