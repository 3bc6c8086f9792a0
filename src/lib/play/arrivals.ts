/** Milliseconds of arrivals that are remembered for jitter. */
const WINDOW_MS = 20_000;
/** Milliseconds of arrivals that say where the live edge is; a path or a broadcast that got slower shows after this. */
const EDGE_WINDOW_MS = 5000;
/** Milliseconds after the first arrival in which a burst of older media is no sign of jitter. */
const SETTLE_MS = 1500;
/** Most arrivals remembered. */
const MAX_SAMPLES = 400;
/** Later than this behind the earliest, a segment was fetched from the past or a path was down: no jitter. */
const OUTAGE_S = 4;
/** Allowance for jitter while there are too few samples to measure it. */
const UNKNOWN_JITTER_S = 0.1;
const FEW_SAMPLES = 5;
/** Arrivals within `WINDOW_MS` that may be later than what is allowed for: as many stalls, whatever the length of segments… */
const OUTLIERS = 2;
/** …and no more than this share of them. */
const QUANTILE = 0.95;

interface Arrival {
	readonly atMs: number;
	/** Seconds from the segment's media end to its arrival; the origin is arbitrary, the differences count. */
	readonly delayS: number;
	readonly durationS: number;
	/** Whether it came by itself, or out of order, rather than close behind the one before: the tail of a burst says nothing new. */
	readonly leads: boolean;
}

/**
 * How late segments arrive. A player that is `delay` seconds behind its clock (clock − playhead) is never empty
 * when `delay` exceeds (arrival − media start) of every segment: one number that holds for any segment length.
 */
export class Arrivals {
	#arrivals: Arrival[] = [];
	#firstMs: number | undefined;
	#lastMs = -Infinity;
	#newestS = -Infinity;
	#leastDelayS: number | undefined;
	#neededDelayS: number | undefined;

	/** Forgets everything: after a sleep, or when media time breaks. */
	reset(): void {
		this.#arrivals = [];
		this.#firstMs = undefined;
		this.#lastMs = this.#newestS = -Infinity;
		this.#leastDelayS = this.#neededDelayS = undefined;
	}

	/** Records that a segment came at `nowMs`. */
	add({ startS, endS }: { startS: number; endS: number }, nowMs: number): void {
		this.#firstMs ??= nowMs;
		this.#forget(nowMs);
		const durationS = endS - startS;
		const delayS = nowMs / 1000 - endS;
		const least = this.leastDelayS;
		if (least !== undefined && delayS > least + OUTAGE_S) return;
		const isLate = endS < this.#newestS;
		const leads = isLate || nowMs - this.#lastMs > durationS * 500;
		this.#lastMs = nowMs;
		this.#newestS = Math.max(this.#newestS, endS);
		this.#arrivals.push({ atMs: nowMs, delayS, durationS, leads });
		this.#leastDelayS = this.#findLeast(nowMs);
		this.#neededDelayS = this.#findNeeded();
	}

	#forget(nowMs: number): void {
		const oldestMs = nowMs - WINDOW_MS;
		const cut = this.#arrivals.findIndex(({ atMs }) => atMs >= oldestMs);
		const old = cut < 0 ? this.#arrivals.length : cut;
		const surplus = Math.max(old, this.#arrivals.length + 1 - MAX_SAMPLES);
		this.#arrivals.splice(0, surplus);
		this.#leastDelayS = this.#findLeast(nowMs);
	}

	#findLeast(nowMs: number): number | undefined {
		let least: number | undefined;
		for (const { atMs, delayS } of this.#arrivals) {
			if (atMs >= nowMs - EDGE_WINDOW_MS && (least === undefined || delayS < least)) least = delayS;
		}
		return least;
	}

	/** Clock minus media end at the best, seconds: the live edge is now minus this. */
	get leastDelayS(): number | undefined {
		return this.#leastDelayS;
	}

	/** Clock minus playhead, seconds, at which all but two segments in twenty seconds arrive before they are needed, or 95 of 100. */
	get neededDelayS(): number | undefined {
		return this.#neededDelayS;
	}

	#findNeeded(): number | undefined {
		const least = this.#leastDelayS;
		if (least === undefined) return undefined;
		const settledMs = (this.#firstMs ?? 0) + SETTLE_MS;
		const needs = this.#arrivals
			.filter(({ atMs, leads }) => leads && atMs >= settledMs)
			.map(({ delayS, durationS }) => delayS + durationS)
			.sort((a, b) => a - b);
		const longestS = this.#arrivals.reduce((most, { durationS }) => Math.max(most, durationS), 0);
		const bestCase = least + longestS;
		// Few samples may show less jitter than there is, but what they do show is true.
		const leastS = needs.length < FEW_SAMPLES ? bestCase + UNKNOWN_JITTER_S : bestCase;
		const last = needs.length - 1;
		// One alone may be an outlier.
		const at = Math.min(Math.max(Math.floor(last * QUANTILE), last - OUTLIERS), last - 1);
		return Math.max(leastS, needs[at] ?? leastS);
	}
}
