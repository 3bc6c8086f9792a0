import { equalBytes, toHex } from '../util/bytes.ts';
import type { Clock } from '../util/clock.ts';
import type { Link } from '../model/link.ts';

/** An init segment that doesn't come is asked of the next neighbour after this long … */
const RETRY_MS = 400;
/** … and, but for the first few times, of no neighbour more often than this: it answers no more than one a second. */
const SAME_MS = 1500;
const QUICK_TRIES = 3;

/** Seeks init segments by their SHA-256: the neighbour that told of one first, then the others in turn. */
export class InitRequests {
	readonly #clock: Clock;
	readonly #links: () => readonly Link[];
	readonly #isNeeded: (sha256: Uint8Array) => boolean;
	readonly #wanted = new Map<string, () => void>();

	/** `links` gives the neighbours there are, `isNeeded` whether a segment that is held or sought needs it still. */
	constructor(
		clock: Clock,
		options: { links: () => readonly Link[]; isNeeded: (sha256: Uint8Array) => boolean },
	) {
		this.#clock = clock;
		this.#links = options.links;
		this.#isNeeded = options.isNeeded;
	}

	/** Starts to seek one, at `first`; nothing happens when it is sought already. */
	want(sha256: Uint8Array, first: Link): void {
		const key = toHex(sha256);
		if (this.#wanted.has(key)) return;
		let turn = 0;
		const ask = () => {
			if (turn > 0 && !this.#isNeeded(sha256)) {
				this.#wanted.delete(key);
				return;
			}
			const links = this.#links();
			const link = turn === 0 ? first : links[turn % Math.max(1, links.length)];
			turn++;
			link?.send({ type: 'want-init', sha256 });
			const rareMs = turn < QUICK_TRIES ? 0 : SAME_MS / Math.max(1, links.length);
			this.#wanted.set(key, this.#clock.after(Math.max(RETRY_MS, rareMs), ask));
		};
		ask();
	}

	/** Whether this one is sought; what nobody sought isn't even hashed. */
	isWanted(sha256: Uint8Array): boolean {
		return this.#wanted.has(toHex(sha256));
	}

	/** Takes an answer whose bytes hash to `digest`; false when that isn't what it claims to be. */
	take(claimed: Uint8Array, digest: Uint8Array): boolean {
		if (!equalBytes(claimed, digest)) return false;
		const key = toHex(claimed);
		this.#wanted.get(key)?.();
		this.#wanted.delete(key);
		return true;
	}

	/** Seeks no more. */
	close(): void {
		for (const stop of this.#wanted.values()) stop();
		this.#wanted.clear();
	}
}
