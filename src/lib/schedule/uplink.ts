import { AHEAD_MS, LINK_AHEAD_BYTES, MIN_AHEAD_BYTES, STALE_SEND_MS } from './bounds.ts';
import type { Neighbour } from './neighbour.ts';

/** One block on its way to a neighbour. */
export interface Sending {
	readonly to: Neighbour;
	readonly index: number;
	readonly begin: number;
	readonly length: number;
	/** Whether the neighbour asked for this block rather than being pushed it. */
	readonly asked: boolean;
	readonly queuedAtMs: number;
}

/** Bits per second that an uplink is taken for until it was seen full. */
const ASSUMED_BPS = 8_000_000;
const MEASURE_MS = 250;

/**
 * What this peer sends, in order, no faster than its uplink: blocks wait here rather than in the network's buffers, so
 * that what became useless is dropped and what is urgent doesn't stand behind it. The uplink's rate is measured
 * whenever blocks wait.
 */
export class Uplink {
	readonly #transmit: (sending: Sending) => number;
	#queue: Sending[] = [];
	#capBps: number;
	#creditBytes = 0;
	#creditAtMs = 0;
	#measuredBps: number | undefined;
	#busySinceMs: number | undefined;
	#busyBytes = 0;
	sentBytes = 0;
	droppedBlocks = 0;

	/** `transmit` sends one block and gives its bytes, 0 when there is nothing to send any more. `capBps` 0 sends nothing. */
	constructor(transmit: (sending: Sending) => number, capBps = Infinity) {
		this.#transmit = transmit;
		this.#capBps = capBps;
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
		return this.#measuredBps;
	}

	/** Bits per second to plan with. */
	get planBps(): number {
		return Math.min(this.#capBps, this.#measuredBps ?? ASSUMED_BPS);
	}

	/** Blocks that wait. */
	get waiting(): number {
		return this.#queue.length;
	}

	/** How long the oldest waiting block has waited. */
	delayMs(nowMs: number): number {
		const oldest = this.#queue[0];
		return oldest ? nowMs - oldest.queuedAtMs : 0;
	}

	/** Queues a block. */
	push(sending: Sending): void {
		this.#queue.push(sending);
		if (sending.asked) sending.to.queuedBlocks++;
	}

	/** Takes waiting blocks back. */
	cancel(matches: (sending: Sending) => boolean): void {
		if (this.#queue.length === 0) return;
		this.#queue = this.#queue.filter((sending) => {
			if (!matches(sending)) return true;
			if (sending.asked) sending.to.queuedBlocks--;
			return false;
		});
	}

	/**
	 * Sends what may be sent now; to be called when something was queued, a link drained, or time passed.
	 * `neighbours` are all there are: what waits in their links' buffers counts as sent ahead.
	 */
	drain(nowMs: number, neighbours: Iterable<Neighbour>): void {
		if (this.#queue.length === 0) {
			this.#busySinceMs = undefined;
			return;
		}
		this.#refill(nowMs);
		let aheadBytes = 0;
		for (const { link } of neighbours) aheadBytes += link.bufferedBytes;
		const mostAheadBytes = Math.max(MIN_AHEAD_BYTES, (this.planBps * AHEAD_MS) / 8000);
		const kept: Sending[] = [];
		let stuck = false;
		for (const sending of this.#queue) {
			if (nowMs - sending.queuedAtMs > STALE_SEND_MS) {
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

	/** While blocks wait the uplink is full, and what leaves it in that time is its rate. */
	#measure(nowMs: number, full: boolean): void {
		if (!full) {
			this.#busySinceMs = undefined;
			return;
		}
		if (this.#busySinceMs === undefined) {
			this.#busySinceMs = nowMs;
			this.#busyBytes = 0;
			return;
		}
		const elapsedMs = nowMs - this.#busySinceMs;
		if (elapsedMs < MEASURE_MS) return;
		const bps = (this.#busyBytes * 8000) / elapsedMs;
		this.#measuredBps =
			this.#measuredBps === undefined ? bps : this.#measuredBps + (bps - this.#measuredBps) * 0.3;
		this.#busySinceMs = nowMs;
		this.#busyBytes = 0;
	}
}
