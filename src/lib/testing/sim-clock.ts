import type { Clock, Random } from '../util/clock.ts';

interface Due {
	atMs: number;
	order: number;
	callback: (() => void) | undefined;
}

/** A virtual clock with a heap of what is due: millions of events, in one order for one seed. */
export class SimClock implements Clock {
	#nowMs = 0;
	#order = 0;
	#heap: Due[] = [];
	/** Events run so far. */
	events = 0;

	now(): number {
		return this.#nowMs;
	}

	wallNow(): number {
		return 1_800_000_000_000 + this.#nowMs;
	}

	after(delayMs: number, callback: () => void): () => void {
		const due: Due = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
		this.#push(due);
		return () => (due.callback = undefined);
	}

	/** Runs everything due until `untilMs`; `each` after every event. */
	run(untilMs: number, each?: () => void): void {
		for (let first = this.#heap[0]; first && first.atMs <= untilMs; first = this.#heap[0]) {
			this.#pop();
			if (!first.callback) continue;
			this.#nowMs = first.atMs;
			this.events++;
			first.callback();
			each?.();
		}
		this.#nowMs = untilMs;
	}

	#push(due: Due): void {
		const heap = this.#heap;
		let at = heap.length;
		heap.push(due);
		while (at > 0) {
			const up = (at - 1) >> 1;
			const parent = heap[up];
			if (!parent || !isBefore(due, parent)) break;
			heap[at] = parent;
			at = up;
		}
		heap[at] = due;
	}

	#pop(): void {
		const heap = this.#heap;
		const last = heap.pop();
		if (!last || heap.length === 0) return;
		let at = 0;
		for (;;) {
			let down = 2 * at + 1;
			let child = heap[down];
			if (!child) break;
			const other = heap[down + 1];
			if (other && isBefore(other, child)) {
				child = other;
				down++;
			}
			if (!isBefore(child, last)) break;
			heap[at] = child;
			at = down;
		}
		heap[at] = last;
	}
}

function isBefore(a: Due, b: Due): boolean {
	return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Seeded randomness (mulberry32): one seed, one sequence. */
export function seededRandom(seed: number): Random {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
	};
}
