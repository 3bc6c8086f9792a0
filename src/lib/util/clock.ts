/** Time as the engine sees it, so that a simulator can turn it by hand. */
export interface Clock {
	/** Milliseconds on a monotonic scale of unspecified origin. */
	now(): number;
	/** Milliseconds since 1970, as the machine believes them. */
	wallNow(): number;
	/** Calls back once after `delayMs`; the returned function cancels it. */
	after(delayMs: number, callback: () => void): () => void;
}

/** A source of numbers in [0, 1). */
export type Random = () => number;
