/** A rate with a burst: full at first, refilled with time. */
export class TokenBucket {
	readonly #perSecond: number;
	readonly #burst: number;
	readonly #now: () => number;
	#tokens: number;
	#atMs: number;

	/** `now` gives monotonic milliseconds. */
	constructor(perSecond: number, burst: number, now: () => number) {
		this.#perSecond = perSecond;
		this.#burst = burst;
		this.#now = now;
		this.#tokens = burst;
		this.#atMs = now();
	}

	/** Takes a token; false when there is none. */
	take(): boolean {
		const now = this.#now();
		const gained = (Math.max(0, now - this.#atMs) / 1000) * this.#perSecond;
		this.#tokens = Math.min(this.#burst, this.#tokens + gained);
		this.#atMs = now;
		if (this.#tokens < 1) return false;
		this.#tokens--;
		return true;
	}
}
