import type { Manifest } from '../model/manifest.ts';

/** What can be put in order. */
export interface Ordered {
	readonly manifest: Pick<Manifest, 'epoch' | 'sequence'>;
}

/**
 * The segments of the broadcast that is followed, in order: each leaves when those before it have left or were given up.
 * What comes too late, or belongs to an older broadcast, is dropped.
 */
export class SegmentOrder<Segment extends Ordered> {
	readonly #mostWaiting: number;
	readonly #waiting = new Map<number, Segment>();
	readonly #lost = new Set<number>();
	/** What is missing below it won't come. */
	#begin = 0;
	#epoch = -1;
	#next: number | undefined;

	/** `mostWaiting` segments may wait for one before them; then that is passed over. */
	constructor(mostWaiting: number) {
		this.#mostWaiting = mostWaiting;
	}

	/** Sequence number of the one to leave next; `undefined` before the first. */
	get next(): number | undefined {
		return this.#next;
	}

	/** Lowest sequence number that waits. */
	get lowest(): number | undefined {
		return this.#waiting.size > 0 ? Math.min(...this.#waiting.keys()) : undefined;
	}

	/** Takes a segment; whether it is of use. */
	put(segment: Segment): boolean {
		const { epoch, sequence } = segment.manifest;
		if (epoch < this.#epoch) return false;
		if (epoch > this.#epoch) {
			this.#epoch = epoch;
			this.#next = undefined;
			this.#waiting.clear();
			this.#lost.clear();
			this.#begin = 0;
		}
		if (sequence < (this.#next ?? 0)) return false;
		this.#waiting.set(sequence, segment);
		return true;
	}

	/** Notes that a segment won't come. */
	lose(sequence: number): void {
		this.#lost.add(sequence);
	}

	/** Begins with this number; once begun, what is missing below it won't come. */
	beginAt(sequence: number): void {
		this.#next ??= sequence;
		this.#begin = Math.max(this.#begin, sequence);
	}

	/** The next segment, if its turn has come. A gap is passed in one step: the numbers are the broadcaster's, and may be any. */
	take(): Segment | undefined {
		this.#next ??= this.lowest;
		while (this.#next !== undefined) {
			const segment = this.#waiting.get(this.#next);
			const given = this.#lost.delete(this.#next);
			if (segment) {
				this.#waiting.delete(this.#next++);
				return segment;
			}
			if (given) this.#next++;
			else if (this.#waiting.size > this.#mostWaiting) this.skip();
			else if (this.#next < this.#begin)
				this.#next = Math.min(this.lowest ?? Infinity, this.#begin);
			else return undefined;
		}
		return undefined;
	}

	/** Passes over all that is missing before the next segment that is here. */
	skip(): void {
		this.#next = this.lowest ?? this.#next;
	}
}
