import type { Fingerprints, Link, LinkEnd, LinkOrigin } from '../model/link.ts';
import type { Message } from '../model/message.ts';
import { utf8 } from '../util/bytes.ts';
import type { Clock } from '../util/clock.ts';

/** How a pair of links behaves. */
export interface LinkPairOptions {
	readonly clock: Clock;
	/** One-way delay. @default 25 */
	readonly delayMs?: number;
	/** Ids of the two ends, 40 hexadecimal characters each. */
	readonly peerIds?: readonly [string, string];
	/** @default 'tracker' */
	readonly origin?: LinkOrigin;
}

/** Two links joined back to back in memory: what one end sends, the other gets `delayMs` later, in order. */
export function linkPair(options: LinkPairOptions): [Link, Link] {
	const [a, b] = options.peerIds ?? ['aa'.repeat(20), 'bb'.repeat(20)];
	const first = new MemoryLink([a, b], true, options);
	const second = new MemoryLink([b, a], false, options);
	first.other = second;
	second.other = first;
	return [first, second];
}

class MemoryLink implements Link {
	readonly peerId: string;
	readonly initiated: boolean;
	readonly origin: LinkOrigin;
	readonly fingerprints: Fingerprints;
	readonly bufferedBytes = 0;
	onMessage: (message: Message) => void = () => undefined;
	onClose: (why: LinkEnd) => void = () => undefined;
	onDrain: () => void = () => undefined;
	other: MemoryLink | undefined;
	readonly #clock: Clock;
	readonly #delayMs: number;
	#isClosed = false;

	constructor([ours, theirs]: [string, string], initiated: boolean, options: LinkPairOptions) {
		this.peerId = theirs;
		this.fingerprints = { ours: utf8(ours), theirs: utf8(theirs) };
		this.initiated = initiated;
		this.origin = options.origin ?? 'tracker';
		this.#clock = options.clock;
		this.#delayMs = options.delayMs ?? 25;
	}

	send(message: Message): void {
		if (this.#isClosed) return;
		this.#clock.after(this.#delayMs, () => this.other?.take(message));
	}

	close(_why: LinkEnd): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#clock.after(this.#delayMs, () => this.other?.lose());
	}

	take(message: Message): void {
		if (!this.#isClosed) this.onMessage(message);
	}

	lose(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.onClose('gone');
	}
}
