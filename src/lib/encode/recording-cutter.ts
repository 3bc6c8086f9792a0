import { writeCluster, type WebmBlock } from './webm-reader.ts';

/** One segment of a recording. */
export interface RecordedSegment {
	readonly bytes: Uint8Array<ArrayBuffer>;
	readonly startUs: number;
	readonly durationUs: number;
	readonly sinceKeyFrame: number;
}

/** Cuts a recording's blocks into clusters: before every key frame, and at the latest after a segment's length. */
export class RecordingCutter {
	readonly #segmentMs: number;
	readonly #offsetMs: number;
	#blocks: WebmBlock[] = [];
	#startMs: number | undefined;
	#sinceKeyFrame = -1;

	/** `offsetMs`: media time at which the recording began. */
	constructor(segmentMs: number, offsetMs: number) {
		this.#segmentMs = segmentMs;
		this.#offsetMs = offsetMs;
	}

	/** Takes a block; gives the segment in front of it if it begins another. */
	push(block: WebmBlock): RecordedSegment | undefined {
		this.#startMs ??= block.timeMs;
		const lengthMs = block.timeMs - this.#startMs;
		const isKey = block.isVideo && block.isKey && this.#blocks.some(({ isVideo }) => isVideo);
		const isFull = block.isVideo && lengthMs >= this.#segmentMs;
		// Without pictures for twice the length, sound alone must go on.
		const isOverdue = lengthMs >= 2 * this.#segmentMs;
		const cut =
			lengthMs > 0 && (isKey || isFull || isOverdue) ? this.#cut(block.timeMs) : undefined;
		this.#blocks.push(block);
		return cut;
	}

	#cut(endMs: number): RecordedSegment | undefined {
		const startMs = this.#startMs ?? endMs;
		const first = this.#blocks.find(({ isVideo }) => isVideo);
		this.#sinceKeyFrame = !first || first.isKey ? 0 : this.#sinceKeyFrame + 1;
		const segment = {
			bytes: writeCluster(this.#blocks, this.#offsetMs),
			startUs: Math.round((startMs + this.#offsetMs) * 1000),
			durationUs: Math.round((endMs - startMs) * 1000),
			sinceKeyFrame: this.#sinceKeyFrame,
		};
		this.#blocks = [];
		this.#startMs = endMs;
		return segment;
	}
}
