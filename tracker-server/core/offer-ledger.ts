/** Where an offer came from, when that is another node of the cluster. */
export interface RemotePeer {
	readonly node: string;
	readonly peerId: string;
	readonly gone: boolean;
}

/** Somebody whose offers are relayed: a peer of this node, or one of another. */
export interface Offerer {
	readonly peerId: string;
	readonly gone: boolean;
}

interface Entry<F extends Offerer> {
	readonly offerId: string;
	readonly from: F;
	readonly atMs: number;
	answered: boolean;
}

/**
 * The offers one peer was sent and may answer, each once, within their lifetime. Lives with the
 * receiver, so it goes when the receiver goes. Bounded: the oldest make room.
 */
export class OfferLedger<F extends Offerer> {
	readonly #entries: Entry<F>[] = [];

	/** Entries still remembered, answered ones too: they keep the pair from being offered again. */
	get size(): number {
		return this.#entries.length;
	}

	add(offerId: string, from: F, nowMs: number, most: number): void {
		if (this.#entries.length >= most) this.#entries.shift();
		this.#entries.push({ offerId, from, atMs: nowMs, answered: false });
	}

	/** Whether `from` sent an offer here after `sinceMs`. */
	hasFrom(from: Offerer, sinceMs: number): boolean {
		for (let i = this.#entries.length - 1; i >= 0; i--) {
			const entry = this.#entries[i] as Entry<F>;
			if (entry.atMs <= sinceMs) return false;
			if (entry.from === from) return true;
		}
		return false;
	}

	/** Redeems the offer that an answer names: each can be answered once. */
	redeem(offerId: string, toPeerId: string): Entry<F> | undefined {
		for (let i = this.#entries.length - 1; i >= 0; i--) {
			const entry = this.#entries[i] as Entry<F>;
			if (entry.offerId !== offerId || entry.from.peerId !== toPeerId) continue;
			if (entry.answered) return undefined;
			entry.answered = true;
			return entry;
		}
		return undefined;
	}

	/** Forgets entries made before `sinceMs`. */
	prune(sinceMs: number): void {
		let expired = 0;
		while (expired < this.#entries.length && (this.#entries[expired] as Entry<F>).atMs <= sinceMs) {
			expired++;
		}
		if (expired > 0) this.#entries.splice(0, expired);
	}
}
