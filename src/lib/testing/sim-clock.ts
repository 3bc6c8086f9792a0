import type { Clock, Random } from '../util/clock.ts';

/**
 * Something that happens at a time. What happens millions of times is a class of its own: it takes a fraction of the
 * memory of a callback with what it closes over, and may be set again once it has happened.
 */
export abstract class Due {
	/** Both are the clock's: when it happens, and the how-manieth of all that was set it is. */
	atMs = NaN;
	order = 0;
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

/**
 * A virtual clock for millions of events, run in one order for one seed: by time, then as they were set. Events wait
 * unsorted in a slot for each millisecond and are put in order when it comes.
 */
export class SimClock implements Clock {
	#nowMs = 0;
	#order = 0;
	/** The millisecond that `#now` holds the events of. */
	#slot = 0;
	readonly #now: Due[] = [];
	readonly #ring: Due[][] = Array.from({ length: RING_MS }, () => []);
	readonly #later = new Map<number, Due[]>();
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

	/** Lets something happen after `delayMs` that isn't set already. */
	set(due: Due, delayMs: number): void {
		due.atMs = this.#nowMs + Math.max(0, delayMs);
		due.order = this.#order++;
		this.#add(due);
	}

	/** Runs everything due until `untilMs`; `each` after every event. */
	run(untilMs: number, each?: () => void): void {
		for (;;) {
			const first = this.#now[0];
			if (!first) {
				if (this.#slot >= Math.floor(untilMs)) break;
				this.#enter(this.#slot + 1);
				continue;
			}
			if (first.atMs > untilMs) break;
			takeFirst(this.#now);
			if (first.calledOff) continue;
			this.#nowMs = first.atMs;
			this.events++;
			first.happen();
			each?.();
		}
		this.#nowMs = untilMs;
	}

	#add(due: Due): void {
		const slot = Math.floor(due.atMs);
		if (slot <= this.#slot) insert(this.#now, due);
		else if (slot < blockOf(this.#slot) + RING_MS) this.#ring[slot % RING_MS]?.push(due);
		else {
			const block = blockOf(slot);
			const waiting = this.#later.get(block);
			if (waiting) waiting.push(due);
			else this.#later.set(block, [due]);
		}
	}

	#enter(slot: number): void {
		this.#slot = slot;
		if (slot === blockOf(slot)) {
			const waiting = this.#later.get(slot) ?? [];
			this.#later.delete(slot);
			for (const due of waiting) this.#add(due);
		}
		const waiting = this.#ring[slot % RING_MS] ?? [];
		for (const due of waiting) if (!due.calledOff) insert(this.#now, due);
		waiting.length = 0;
	}
}

function blockOf(slot: number): number {
	return slot - (slot % RING_MS);
}

/** Into a binary heap, earliest first. */
function insert(heap: Due[], due: Due): void {
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

function takeFirst(heap: Due[]): void {
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
