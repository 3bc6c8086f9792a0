const WINDOW_US = 2_000_000;
/** A frame that was under way for longer tells of a clock that jumped, not of a delay. */
const LONGEST_DELAY_US = 250_000;

/**
 * Puts frames of a source with a clock of its own on the master clock. The frame that came fastest in the
 * last seconds sets the difference between the two; all others were merely held up on their way, so their
 * own stamps say better than their arrival when they were taken.
 */
export class FrameClock {
	#offsetUs = Infinity;
	#windowMinUs = Infinity;
	#windowEndUs = -Infinity;

	/** When a frame stamped `timestampUs` was taken, on the clock that `arrivalUs` is of. Never after its arrival. */
	place(timestampUs: number, arrivalUs: number): number {
		const offsetUs = arrivalUs - timestampUs;
		if (offsetUs - this.#offsetUs > LONGEST_DELAY_US) this.#offsetUs = Infinity;
		if (arrivalUs >= this.#windowEndUs) {
			// Forgets the fastest of old, so that clocks that run apart are followed.
			if (Number.isFinite(this.#windowMinUs)) this.#offsetUs = this.#windowMinUs;
			this.#windowMinUs = Infinity;
			this.#windowEndUs = arrivalUs + WINDOW_US;
		}
		this.#windowMinUs = Math.min(this.#windowMinUs, offsetUs);
		this.#offsetUs = Math.min(this.#offsetUs, offsetUs);
		return timestampUs + this.#offsetUs;
	}
}
