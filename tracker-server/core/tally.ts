import type { InvalidReason } from './message.ts';

export type OfferResult =
	'relayed' | 'remote' | 'no_peer' | 'budget' | 'slow' | 'duplicate' | 'early';
export type AnswerResult = 'relayed' | 'remote' | 'late' | 'unmatched' | 'gone';
export type MessageType = 'announce' | 'answer' | 'scrape' | 'offer' | 'reply' | 'error';

/** Cumulative counts in fixed buckets, as Prometheus wants them. Upper bounds in seconds. */
export class Histogram {
	readonly bounds: readonly number[];
	readonly counts: number[];
	sum = 0;
	count = 0;

	constructor(bounds: readonly number[]) {
		this.bounds = bounds;
		this.counts = bounds.map(() => 0);
	}

	observe(seconds: number): void {
		this.sum += seconds;
		this.count += 1;
		for (let i = 0; i < this.bounds.length; i++) {
			if (seconds <= (this.bounds[i] as number)) {
				this.counts[i] = (this.counts[i] as number) + 1;
				return;
			}
		}
	}

	/** Smallest bound that at least the share `q` of observations stays under; Infinity past the last. */
	quantile(q: number): number {
		if (this.count === 0) return 0;
		let seen = 0;
		for (let i = 0; i < this.bounds.length; i++) {
			seen += this.counts[i] as number;
			if (seen >= q * this.count) return this.bounds[i] as number;
		}
		return Infinity;
	}
}

type Counts<K extends string> = Partial<Record<K, number>>;

/** What the tracker has counted since it began. Kept as it happens, so reading costs nothing. */
export class Tally {
	readonly messagesIn: Counts<MessageType> = {};
	readonly messagesOut: Counts<MessageType> = {};
	readonly invalid: Counts<InvalidReason> = {};
	readonly offers: Counts<OfferResult> = {};
	readonly answers: Counts<AnswerResult> = {};
	/** Announces refused, by reason. */
	readonly refused: Counts<'forbidden' | 'swarms' | 'full' | 'address' | 'peer_id_taken'> = {};
	/** Messages dropped unread because the connection sent too many. */
	flooded = 0;
	bytesIn = 0;
	bytesOut = 0;
	/** Time spent on one announce: measured by whoever has a clock fine enough. */
	readonly announce = new Histogram([
		0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05,
	]);
	/** From an offer relayed to its answer relayed. */
	readonly offerAnswer = new Histogram([0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 60]);
}

/** Adds `by` to one count. */
export function count<K extends string>(counts: Counts<K>, key: K, by = 1): void {
	if (by > 0) counts[key] = (counts[key] ?? 0) + by;
}
