/** What the bitrate of video is decided by, as it stands now. */
export interface RateSigns {
	/** The measured uplink; `undefined` until it was full once. */
	readonly uplinkBps: number | undefined;
	/** The whole stream's rate. */
	readonly streamBps: number;
	/** How long the oldest block waits to be sent. */
	readonly queueDelayMs: number;
	/** What the swarm can pass on over what it needs at `streamBps`; `undefined` when nobody watches. */
	readonly margin: number | undefined;
	/** Share of frames that the encoder had no time for, 0 to 1. */
	readonly droppedShare: number;
}

/** Why video has the bitrate it has. */
export type RateReason =
	/** All that the profile allows. */
	| 'full'
	/** The broadcaster's own uplink is too slow for more. */
	| 'uplink'
	/** The viewers together pass on too little for more. */
	| 'swarm'
	/** This machine encodes no faster. */
	| 'machine'
	/** What was short is there again; the bitrate rises step by step. */
	| 'rising';

export interface RateDecision {
	readonly videoBps: number;
	readonly reason: RateReason;
}

/** Video is never asked to do with less. */
const LEAST_BPS = 150_000;
const SLOW_QUEUE_MS = 700;
const CALM_QUEUE_MS = 150;
/** The uplink must carry the stream with this much to spare, for repair and for what else uses it. */
const UPLINK_SPARE = 1.1;
const SWARM_SPARE = 1.2;
const MANY_DROPPED = 0.3;
/** A shortage must last this long: one late acknowledgement is none. */
const LASTING_MS = 2000;
/** After a cut, this long must pass before its effect can be seen. */
const SETTLING_MS = 4000;
const RAISE = 1.2;
const FIRST_RAISE_MS = 8000;
const SLOWEST_RAISE_MS = 120_000;
/** A raise that has to be taken back so soon was one too many: the next waits twice as long. */
const REGRET_MS = 15_000;

/**
 * Lowers the bitrate at once to what gets through when uplink, swarm or machine run short, and raises it in
 * steps when they have room. Each step that proves too high makes the next one wait longer.
 */
export class RateControl {
	readonly #mostBps: number;
	#videoBps: number;
	#reason: RateReason = 'full';
	#shortSinceMs: number | undefined;
	#changedAtMs = -Infinity;
	#raisedAtMs = -Infinity;
	#raiseAfterMs = FIRST_RAISE_MS;

	/** `mostBps` is the profile's bitrate, which video starts with. */
	constructor(mostBps: number) {
		this.#mostBps = mostBps;
		this.#videoBps = mostBps;
	}

	/** Decides anew; to be asked about once a second. `nowMs` is monotonic. */
	next(signs: RateSigns, nowMs: number): RateDecision {
		const shortage = findShortage(signs);
		if (!shortage) {
			this.#shortSinceMs = undefined;
			this.#raise(signs, nowMs);
		} else {
			this.#shortSinceMs ??= nowMs;
			const isLasting = nowMs - this.#shortSinceMs >= LASTING_MS;
			if (isLasting && nowMs - this.#changedAtMs >= SETTLING_MS) this.#cut(shortage, nowMs);
		}
		return { videoBps: this.#videoBps, reason: this.#reason };
	}

	#cut({ reason, factor }: Shortage, nowMs: number): void {
		if (nowMs - this.#raisedAtMs < REGRET_MS) {
			this.#raiseAfterMs = Math.min(this.#raiseAfterMs * 2, SLOWEST_RAISE_MS);
		}
		this.#videoBps = Math.max(Math.min(LEAST_BPS, this.#mostBps), this.#videoBps * factor);
		this.#reason = reason;
		this.#changedAtMs = nowMs;
		this.#shortSinceMs = nowMs;
	}

	#raise(signs: RateSigns, nowMs: number): void {
		if (this.#videoBps >= this.#mostBps) return;
		const nobodyWatches = signs.margin === undefined;
		if (!nobodyWatches && nowMs - this.#changedAtMs < this.#raiseAfterMs) return;
		if (!nobodyWatches && !hasRoom(signs, RAISE)) return;
		// With nobody watching there is nothing to be careful of.
		const wanted = nobodyWatches ? this.#mostBps : this.#videoBps * RAISE;
		this.#videoBps = Math.min(this.#mostBps, wanted);
		this.#reason = this.#videoBps < this.#mostBps ? 'rising' : 'full';
		this.#changedAtMs = nowMs;
		this.#raisedAtMs = nowMs;
	}
}

/** Why the picture has fewer bits than it could, in a sentence; empty when it has them all. */
export function explainRate({ videoBps, reason }: RateDecision): string {
	const now = `The picture now takes ${(videoBps / 1e6).toFixed(1)} Mbit/s`;
	switch (reason) {
		case 'full':
			return '';
		case 'uplink':
			return `${now}, as much as your upload carries.`;
		case 'swarm':
			return `${now}, as much as the viewers can pass on.`;
		case 'machine':
			return `${now}, as much as this computer can encode.`;
		case 'rising':
			return `${now} and is getting sharper again.`;
	}
}

interface Shortage {
	readonly reason: RateReason;
	/** What is left of the bitrate. */
	readonly factor: number;
}

function findShortage(signs: RateSigns): Shortage | undefined {
	const { uplinkBps, streamBps, queueDelayMs, margin, droppedShare } = signs;
	if (margin === undefined && droppedShare <= MANY_DROPPED) return undefined;
	const isMeasured = uplinkBps !== undefined && streamBps > 0;
	const carried = isMeasured ? uplinkBps / (streamBps * UPLINK_SPARE) : Infinity;
	if (queueDelayMs > SLOW_QUEUE_MS || carried < 1) {
		return { reason: 'uplink', factor: clamp(carried, 0.4, 0.75) };
	}
	if (margin !== undefined && margin < 1) {
		return { reason: 'swarm', factor: clamp(margin / SWARM_SPARE, 0.4, 0.85) };
	}
	if (droppedShare > MANY_DROPPED) return { reason: 'machine', factor: 0.6 };
	return undefined;
}

/** Whether a stream so many times as fast would still get through. */
function hasRoom(signs: RateSigns, times: number): boolean {
	const { uplinkBps, streamBps, queueDelayMs, margin, droppedShare } = signs;
	if (queueDelayMs > CALM_QUEUE_MS || droppedShare > MANY_DROPPED / 3) return false;
	if (uplinkBps !== undefined && uplinkBps < streamBps * times * UPLINK_SPARE) return false;
	return margin === undefined || margin / times >= SWARM_SPARE;
}

function clamp(value: number, least: number, most: number): number {
	return Math.max(least, Math.min(most, value));
}
