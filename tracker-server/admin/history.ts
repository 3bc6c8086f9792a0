import type { Tracker } from '../core/tracker.ts';

/** One moment of the server, for the plots. */
export interface Moment {
	readonly atMs: number;
	readonly peers: number;
	readonly connections: number;
	/** Announces per second since the moment before. */
	readonly announceRate: number;
	/** Median seconds from offer to answer since the moment before; undefined without answers. */
	readonly answerSeconds: number | undefined;
	/** Share of relayed offers that were answered since the moment before. */
	readonly answeredShare: number | undefined;
}

/** Moments kept: an hour at one every ten seconds. */
const mostMoments = 360;
/** Time between moments. */
export const momentMs = 10_000;

/** The last hour, a moment every ten seconds. */
export class History {
	readonly moments: Moment[] = [];
	readonly #tracker: Tracker;
	readonly #connections: () => number;
	#last: { atMs: number; announces: number; offers: number; answers: number; counts: number[] };

	constructor(tracker: Tracker, connections: () => number, nowMs: number) {
		this.#tracker = tracker;
		this.#connections = connections;
		this.#last = this.#read(nowMs);
	}

	/** Takes down the present moment. */
	record(nowMs: number): void {
		const last = this.#last;
		const now = this.#read(nowMs);
		this.#last = now;
		const seconds = Math.max(0.001, (now.atMs - last.atMs) / 1000);
		const offers = now.offers - last.offers;
		const answers = now.answers - last.answers;
		this.moments.push({
			atMs: nowMs,
			peers: this.#tracker.peerCount,
			connections: this.#connections(),
			announceRate: (now.announces - last.announces) / seconds,
			answerSeconds: this.#median(last.counts, now.counts, answers),
			answeredShare: offers > 0 ? Math.min(1, answers / offers) : undefined,
		});
		if (this.moments.length > mostMoments) this.moments.shift();
	}

	#read(atMs: number) {
		const { tally } = this.#tracker;
		return {
			atMs,
			announces: tally.messagesIn.announce ?? 0,
			offers: tally.offers.relayed ?? 0,
			answers: tally.offerAnswer.count,
			counts: [...tally.offerAnswer.counts],
		};
	}

	/** Read off the buckets between two moments, straight between their bounds. */
	#median(
		before: readonly number[],
		after: readonly number[],
		answers: number,
	): number | undefined {
		if (answers <= 0) return undefined;
		const { bounds } = this.#tracker.tally.offerAnswer;
		let seen = 0;
		for (let i = 0; i < bounds.length; i++) {
			const here = (after[i] ?? 0) - (before[i] ?? 0);
			if (here > 0 && seen + here >= answers / 2) {
				const low = bounds[i - 1] ?? 0;
				const high = bounds[i] ?? low;
				return low + ((answers / 2 - seen) / here) * (high - low);
			}
			seen += here;
		}
		return bounds.at(-1);
	}
}
