import { toHex } from '../util/bytes.ts';

/** Init segments kept at most; a broadcast needs a new one only when its codec settings change. */
const MAX_INITS = 16;

/** Init segments by their SHA-256. */
export class InitCache {
	readonly #inits = new Map<string, Uint8Array<ArrayBuffer>>();

	/** The init segment with this SHA-256. */
	get(sha256: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
		return this.#inits.get(toHex(sha256));
	}

	/** Keeps a verified init segment. */
	put(sha256: Uint8Array, bytes: Uint8Array<ArrayBuffer>): void {
		this.#inits.set(toHex(sha256), bytes);
		if (this.#inits.size <= MAX_INITS) return;
		const [oldest] = this.#inits.keys();
		if (oldest !== undefined) this.#inits.delete(oldest);
	}
}
