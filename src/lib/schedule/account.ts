import { settle } from './neighbour.ts';
import type { Roster } from './roster.ts';
import type { Uplink } from './uplink.ts';

/** Period in which rates are folded. */
const SETTLE_MS = 500;
/** How much one period, or one segment, counts in a rate. */
const SENT_WEIGHT = 0.3;
const STREAM_WEIGHT = 0.1;

/** Rates of this peer: the stream's as manifests tell it, what is sent, and each neighbour's. */
export class Account {
	readonly #roster: Roster;
	readonly #uplink: Uplink;
	#settledAtMs = 0;
	#settledBytes = 0;
	#sentKbps = 0;
	#streamBps = 0;

	constructor(roster: Roster, uplink: Uplink) {
		this.#roster = roster;
		this.#uplink = uplink;
	}

	/** The stream's rate, bits per second; 0 when unknown. */
	get streamBps(): number {
		return this.#streamBps;
	}

	/** Kilobits per second that could be sent beyond what is sent and the `promisedKbps`. */
	spareKbps(promisedKbps: number): number {
		if (!this.#uplink.open) return 0;
		return Math.max(0, this.uplinkKbps - Math.max(promisedKbps, this.#sentKbps));
	}

	/** Kilobits per second that can be sent in all; 0 when nothing is shared. */
	get uplinkKbps(): number {
		return this.#uplink.open ? this.#uplink.planBps / 1000 : 0;
	}

	/** A segment's manifest came. */
	noteSegment(bytes: number, durationMs: number): void {
		if (durationMs <= 0) return;
		const bps = (bytes * 8000) / durationMs;
		if (this.#streamBps === 0) this.#streamBps = bps;
		else this.#streamBps += (bps - this.#streamBps) * STREAM_WEIGHT;
	}

	/** Folds what came and went since the last time into rates; gives whether it was due. */
	settle(nowMs: number): boolean {
		const elapsedMs = nowMs - this.#settledAtMs;
		if (elapsedMs < SETTLE_MS) return false;
		this.#uplink.grow(nowMs);
		const sentKbps = ((this.#uplink.sentBytes - this.#settledBytes) * 8) / elapsedMs;
		this.#sentKbps += (sentKbps - this.#sentKbps) * SENT_WEIGHT;
		this.#settledBytes = this.#uplink.sentBytes;
		for (const { bytesIn, bytesOut } of this.#roster.all) {
			settle(bytesIn, elapsedMs);
			settle(bytesOut, elapsedMs);
		}
		this.#settledAtMs = nowMs;
		return true;
	}
}
