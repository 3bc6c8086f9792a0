import { toHex } from '../util/bytes.ts';
import type { LiveSegment, PlacedSegment } from './live-segment.ts';

/** Seconds by which a later segment may begin before an earlier one ends and still continue it. */
const OVERLAP_S = 1;
/** Seconds by which media time may leap within a run; farther, the leap is taken out. */
const LEAP_S = 10;

/** A stretch of the broadcast in which media time runs on. */
interface Run {
	readonly number: number;
	readonly epoch: number;
	/** Added to sequence numbers. */
	readonly orderShift: number;
	/** The lowest sequence that belongs to it. */
	readonly fromSequence: number;
	/** Nothing of the run is placed before. */
	readonly baseS: number;
	readonly offsetS: number;
}

/**
 * Gives each segment its place on one timeline that only ever runs forward: media times restart with every epoch
 * and may leap at a discontinuity, and a video element must not notice.
 */
export class Timeline {
	#run: Run | undefined;
	#newest: PlacedSegment | undefined;
	#endS = 0;

	/** Which run the newest segment belongs to; rises when media time breaks. */
	get run(): number {
		return this.#run?.number ?? 0;
	}

	/** The end of the newest media that was placed, seconds. */
	get endS(): number {
		return this.#endS;
	}

	/** Places a segment; `undefined` when it belongs to a run that is over. */
	place(segment: LiveSegment): PlacedSegment | undefined {
		const { epoch, sequence, startUs, durationUs, sinceKeyFrame } = segment.manifest;
		const run = this.#runOf(segment);
		if (!run) return undefined;
		const startS = startUs / 1e6 + run.offsetS;
		if (epoch === run.epoch && (sequence < run.fromSequence || startS < run.baseS - 0.001)) {
			return undefined;
		}
		const placed: PlacedSegment = {
			segment,
			order: sequence + run.orderShift,
			run: run.number,
			startS,
			endS: startS + durationUs / 1e6,
			offsetS: run.offsetS,
			isKey: sinceKeyFrame === 0,
			initId: toHex(segment.manifest.initSha256),
		};
		if (!this.#newest || placed.order > this.#newest.order) this.#newest = placed;
		this.#endS = Math.max(this.#endS, placed.endS);
		return placed;
	}

	#runOf(segment: LiveSegment): Run | undefined {
		const { epoch, sequence, startUs } = segment.manifest;
		const run = this.#run;
		if (!run || !this.#newest) {
			return this.#begin(segment, { fromSequence: 0, baseS: 0, offsetS: 0, orderShift: 0 });
		}
		if (epoch < run.epoch) return undefined;
		const continues = epoch === run.epoch && !this.#breaks(segment, run);
		if (continues) return run;
		const order = this.#newest.order + 1;
		return this.#begin(segment, {
			fromSequence: epoch === run.epoch ? sequence : 0,
			baseS: this.#endS,
			offsetS: this.#endS - startUs / 1e6,
			orderShift: order - sequence,
		});
	}

	/** Whether media time jumps back, or far ahead, at this segment. */
	#breaks({ manifest }: LiveSegment, run: Run): boolean {
		const newest = this.#newest;
		const order = manifest.sequence + run.orderShift;
		if (!newest || order <= newest.order) return false;
		const leapS = manifest.startUs / 1e6 + run.offsetS - newest.endS;
		return leapS < -OVERLAP_S || (manifest.discontinuity && leapS > LEAP_S);
	}

	#begin(segment: LiveSegment, place: Omit<Run, 'number' | 'epoch'>): Run {
		this.#run = { number: this.run + 1, epoch: segment.manifest.epoch, ...place };
		return this.#run;
	}
}
