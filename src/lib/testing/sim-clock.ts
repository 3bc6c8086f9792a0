import type { Clock, Random } from '../util/clock.ts';

/**
 * Something that happens at a time. What happens millions of times is a class of its own: it takes a fraction of the
 * memory of a callback with what it closes over, and may be set again once it has happened.
 */
export abstract class Due {
	calledOff = false;
	/** Called when the time has come. */
	abstract happen(): void;
}

class Call extends Due {
	readonly #callback: () => void;

	constructor(callback: () => void) {
		super();
		this.#callback = callback;
	}

	happen(): void {
		this.#callback();
	}
}

/** Milliseconds that lie within reach of the ring; what is due later waits in blocks of as many. */
const RING_MS = 4096;

/** What is due in some span, in the order in which it was set. The times lie apart: to sort by them nothing else is looked at. */
class Waiting {
	readonly dues: Due[] = [];
	readonly timesMs: number[] = [];

	/** Adds one and gives its place. */
	add(due: Due, atMs: number): number {
		this.timesMs.push(atMs);
		return this.dues.push(due) - 1;
	}

	clear(): void {
		this.dues.length = 0;
		this.timesMs.length = 0;
	}
}

/**
 * A virtual clock for millions of events, run in one order for one seed: by time, then as they were set. Events wait
 * unsorted in a slot for each millisecond and are put in order when it comes.
 */
export class SimClock implements Clock {
	#nowMs = 0;
	/** The millisecond whose events are run. */
	#slot = 0;
	readonly #ring = Array.from({ length: RING_MS }, () => new Waiting());
	#current = this.#ring[0] ?? new Waiting();
	/** Places in `#current` that are still to come: a binary heap, earliest first. */
	readonly #heap: number[] = [];
	readonly #later = new Map<number, Waiting>();
	/** Events run so far. */
	events = 0;

	now(): number {
		return this.#nowMs;
	}

	wallNow(): number {
		return 1_800_000_000_000 + this.#nowMs;
	}

	after(delayMs: number, callback: () => void): () => void {
		const call = new Call(callback);
		this.set(call, delayMs);
		return () => (call.calledOff = true);
	}

	/** Lets something happen after `delayMs`. */
	set(due: Due, delayMs: number): void {
		const atMs = this.#nowMs + Math.max(0, delayMs);
		const slot = Math.floor(atMs);
		if (slot <= this.#slot) {
			insert(this.#heap, this.#current.timesMs, this.#current.add(due, atMs));
		} else if (slot < blockOf(this.#slot) + RING_MS) {
			this.#ring[slot % RING_MS]?.add(due, atMs);
		} else {
			const block = blockOf(slot);
			let waiting = this.#later.get(block);
			if (!waiting) this.#later.set(block, (waiting = new Waiting()));
			waiting.add(due, atMs);
		}
	}

	/** Runs everything due until `untilMs`; `each` after every event. */
	run(untilMs: number, each?: () => void): void {
		for (;;) {
			const first = this.#heap[0];
			if (first === undefined) {
				if (this.#slot >= Math.floor(untilMs)) break;
				this.#enter(this.#slot + 1);
				continue;
			}
			const { dues, timesMs } = this.#current;
			const atMs = timesMs[first] ?? Infinity;
			if (atMs > untilMs) break;
			takeFirst(this.#heap, timesMs);
			const due = dues[first];
			if (!due || due.calledOff) continue;
			this.#nowMs = atMs;
			this.events++;
			due.happen();
			each?.();
		}
		this.#nowMs = untilMs;
	}

	#enter(slot: number): void {
		this.#current.clear();
		this.#slot = slot;
		if (slot === blockOf(slot)) this.#fillRing(slot);
		this.#current = this.#ring[slot % RING_MS] ?? this.#current;
		const { dues, timesMs } = this.#current;
		for (let place = 0; place < dues.length; place++) {
			if (dues[place]?.calledOff === false) insert(this.#heap, timesMs, place);
		}
	}

	#fillRing(block: number): void {
		const waiting = this.#later.get(block);
		this.#later.delete(block);
		waiting?.dues.forEach((due, place) => {
			const atMs = waiting.timesMs[place] ?? 0;
			this.#ring[Math.floor(atMs) % RING_MS]?.add(due, atMs);
		});
	}
}

function blockOf(slot: number): number {
	return slot - (slot % RING_MS);
}

/** Puts a place into a binary heap, earliest first. */
function insert(heap: number[], timesMs: readonly number[], place: number): void {
	let at = heap.length;
	heap.push(place);
	while (at > 0) {
		const up = (at - 1) >> 1;
		const parent = heap[up] ?? 0;
		if (!isBefore(timesMs, place, parent)) break;
		heap[at] = parent;
		at = up;
	}
	heap[at] = place;
}

function takeFirst(heap: number[], timesMs: readonly number[]): void {
	const last = heap.pop();
	const { length } = heap;
	if (last === undefined || length === 0) return;
	let at = 0;
	for (let down = 1; down < length; down = 2 * at + 1) {
		let child = heap[down] ?? 0;
		if (down + 1 < length) {
			const other = heap[down + 1] ?? 0;
			if (isBefore(timesMs, other, child)) {
				child = other;
				down++;
			}
		}
		if (!isBefore(timesMs, child, last)) break;
		heap[at] = child;
		at = down;
	}
	heap[at] = last;
}

function isBefore(timesMs: readonly number[], a: number, b: number): boolean {
	const aMs = timesMs[a] ?? 0;
	const bMs = timesMs[b] ?? 0;
	return aMs < bMs || (aMs === bMs && a < b);
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
