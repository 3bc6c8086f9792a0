import type { RequestMessage } from '../model/message.ts';
import { HOLD_REQUEST_MS } from './bounds.ts';
import type { Neighbour } from './neighbour.ts';

interface Held {
	readonly from: Neighbour;
	readonly message: RequestMessage;
	readonly atMs: number;
}

/** Requests of neighbours for pieces that we don't have yet: answered the moment a piece comes, refused after a while. */
export class HeldRequests {
	#held: Held[] = [];

	/** How many there are; bounded by what each neighbour may have queued. */
	get count(): number {
		return this.#held.length;
	}

	/** Holds one. */
	add(from: Neighbour, message: RequestMessage, atMs: number): void {
		from.queuedBlocks++;
		this.#held.push({ from, message, atMs });
	}

	/** Takes out those for a piece that came. */
	take(index: number): { from: Neighbour; message: RequestMessage }[] {
		return this.#remove(({ message }) => message.index === index);
	}

	/** A neighbour took one back. */
	cancel(from: Neighbour, index: number, begin: number): void {
		this.#remove(
			(held) => held.from === from && held.message.index === index && held.message.begin === begin,
		);
	}

	/** Refuses what has waited too long. */
	expire(nowMs: number): void {
		for (const { from, message } of this.#remove(({ atMs }) => nowMs - atMs >= HOLD_REQUEST_MS)) {
			reject(from, message);
		}
	}

	/** Refuses everything: we send no more. */
	rejectAll(): void {
		for (const { from, message } of this.#remove(() => true)) reject(from, message);
	}

	/** Forgets what a neighbour that left had asked. */
	forget(from: Neighbour): void {
		this.#remove((held) => held.from === from);
	}

	#remove(matches: (held: Held) => boolean): Held[] {
		if (this.#held.length === 0) return [];
		const out = this.#held.filter(matches);
		if (out.length === 0) return out;
		this.#held = this.#held.filter((held) => !out.includes(held));
		for (const { from } of out) from.queuedBlocks--;
		return out;
	}
}

/** Refuses a request (BEP 6). */
export function reject(from: Neighbour, { index, begin, length }: RequestMessage): void {
	from.link.send({ type: 'reject', index, begin, length });
}
