import type { Simulation } from './simulator.ts';

/** What came of a run, over the segments published in a span of it. Times in milliseconds. */
export interface SimReport {
	readonly viewers: number;
	readonly segments: number;
	/** From publishing to whole and verified at a viewer. */
	readonly p50Ms: number;
	readonly p95Ms: number;
	readonly p99Ms: number;
	/** Share of all segments of all honest viewers that came within the deadline. */
	readonly inTime: number;
	/** Bytes the broadcaster sent, over bytes of the stream. */
	readonly sourceCopies: number;
	/** Share of received payload that came twice. */
	readonly duplicates: number;
	/** Share of received payload that came from viewers. */
	readonly fromViewers: number;
	readonly unverified: number;
	readonly events: number;
}

/** Bytes that moved up to some moment; taken off a later report, so that it tells of its own span alone. */
export interface SimTotals {
	readonly fromViewers: number;
	readonly fromSource: number;
	readonly duplicates: number;
	readonly sourceSent: number;
	readonly published: number;
}

/** What moved so far. */
export function totals(sim: Simulation): SimTotals {
	let fromViewers = 0;
	let fromSource = 0;
	let duplicates = 0;
	for (const { peer } of honestViewers(sim)) {
		const { traffic } = peer;
		fromViewers += traffic.bytesFromViewers;
		fromSource += traffic.bytesFromBroadcaster;
		duplicates += traffic.duplicateBytes;
	}
	const sourceSent = sim.broadcaster.access.sentBytes;
	return { fromViewers, fromSource, duplicates, sourceSent, published: sim.published };
}

function honestViewers(sim: Simulation) {
	return sim.viewers.filter(({ role }) => isHonest(role));
}

/** Whether a role does what the protocol says; who only takes, or has little to give, does. */
export function isHonest(role: string): boolean {
	return HONEST.has(role);
}

const HONEST: ReadonlySet<string> = new Set(['normal', 'relay', 'slow', 'churner', 'free-rider']);
const NOTHING: SimTotals = {
	fromViewers: 0,
	fromSource: 0,
	duplicates: 0,
	sourceSent: 0,
	published: 0,
};

/** Sums up what honest viewers got of the segments published between two moments. */
export function report(
	sim: Simulation,
	fromMs: number,
	toMs: number,
	deadlineMs = 2000,
	since: SimTotals = NOTHING,
): SimReport {
	const delays: number[] = [];
	let due = 0;
	let inTime = 0;
	const honest = honestViewers(sim);
	for (const viewer of honest) {
		sim.publishedAtMs.forEach((publishedAtMs, sequence) => {
			if (publishedAtMs < fromMs || publishedAtMs >= toMs) return;
			// A viewer answers for what was published while it was there and had had time to join.
			if (publishedAtMs < viewer.joinedAtMs + 1500) return;
			if (publishedAtMs + deadlineMs > viewer.leftAtMs) return;
			due++;
			const atMs = viewer.received.get(sequence);
			if (atMs === undefined) return;
			delays.push(atMs - publishedAtMs);
			if (atMs - publishedAtMs <= deadlineMs) inTime++;
		});
	}
	delays.sort((a, b) => a - b);
	const at = (share: number) =>
		delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? NaN;
	const now = totals(sim);
	const fromViewers = now.fromViewers - since.fromViewers;
	const fromSource = now.fromSource - since.fromSource;
	const duplicates = now.duplicates - since.duplicates;
	const streamBytes = (now.published - since.published) * sim.media.segmentBytes.length;
	return {
		viewers: honest.length,
		segments: due,
		p50Ms: at(0.5),
		p95Ms: at(0.95),
		p99Ms: at(0.99),
		inTime: due === 0 ? NaN : inTime / due,
		sourceCopies: (now.sourceSent - since.sourceSent) / streamBytes,
		duplicates: duplicates / Math.max(1, fromViewers + fromSource + duplicates),
		fromViewers: fromViewers / Math.max(1, fromViewers + fromSource),
		unverified: sim.unverifiedSegments,
		events: sim.clock.events,
	};
}
