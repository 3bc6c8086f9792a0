import { smallerScale, largerScale } from './codecs.ts';

const WINDOW_US = 2_000_000;
/** Share of frames dropped in a window that tells of an encoder that can't keep up. */
const OVERLOAD_SHARE = 0.2;
/** So many such windows on end are an overload; fewer are a hiccup. */
const OVERLOAD_WINDOWS = 2;
/** An overload is over after so long without a window of that kind. */
const KEPT_UP_US = 10_000_000;
/** A larger picture is tried again after this long without a drop worth telling; twice as long after each try that failed. */
const FIRST_CALM_US = 20_000_000;
const LONGEST_CALM_US = 320_000_000;
/** A larger picture that overloads the encoder within this time was one too many. */
const TRIAL_US = 10_000_000;

/**
 * How large a picture the encoder keeps up with: where it drops frames the picture shrinks step by step, and grows again
 * once it has been calm. A machine that is busy all the time is tried less and less often.
 */
export class EncoderLoad {
	#mostScale = 1;
	#windowEndUs = WINDOW_US;
	#taken = 0;
	#dropped = 0;
	#overloaded = 0;
	#isOverloaded = false;
	#overloadedAtUs = 0;
	#calmUs = FIRST_CALM_US;
	#calmSinceUs = 0;
	#grewAtUs = -Infinity;

	/** Scale of the picture's full length and height that the encoder keeps up with. */
	get mostScale(): number {
		return this.#mostScale;
	}

	/** Whether the encoder can't keep up; until it has kept up again for a while. */
	get isOverloaded(): boolean {
		return this.#isOverloaded;
	}

	/** A frame came in from the source. */
	noteTaken(): void {
		this.#taken++;
	}

	/** A frame was dropped because too many wait in front of the encoder. */
	noteDropped(): void {
		this.#dropped++;
	}

	/** To be called regularly; gives the share of frames that were dropped when that is an overload. */
	settle(nowUs: number): number | undefined {
		if (nowUs < this.#windowEndUs) return undefined;
		const share = this.#dropped / Math.max(1, this.#taken);
		this.#windowEndUs = nowUs + WINDOW_US;
		this.#taken = 0;
		this.#dropped = 0;
		this.#overloaded = share > OVERLOAD_SHARE ? this.#overloaded + 1 : 0;
		if (this.#overloaded > 0) this.#overloadedAtUs = nowUs;
		else if (nowUs - this.#overloadedAtUs >= KEPT_UP_US) this.#isOverloaded = false;
		if (this.#overloaded >= OVERLOAD_WINDOWS) {
			this.#overloaded = 0;
			this.#isOverloaded = true;
			this.#shrink(nowUs);
			return share;
		}
		if (this.#mostScale < 1 && nowUs - this.#calmSinceUs >= this.#calmUs) this.#grow(nowUs);
		return undefined;
	}

	#shrink(nowUs: number): void {
		const hasFailed = nowUs - this.#grewAtUs < TRIAL_US;
		if (hasFailed) this.#calmUs = Math.min(LONGEST_CALM_US, 2 * this.#calmUs);
		this.#grewAtUs = -Infinity;
		this.#calmSinceUs = nowUs;
		this.#mostScale = smallerScale(this.#mostScale);
	}

	#grow(nowUs: number): void {
		this.#mostScale = largerScale(this.#mostScale);
		this.#grewAtUs = nowUs;
		this.#calmSinceUs = nowUs;
	}
}
