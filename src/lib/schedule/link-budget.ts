import type { Message } from '../model/message.ts';
import { TokenBucket } from '../util/token-bucket.ts';

interface Rate {
	readonly perSecond: number;
	readonly burst: number;
}

/**
 * What one neighbour may say in a second. Who asks is told up to 128 manifests at once (`manifest-exchange.ts`), and ten segments
 * a second are within the low-delay profile; everything else is far above what an honest peer says.
 */
export const MESSAGE_RATES: Partial<Record<Message['type'], Rate>> = {
	// Once in a link's life; a signature is checked for each.
	'broadcaster-proof': { perSecond: 0, burst: 1 },
	manifest: { perSecond: 25, burst: 150 },
	'manifest-delta': { perSecond: 25, burst: 150 },
	'want-manifest': { perSecond: 10, burst: 60 },
	// One for each piece that was taken back, too: all that a neighbour asked elsewhere in one moment.
	have: { perSecond: 200, burst: 1000 },
	subscribe: { perSecond: 10, burst: 40 },
	subscribed: { perSecond: 10, burst: 40 },
	request: { perSecond: 1000, burst: 2000 },
	// For each request, and for each push that is asked elsewhere.
	cancel: { perSecond: 2000, burst: 4000 },
	'want-init': { perSecond: 1, burst: 4 },
	// Probes of a silent neighbour, and news of depths and branches between them.
	ping: { perSecond: 12, burst: 40 },
	exchange: { perSecond: 1 / 30, burst: 2 },
	signal: { perSecond: 1, burst: 10 },
};

/** Messages beyond their rate that cost a neighbour its link, and how many a second are forgotten: who is honest for hours goes beyond now and then. */
const EXCESS: Rate = { perSecond: 1, burst: 200 };

/** One neighbour's budget of messages; those beyond it are dropped, and too many of them end the link. */
export class LinkBudget {
	readonly #now: () => number;
	readonly #left = new Map<string, TokenBucket>();
	readonly #excessLeft: TokenBucket;
	/** Whether the neighbour has gone so far beyond its budget that it can't be honest. */
	exhausted = false;

	/** `now` gives monotonic milliseconds. */
	constructor(now: () => number) {
		this.#now = now;
		this.#excessLeft = new TokenBucket(EXCESS.perSecond, EXCESS.burst, now);
	}

	/** Whether this message is within the budget; counts it. */
	allows({ type }: Message): boolean {
		const rate = MESSAGE_RATES[type];
		if (!rate) return true;
		let left = this.#left.get(type);
		if (!left)
			this.#left.set(type, (left = new TokenBucket(rate.perSecond, rate.burst, this.#now)));
		if (left.take()) return true;
		if (!this.#excessLeft.take()) this.exhausted = true;
		return false;
	}
}
