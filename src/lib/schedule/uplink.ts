import { AHEAD_MS, LINK_AHEAD_BYTES, MIN_AHEAD_BYTES, STALE_SEND_MS, TICK_MS } from './bounds.ts';
import { isQuiet, type Neighbour } from './neighbour.ts';

/** One block on its way to a neighbour. */
export interface Sending {
	readonly to: Neighbour;
	readonly index: number;
	readonly begin: number;
	readonly length: number;
	/** Whether the neighbour asked for this block rather than being pushed it. */
	readonly asked: boolean;
	/** Blocks of a lower turn go first, those of one turn in order; `Infinity` is when nothing else waits. */
	readonly turn: number;
	readonly queuedAtMs: number;
}

/** What is known of an uplink beforehand. */
export interface UplinkLimits {
	/** Bits per second this peer may send; 0 switches sharing off. @default no limit */
	readonly uplinkCapBps?: number | undefined;
	/**
	 * What it is taken for until it is measured, bits per second, from 0.3 to 16 million: what was `seenBps` on an earlier visit. What is no rate is passed over.
	 * @default 4 000 000
	 */
	readonly uplinkGuessBps?: number | undefined;
}

/** Bits per second that an uplink is taken for at first. */
const ASSUMED_BPS = 4_000_000;
/** What was remembered is taken within these: it may be another network's, and too much of it would draw more children than can be fed. */
const LEAST_GUESS_BPS = 300_000;
const MOST_GUESS_BPS = 16_000_000;
const MEASURE_MS = 200;
/** Who looks at a full uplink so seldom was held up itself, and what left in the meantime says nothing. */
const MOST_UNSEEN_MS = 3 * TICK_MS;
/** A burst shorter than that tells the rate too, if it is at least this large. */
const MIN_MEASURED_BYTES = 64 * 1024;
/** The estimate grows by this much a second while most of it is used and nothing waits. */
const GROWTH = 1.25;
const MOST_USED = 0.6;
/** A buffer that hasn't shrunk for this long is stuck. */
const STUCK_MS = 300;
const MAX_ESTIMATE_BPS = 1_000_000_000;

/**
 * What this peer sends, in order, no faster than its uplink: blocks wait here rather than in the network's buffers, so
 * that what became useless is dropped and what is urgent doesn't stand behind it. The uplink's rate is measured
 * whenever blocks wait.
 */
export class Uplink {
	readonly #transmit: (sending: Sending) => number;
	/** In the order of their turns. */
	#queue: Sending[] = [];
	#capBps: number;
	#creditBytes = 0;
	#creditAtMs = 0;
	readonly #guessBps: number;
	#estimateBps: number;
	#measured = false;
	#grewAtMs = 0;
	#sentAtGrowth = 0;
	#fullSinceGrowth = false;
	#busySinceMs: number | undefined;
	#lookedAtMs = -Infinity;
	#busyBytes = 0;
	sentBytes = 0;
	droppedBlocks = 0;

	/** `transmit` sends one block and gives its bytes, 0 when there is nothing to send any more. */
	constructor(
		transmit: (sending: Sending) => number,
		{ uplinkCapBps = Infinity, uplinkGuessBps = ASSUMED_BPS }: UplinkLimits = {},
	) {
		this.#transmit = transmit;
		this.#capBps = uplinkCapBps;
		const guessBps = uplinkGuessBps > 0 ? uplinkGuessBps : ASSUMED_BPS;
		this.#guessBps = Math.min(MOST_GUESS_BPS, Math.max(LEAST_GUESS_BPS, guessBps));
		this.#estimateBps = this.#guessBps;
	}

	/** Limits the rate, bits per second. */
	set capBps(capBps: number) {
		this.#capBps = capBps;
	}

	/** Whether this peer sends at all. */
	get open(): boolean {
		return this.#capBps > 0;
	}

	/** The measured rate, `undefined` until the uplink was full once. */
	get measuredBps(): number | undefined {
		return this.#measured ? this.#estimateBps : undefined;
	}

	/** The rate as it was measured, or as it grew to while never full; `undefined` while it is the first guess. */
	get seenBps(): number | undefined {
		const isGuess = !this.#measured && this.#estimateBps === this.#guessBps;
		return isGuess ? undefined : this.#estimateBps;
	}

