import {
	GIVE_UP_MS,
	MAX_LINKS,
	MAX_OUTSTANDING_PIECES,
	MAX_QUEUED_BLOCKS,
} from '../schedule/bounds.ts';
import { isHonest } from './sim-report.ts';
import type { Simulation } from './simulator.ts';

/** Blocks that may wait at one peer: every neighbour's requests, and pushes of the last second and a half. */
const MOST_WAITING = MAX_LINKS.broadcaster * MAX_QUEUED_BLOCKS + 1000;
/** A broken neighbour may still hold its slot while a new one shakes hands. */
const MOST_NEIGHBOURS = 32;

/**
 * What must hold in a swarm after every event, whatever its peers do: no unverified byte leaves a peer or comes out of it,
 * no viewer goes back in sequence, and every queue keeps to its bound.
 */
export class Invariants {
	readonly #sim: Simulation;
	readonly #newest = new Map<string, number>();

	constructor(sim: Simulation) {
		this.#sim = sim;
	}

	/** Throws when one is broken. */
	check(): void {
		const sim = this.#sim;
		if (sim.unverifiedSegments > 0) throw new Error('an unverified segment came out');
		if (sim.unverifiedBlocks > 0) throw new Error('an unverified block was sent');
		for (const { id, peer } of sim.alive) {
			const sequence = peer.newest?.sequence ?? -1;
			const before = this.#newest.get(id) ?? -1;
			if (sequence < before) throw new Error(`${id}: the sequence fell`);
			if (sequence > before) this.#newest.set(id, sequence);
			if (peer.queuedBlocks > MOST_WAITING) throw new Error(`${id}: a queue burst its bound`);
			if (peer.neighbours.length > MOST_NEIGHBOURS) throw new Error(`${id}: too many neighbours`);
			for (const { queuedBlocks, outstanding } of peer.neighbours) {
				if (queuedBlocks < 0 || queuedBlocks > MAX_QUEUED_BLOCKS)
					throw new Error(`${id}: ${queuedBlocks} blocks queued for a neighbour`);
				if (outstanding < 0 || outstanding > MAX_OUTSTANDING_PIECES)
					throw new Error(`${id}: ${outstanding} pieces asked of a neighbour`);
			}
		}
	}

	/**
	 * Throws when an honest viewer neither got nor gave up a segment by the time it must have; for the end of a run. Who is
	 * shunned for what it did may hear of segments late.
	 */
	checkAccounts(): void {
		const { clock, publishedAtMs, viewers } = this.#sim;
		const dueMs = clock.now() - GIVE_UP_MS - 1000;
		for (const { id, role, leftAtMs, firstSequence, received, lost } of viewers) {
			if (!isHonest(role) || leftAtMs !== Infinity || firstSequence === undefined) continue;
			for (let sequence = firstSequence; sequence < publishedAtMs.length; sequence++) {
				if ((publishedAtMs[sequence] ?? Infinity) > dueMs) break;
				if (received.has(sequence) || lost.has(sequence)) continue;
				throw new Error(`${id}: segment ${sequence} was neither played nor declared lost`);
			}
		}
	}
}
