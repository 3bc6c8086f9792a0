import type { Link } from '../model/link.ts';
import { NO_DEPTH, SUBSTREAMS, type PeerRole } from '../model/message.ts';
import { PROBE_MS, QUIET_MS, QUIET_TOGETHER_MS, TICK_MS, UNHEARD_MS } from './bounds.ts';

/** Slots for neighbours; each has a bit in the holders of every piece. */
export const SLOTS = 32;

/** What is known of one neighbour. The scheduler alone writes it. */
export interface Neighbour {
	readonly link: Link;
	/** Its bit in every piece's holders. */
	readonly slot: number;
	readonly sinceMs: number;
	/** From its hello; `undefined` until then. */
	role: PeerRole | undefined;
	heardAtMs: number;
	/** Smoothed round trip; a guess until the first pong. */
	rttMs: number;
	/** Whether so many of our neighbours are silent at once that those who are count as gone sooner. */
	amongMany: boolean;
	pingNonce: number;
	pingSentAtMs: number;
	/** Its own account, clamped. */
	hop: number;
	uplinkKbps: number;
	/** Per substream, its depth if it could push it to us; see `PingMessage`. */
	depths: Uint8Array;
	spareKbps: number;
	behindMs: number | undefined;
	/** Per substream, how many hang on it. */
	branches: Uint8Array;
	/** Depths and branches it was last told, and when. */
	toldDepths: Uint8Array;
	toldBranches: Uint8Array;
	toldAtMs: number;
	/** Substreams we asked it to push. */
	asked: number;
	/** Substreams it said it pushes. */
	granted: number;
	/** Substreams that were ours until `graceUntilMs`. */
	former: number;
	graceUntilMs: number;
	/** The mask of its latest `subscribe`. */
	askedUs: number;
	/** Of these, what it may still get: a place that was taken away must be asked for anew. */
	wants: number;
	/** Substreams we push to it. */
	given: number;
	/** Per substream: smoothed time from knowing of a piece to its announcement or delivery by this neighbour; NaN unknown. */
	readonly lagMs: number[];
	/** Smoothed deviation of that time. */
	readonly lagSpreadMs: number[];
	/** Smoothed time from asking for a piece to having it. */
	serviceMs: number;
	/** It refused for want of room and isn't asked until then. */
	busyUntilMs: number;
	/** Pieces asked and not yet answered. */
	outstanding: number;
	/** Requests of its that we hold or have queued, blocks. */
	queuedBlocks: number;
	brokenPromises: number;
	/** Promises broken since it last delivered anything; unlike the count before, no snub forgives them. */
	failures: number;
	snubbedUntilMs: number;
	/** Whether any piece of its was found good yet. */
	proven: boolean;
	unsolicited: number;
	/** Blocks of late that brought nothing, and when the latest did; see `MAX_WASTED_BLOCKS`. */
	wastedBlocks: number;
	wastedAtMs: number;
	/** Share of the pieces we sent it first that others announced soon after; for the broadcaster's dealing. */
	spread: number;
	readonly bytesIn: Meter;
	readonly bytesOut: Meter;
	duplicateBytes: number;
	/** What its link had buffered when last looked at, and when that last shrank. */
	readonly buffer: { bytes: number; movedAtMs: number };
}

/** A running total and a rate smoothed over a few seconds. */
export interface Meter {
	total: number;
	/** Bytes a second. */
	rate: number;
	recent: number;
}

/** A meter at zero. */
export function newMeter(): Meter {
	return { total: 0, rate: 0, recent: 0 };
}

/** Counts bytes into a meter. */
export function count(meter: Meter, bytes: number): void {
	meter.total += bytes;
	meter.recent += bytes;
}

/** Folds what came since the last call into the rate. */
export function settle(meter: Meter, elapsedMs: number): void {
	const now = (meter.recent * 1000) / Math.max(1, elapsedMs);
	meter.rate += (now - meter.rate) * 0.3;
	meter.recent = 0;
}

/** A neighbour fresh from its handshake. */
export function newNeighbour(link: Link, slot: number, nowMs: number): Neighbour {
	return {
		link,
		slot,
		sinceMs: nowMs,
		role: undefined,
		heardAtMs: nowMs,
		rttMs: 100,
		amongMany: false,
		pingNonce: 0,
		pingSentAtMs: -1,
		hop: 255,
		uplinkKbps: 0,
		depths: new Uint8Array(SUBSTREAMS).fill(NO_DEPTH),
		branches: new Uint8Array(SUBSTREAMS),
		toldDepths: new Uint8Array(),
		toldBranches: new Uint8Array(SUBSTREAMS),
		toldAtMs: -Infinity,
		spareKbps: 0,
		behindMs: undefined,
		asked: 0,
		granted: 0,
		former: 0,
		graceUntilMs: 0,
		askedUs: 0,
		wants: 0,
		given: 0,
		lagSpreadMs: new Array<number>(SUBSTREAMS).fill(0),
		lagMs: new Array<number>(SUBSTREAMS).fill(NaN),
		serviceMs: NaN,
		busyUntilMs: 0,
		outstanding: 0,
		queuedBlocks: 0,
		brokenPromises: 0,
		failures: 0,
		snubbedUntilMs: 0,
		proven: false,
		unsolicited: 0,
		wastedBlocks: 0,
		wastedAtMs: nowMs,
		spread: 1,
		bytesIn: newMeter(),
		bytesOut: newMeter(),
		duplicateBytes: 0,
		buffer: { bytes: 0, movedAtMs: nowMs },
	};
}

/** Whether it may be asked for anything now. */
export function canBeAsked(neighbour: Neighbour, nowMs: number): boolean {
	return (
		neighbour.role !== undefined && nowMs >= neighbour.snubbedUntilMs && !isQuiet(neighbour, nowMs)
	);
}

/** Whether it was heard of lately. Whoever takes part in a live stream is heard several times a second. */
export function isHeard(neighbour: Neighbour, nowMs: number): boolean {
	const silentMs = nowMs - neighbour.heardAtMs;
	return silentMs < UNHEARD_MS + 2 * neighbour.rttMs && !isQuiet(neighbour, nowMs);
}

/** Whether nothing was heard of it, though it was pinged: it may be gone. */
export function isQuiet(neighbour: Neighbour, nowMs: number): boolean {
	return neighbour.amongMany ? owesAnswer(neighbour, nowMs) : isLongSilent(neighbour, nowMs);
}

/** Whether nothing was heard of it for so long that it counts as gone whatever the others do. */
export function isLongSilent({ heardAtMs, rttMs }: Neighbour, nowMs: number): boolean {
	return nowMs - heardAtMs > Math.max(QUIET_MS, UNHEARD_MS + 3 * rttMs);
}

/** Whether the answer to a probe should have come. */
export function owesAnswer({ heardAtMs, rttMs }: Neighbour, nowMs: number): boolean {
	return nowMs - heardAtMs > Math.max(QUIET_TOGETHER_MS, PROBE_MS + 2 * TICK_MS + rttMs);
}
