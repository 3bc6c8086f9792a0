/** The frame counters of a video, which begin anew with every source. */
export interface FrameCounters {
	readonly totalVideoFrames: number;
	readonly droppedVideoFrames: number;
}

/** Adds up frames over all the sources that a video ever had. */
export class FrameCount {
	#decoded = 0;
	#dropped = 0;
	#last: FrameCounters = { totalVideoFrames: 0, droppedVideoFrames: 0 };

	/** Takes the video's present counters; often enough to see each source. */
	update(now: FrameCounters): { readonly decodedFrames: number; readonly droppedFrames: number } {
		const isNewSource = now.totalVideoFrames < this.#last.totalVideoFrames;
		const base = isNewSource ? { totalVideoFrames: 0, droppedVideoFrames: 0 } : this.#last;
		this.#decoded += now.totalVideoFrames - base.totalVideoFrames;
		this.#dropped += Math.max(0, now.droppedVideoFrames - base.droppedVideoFrames);
		this.#last = {
			totalVideoFrames: now.totalVideoFrames,
			droppedVideoFrames: now.droppedVideoFrames,
		};
		return { decodedFrames: this.#decoded, droppedFrames: this.#dropped };
	}
}
