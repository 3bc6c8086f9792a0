import { equalBytes, toHex } from '../util/bytes.ts';
import type { Clock } from '../util/clock.ts';
import type { Link, LinkEnd } from '../model/link.ts';
import type { InitMessage } from '../model/message.ts';
import type { Proofs } from '../model/proofs.ts';

/** An init segment that doesn't come is asked of the next neighbour after this long … */
const RETRY_MS = 400;
/** … and, but for the first few times, of no neighbour more often than this: it answers no more than one a second. */
const SAME_MS = 1500;
const QUICK_TRIES = 3;

/** What it needs done by whoever owns it. */
export interface InitPort {
	/** The neighbours there are. */
	links(): readonly Link[];
	/** Whether a segment that is held or sought needs it still. */
	isNeeded(sha256: Uint8Array): boolean;
	/** One that was sought is here, verified; the bytes are the taker's. */
	arrived(sha256: Uint8Array, bytes: Uint8Array<ArrayBuffer>): void;
	/** End this neighbour's link. */
	end(link: Link, why: LinkEnd): void;
}

/** Seeks init segments by their SHA-256: the neighbour that told of one first, then the others in turn. */
export class InitRequests {
	readonly #clock: Clock;
	readonly #proofs: Proofs;
	readonly #port: InitPort;
	readonly #wanted = new Map<string, () => void>();

	constructor(options: { clock: Clock; proofs: Proofs }, port: InitPort) {
		this.#clock = options.clock;
		this.#proofs = options.proofs;
		this.#port = port;
	}

	/** Starts to seek one, at `first`; nothing happens when it is sought already. */
	want(sha256: Uint8Array, first: Link): void {
		const key = toHex(sha256);
		if (this.#wanted.has(key)) return;
		let turn = 0;
		const ask = () => {
			if (turn > 0 && !this.#port.isNeeded(sha256)) {
				this.#wanted.delete(key);
				return;
			}
			const links = this.#port.links();
			const link = turn === 0 ? first : links[turn % Math.max(1, links.length)];
			turn++;
			link?.send({ type: 'want-init', sha256 });
			const rareMs = turn < QUICK_TRIES ? 0 : SAME_MS / Math.max(1, links.length);
			this.#wanted.set(key, this.#clock.after(Math.max(RETRY_MS, rareMs), ask));
		};
		ask();
	}

	/** Takes an answer; what nobody sought isn't even hashed. */
	take(link: Link, { sha256: claimed, bytes }: InitMessage): void {
		const key = toHex(claimed);
		if (!this.#wanted.has(key)) return;
		this.#proofs.sha256(bytes, (digest) => {
			const stop = this.#wanted.get(key);
			if (!stop) return;
			if (!equalBytes(claimed, digest)) return this.#port.end(link, 'bad-piece');
			stop();
			this.#wanted.delete(key);
			this.#port.arrived(digest, new Uint8Array(bytes));
		});
	}

	/** Seeks no more. */
	close(): void {
		for (const stop of this.#wanted.values()) stop();
		this.#wanted.clear();
	}
}
