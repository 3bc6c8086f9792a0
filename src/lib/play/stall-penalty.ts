/** What the first stall adds, seconds. */
const FIRST_S = 0.05;
/** The part of what is there already that each stall adds to it. */
const GROWTH = 0.5;
/** What all stalls together add at most, seconds. */
const MOST_S = 1;
/** After so many seconds, about a third is left. */
const MEMORY_S = 200;

/**
 * The delay that stalls have taught, beside what arrivals show. Each adds more than the one before, and it fades with time: so it
 * outgrows its fading while they come more often than once in 80 s (`MEMORY_S × ln(1 + GROWTH)`), and a bad minute is half forgotten two minutes later.
 */
export class StallPenalty {
	#seconds = 0;
	#beforeS = 0;

	/** What is added to the delay, seconds. */
	get seconds(): number {
		return this.#seconds;
	}

	/** Time passes. */
	pass(elapsedMs: number): void {
		const left = Math.exp(-elapsedMs / 1000 / MEMORY_S);
		this.#seconds *= left;
		this.#beforeS *= left;
	}

	/** The picture stood still for want of media. */
	add(): void {
		this.#beforeS = this.#seconds;
		this.#seconds = Math.min(this.#seconds * (1 + GROWTH) + FIRST_S, MOST_S);
	}

	/** The last stall waited for what never came, and wouldn't have come for a longer delay either. */
	takeBack(): void {
		this.#seconds = Math.min(this.#seconds, this.#beforeS);
	}
}
