import type { EncodedSegment } from '../src/lib/node.ts';

/** Segments made ahead of their being sent, at most. */
const MOST_WAITING = 4;

/** Segments on their way from whoever makes them to whoever sends them, with back-pressure. */
export class SegmentQueue implements AsyncIterable<EncodedSegment> {
	readonly #waiting: EncodedSegment[] = [];
	#ended = false;
	#error: unknown;
	#wakeTaker: (() => void) | undefined;
	readonly #wakeMakers = new Set<() => void>();

	push(segment: EncodedSegment): void {
		if (this.#ended) return;
		this.#waiting.push(segment);
		this.#wakeTaker?.();
	}

	/** Resolves when more may be made. */
	async room(): Promise<void> {
		while (this.#waiting.length >= MOST_WAITING && !this.#ended) {
			await new Promise<void>((resolve) => this.#wakeMakers.add(resolve));
		}
	}

	/** No more will come; what waits is still handed out, then `error` is thrown if there is one. */
	end(error?: unknown): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#error = error;
		this.#wakeTaker?.();
		this.#releaseMakers();
	}

	async *[Symbol.asyncIterator](): AsyncGenerator<EncodedSegment> {
		for (;;) {
			const segment = this.#waiting.shift();
			if (segment) {
				this.#releaseMakers();
				yield segment;
			} else if (this.#ended) {
				if (this.#error !== undefined) throw this.#error as Error;
				return;
			} else {
				await new Promise<void>((resolve) => (this.#wakeTaker = resolve));
			}
		}
	}

	#releaseMakers(): void {
		for (const wake of this.#wakeMakers) wake();
		this.#wakeMakers.clear();
	}
}
