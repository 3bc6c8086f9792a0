import type { Message } from './model/message.ts';
import type { Neighbour } from './schedule/neighbour.ts';

/** Payload that waits for one neighbour's manifests, at most; what comes beyond is taken as if nothing were being checked. */
export const MAX_EARLY_BYTES = 1024 * 1024;

interface EarlyOptions {
	/** Gets the messages back, in order. */
	take(from: Neighbour, message: Message): void;
	/** Whether the manifest of the segment with this piece was accepted. */
	knowsPiece(index: number): boolean;
	/** The same of the segment that begins with this piece, as the base of a difference. */
	knowsManifest(firstPiece: number): boolean;
}

interface Waiting {
	/** Manifests of this neighbour that are being checked. */
	checking: number;
	bytes: number;
	messages: Message[];
}

/**
 * What neighbours send right behind a manifest. Checking a signature takes a moment, and pieces do not wait for it: without a
 * place for them here they would be dropped as pieces of nothing, and asked for again a round trip later.
 */
export class EarlyMessages {
	readonly #waiting = new Map<Neighbour, Waiting>();
	readonly #options: EarlyOptions;

	constructor(options: EarlyOptions) {
		this.#options = options;
	}

	/** A manifest of this neighbour is being checked. */
	begin(from: Neighbour): void {
		const waiting = this.#waiting.get(from);
		if (waiting) waiting.checking++;
		else this.#waiting.set(from, { checking: 1, bytes: 0, messages: [] });
	}

	/** It has been checked; what waited is looked at again. Nothing happens when the neighbour was forgotten. */
	end(from: Neighbour): void {
		const waiting = this.#waiting.get(from);
		if (!waiting) return;
		const { messages } = waiting;
		if (--waiting.checking === 0) this.#waiting.delete(from);
		waiting.messages = [];
		waiting.bytes = 0;
		for (const message of messages) this.#options.take(from, message);
	}

	/** Keeps a message of an unknown segment until a manifest has been checked; false when none is, or no more may wait. */
	hold(from: Neighbour, message: Message): boolean {
		const waiting = this.#waiting.get(from);
		if (!waiting || !this.#isEarly(message)) return false;
		const bytes = bytesOf(message);
		if (waiting.bytes + bytes > MAX_EARLY_BYTES) return false;
		waiting.bytes += bytes;
		waiting.messages.push(message);
		return true;
	}

	#isEarly(message: Message): boolean {
		const { knowsPiece, knowsManifest } = this.#options;
		if (message.type === 'piece') return !knowsPiece(message.index);
		if (message.type === 'have') return !knowsPiece(message.first);
		return message.type === 'manifest-delta' && !knowsManifest(message.baseFirstPiece);
	}

	/** Forgets a neighbour that left. */
	forget(from: Neighbour): void {
		this.#waiting.delete(from);
	}
}

/** What a message may take up here; small ones count too, so that there cannot be too many. */
function bytesOf(message: Message): number {
	const overhead = 256;
	if (message.type === 'piece') return overhead + message.block.length;
	if (message.type === 'have') return overhead + message.bits.length;
	if (message.type === 'manifest-delta') return overhead + message.changes.length;
	return overhead;
}
