import type { Clock } from '../util/clock.ts';

interface Timer {
	readonly atMs: number;
	readonly callback: () => void;
}

/** A clock that stands still until it is told to go on. Timers due at the same time run in the order they were set. */
export class FakeClock implements Clock {
	readonly #timers = new Set<Timer>();
	readonly #startedAtMs: number;
	#nowMs = 0;

	/** `startedAtMs` is the wall clock's time at the beginning. */
	constructor(startedAtMs = 1_800_000_000_000) {
		this.#startedAtMs = startedAtMs;
	}

	/** Timers that have not run. */
	get pending(): number {
		return this.#timers.size;
	}

	now(): number {
		return this.#nowMs;
	}

	wallNow(): number {
		return this.#startedAtMs + this.#nowMs;
	}

	after(delayMs: number, callback: () => void): () => void {
		const timer = { atMs: this.#nowMs + Math.max(0, delayMs), callback };
		this.#timers.add(timer);
		return () => this.#timers.delete(timer);
	}

	/** Lets `ms` pass, running what falls due on the way, timers set on the way included. */
	advance(ms: number): void {
		const endMs = this.#nowMs + ms;
		for (let next = this.#next(endMs); next; next = this.#next(endMs)) {
			this.#timers.delete(next);
			this.#nowMs = next.atMs;
			next.callback();
		}
		this.#nowMs = endMs;
	}

	#next(endMs: number): Timer | undefined {
		let first: Timer | undefined;
		for (const timer of this.#timers) {
			if (timer.atMs > endMs) continue;
			if (!first || timer.atMs < first.atMs) first = timer;
		}
		return first; // a set keeps insertion order, so the earliest set wins a tie
	}
}
