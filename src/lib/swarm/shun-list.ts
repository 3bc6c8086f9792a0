import type { LinkOrigin } from '../model/link.ts';
import { MAX_SHUNNED, SHUN_MS } from './bounds.ts';

/**
 * Peers that are not met again for `SHUN_MS`: the newest `MAX_SHUNNED` of them. A peer id is a claim, and the neighbour that
 * introduced it may have made it up: who came by a neighbour is shunned by neighbours' introductions only, or one bad
 * neighbour could keep every honest peer away. Who came by a tracker is shunned by both ways.
 */
export class ShunList {
	readonly #untilMs = new Map<string, number>();
	readonly #now: () => number;

	constructor(now: () => number) {
		this.#now = now;
	}

	add(peerId: string, origin: LinkOrigin): void {
		const key = keyOf(peerId, origin);
		this.#untilMs.delete(key);
		this.#untilMs.set(key, this.#now() + SHUN_MS);
		if (this.#untilMs.size <= MAX_SHUNNED) return;
		for (const oldest of this.#untilMs.keys()) {
			this.#untilMs.delete(oldest);
			return;
		}
	}

	/** Whether a peer that is introduced this way is shunned. */
	has(peerId: string, origin: LinkOrigin): boolean {
		return this.#lasts(keyOf(peerId, 'tracker')) || this.#lasts(keyOf(peerId, origin));
	}

	#lasts(key: string): boolean {
		const untilMs = this.#untilMs.get(key);
		if (untilMs === undefined) return false;
		if (untilMs > this.#now()) return true;
		this.#untilMs.delete(key);
		return false;
	}
}

function keyOf(peerId: string, origin: LinkOrigin): string {
	return `${origin} ${peerId}`;
}
