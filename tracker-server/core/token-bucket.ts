/** A rate with a burst. Holds no clock: each call brings the time. */
export class TokenBucket {
	tokens: number;
	#atMs: number;

	constructor(burst: number, nowMs: number) {
		this.tokens = burst;
		this.#atMs = nowMs;
	}

	/** Adds what the time since the last call has earned, up to `burst`. */
	refill(perSecond: number, burst: number, nowMs: number): void {
		const elapsedMs = nowMs - this.#atMs;
		if (elapsedMs <= 0) return;
		this.#atMs = nowMs;
		this.tokens = Math.min(burst, this.tokens + (elapsedMs * perSecond) / 1000);
	}

	/** Takes one token; false, and nothing taken, where less than one is left. */
	take(perSecond: number, burst: number, nowMs: number): boolean {
		this.refill(perSecond, burst, nowMs);
		if (this.tokens < 1) return false;
		this.tokens -= 1;
		return true;
	}
}