	/** Bits per second to plan with. */
	get planBps(): number {
		return Math.min(this.#capBps, this.#estimateBps);
	}

	/** Blocks that wait. */
	get waiting(): number {
		return this.#queue.length;
	}

	/** How long the oldest waiting block that was asked for has waited. */
	askedDelayMs(nowMs: number): number {
		const oldest = this.#queue.find(({ asked }) => asked);
		return oldest ? nowMs - oldest.queuedAtMs : 0;
	}

	/** How long the push whose turn comes last has waited. */
	pushDelayMs(nowMs: number): number {
		const last = this.#queue.findLast(({ asked }) => !asked);
		return last ? nowMs - last.queuedAtMs : 0;
	}

	/** Queues a block. */
	push(sending: Sending): void {
		if (sending.asked) sending.to.queuedBlocks++;
		let at = this.#queue.length;
		while (at > 0 && (this.#queue[at - 1]?.turn ?? 0) > sending.turn) at--;
		this.#queue.splice(at, 0, sending);
	}

	/** Takes waiting blocks back, and says whether any of them was to be pushed. */
	cancel(matches: (sending: Sending) => boolean): boolean {
		if (!this.#queue.some(matches)) return false;
		let pushes = false;
		this.#queue = this.#queue.filter((sending) => {
			if (!matches(sending)) return true;
			this.#leave(sending);
			pushes ||= !sending.asked;
			return false;
		});
		return pushes;
	}

	/**
	 * Sends what may be sent now; to be called when something was queued, a link drained, or time passed.
	 * `neighbours` are all there are: what waits in their links' buffers counts as sent ahead.
	 */
	drain(nowMs: number, neighbours: Iterable<Neighbour>): void {
		if (this.#queue.length === 0) {
			this.#measure(nowMs, false);
			return;
		}
		this.#refill(nowMs);
		let aheadBytes = 0;
		for (const neighbour of neighbours) {
			if (!this.#isStuck(neighbour, nowMs)) aheadBytes += neighbour.link.bufferedBytes;
		}
		const mostAheadBytes = Math.max(MIN_AHEAD_BYTES, (this.planBps * AHEAD_MS) / 8000);
		const kept: Sending[] = [];
		let stuck = false;
		for (const sending of this.#queue) {
			if (nowMs - sending.queuedAtMs > STALE_SEND_MS || isQuiet(sending.to, nowMs)) {
				this.#leave(sending);
				this.droppedBlocks++;
				continue;
			}
			const full = aheadBytes >= mostAheadBytes || this.#creditBytes <= 0;
			if (full || sending.to.link.bufferedBytes >= LINK_AHEAD_BYTES) {
				// One slow receiver says nothing about the uplink; a full uplink does.
				if (full) stuck = true;
				kept.push(sending);
				continue;
			}
			this.#leave(sending);
			const bytes = this.#transmit(sending);
			aheadBytes += bytes;
			this.#creditBytes -= bytes;
			this.sentBytes += bytes;
			this.#busyBytes += bytes;
		}
		this.#queue = kept;
		this.#measure(nowMs, stuck);
	}

	/** A buffer that doesn't move belongs to a peer that is gone, and mustn't be taken for a full uplink. */
	#isStuck({ link, buffer }: Neighbour, nowMs: number): boolean {
		const { bufferedBytes } = link;
		if (bufferedBytes === 0) {
			buffer.bytes = 0;
			return false;
		}
		// A buffer that was empty when last looked at has had no time to get stuck.
		if (bufferedBytes < buffer.bytes || buffer.bytes === 0) buffer.movedAtMs = nowMs;
		buffer.bytes = bufferedBytes;
		return nowMs - buffer.movedAtMs > STUCK_MS;
	}

	#leave(sending: Sending): void {
		if (sending.asked) sending.to.queuedBlocks--;
	}

	#refill(nowMs: number): void {
		if (this.#capBps === Infinity) {
			this.#creditBytes = Infinity;
			return;
		}
		const earned = ((nowMs - this.#creditAtMs) * this.#capBps) / 8000;
		// A burst of a twentieth of a second, or one block, may go at once.
		const most = Math.max(16 * 1024, this.#capBps / 160);
		const held = Number.isFinite(this.#creditBytes) ? this.#creditBytes : 0;
		this.#creditBytes = this.#capBps === 0 ? 0 : Math.min(most, held + earned);
		this.#creditAtMs = nowMs;
	}

	/** To be called now and then: an uplink that is used and never full may be larger than it was taken for. */
	grow(nowMs: number): void {
		const elapsedMs = nowMs - this.#grewAtMs;
		if (elapsedMs < 500) return;
		const usedBps = ((this.sentBytes - this.#sentAtGrowth) * 8000) / elapsedMs;
		if (!this.#fullSinceGrowth && usedBps > MOST_USED * this.#estimateBps) {
			const grown = this.#estimateBps * GROWTH ** (Math.min(elapsedMs, 1000) / 1000);
			this.#estimateBps = Math.min(MAX_ESTIMATE_BPS, grown);
		}
		this.#grewAtMs = nowMs;
		this.#sentAtGrowth = this.sentBytes;
		this.#fullSinceGrowth = false;
	}

	/** While blocks wait the uplink is full, and what leaves it in that time is its rate. */
	#measure(nowMs: number, full: boolean): void {
		const unseenMs = nowMs - this.#lookedAtMs;
		this.#lookedAtMs = nowMs;
		if (unseenMs > MOST_UNSEEN_MS) this.#busySinceMs = undefined;
		if (this.#busySinceMs === undefined) {
			if (!full) return;
			this.#fullSinceGrowth = true;
			this.#busySinceMs = nowMs;
			this.#busyBytes = 0;
			return;
		}
		const elapsedMs = nowMs - this.#busySinceMs;
		if (full && elapsedMs < MEASURE_MS) return;
		this.#busySinceMs = full ? nowMs : undefined;
		const bytes = this.#busyBytes;
		this.#busyBytes = 0;
		// A window in which nothing moved tells of a dead link.
		if (elapsedMs < 1 || bytes === 0) return;
		if (bytes < MIN_MEASURED_BYTES && elapsedMs < MEASURE_MS) return;
		const bps = (bytes * 8000) / elapsedMs;
		this.#estimateBps += (bps - this.#estimateBps) * (this.#measured ? 0.3 : 1);
		this.#measured = true;
	}
}
