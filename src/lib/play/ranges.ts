/** A stretch of buffered media, seconds on the presentation timeline. */
export interface Range {
	readonly startS: number;
	readonly endS: number;
}

/** Seconds by which a position may miss a range and still count as in it; decoders round to microseconds. */
const SLACK_S = 0.002;

/** The range that holds a position; its end counts as outside. Ranges are sorted and apart. */
export function rangeAt(ranges: readonly Range[], atS: number): Range | undefined {
	return ranges.find(({ startS, endS }) => startS - SLACK_S <= atS && atS < endS);
}

/** The first range that begins after a position. */
export function rangeAfter(ranges: readonly Range[], atS: number): Range | undefined {
	return ranges.find(({ startS }) => startS > atS + SLACK_S);
}

/** Seconds that can be played from a position without a hole; 0 outside of every range. */
export function aheadS(ranges: readonly Range[], atS: number): number {
	const range = rangeAt(ranges, atS);
	return range ? range.endS - atS : 0;
}
