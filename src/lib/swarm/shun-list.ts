import { MAX_SHUNNED, SHUN_MS } from './bounds.ts';

/** Peers that are not met again for `SHUN_MS`: the newest `MAX_SHUNNED` of them. */
export class ShunList {
	readonly #untilMs = new Map<string, number>();
	readonly #now: () => number;

	constructor(now: () => number) {
		this.#now = now;
	}

	add(peerId: string): void {
		this.#untilMs.delete(peerId);
		this.#untilMs.set(peerId, this.#now() + SHUN_MS);
		if (this.#untilMs.size <= MAX_SHUNNED) return;
		for (const oldest of this.#untilMs.keys()) {
			this.#untilMs.delete(oldest);
			return;
		}
	}

	has(peerId: string): boolean {
		const untilMs = this.#untilMs.get(peerId);
		if (untilMs === undefined) return false;
		if (untilMs > this.#now()) return true;
		this.#untilMs.delete(peerId);
		return false;
	}
}
