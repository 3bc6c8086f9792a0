import type { SwarmCounts } from '../core/reply.ts';

/** A node's peers of one swarm. */
export type SwarmEntry = readonly [
	infoHash: string,
	complete: number,
	incomplete: number,
	downloaded: number,
];

/** Which other nodes have peers of a swarm, as far as their last reports go. */
export interface Directory {
	/** Takes in what a node reports; entries of no peers are forgotten. */
	report(node: string, entries: readonly SwarmEntry[], nowMs: number): void;
	/** A node that said goodbye. */
	forget(node: string): void;
	/** Peers of a swarm on all other nodes. */
	counts(infoHash: string, nowMs: number): SwarmCounts;
	/** A node with peers of a swarm, likelier the more it has; `random` is in [0, 1). */
	pick(infoHash: string, random: number, nowMs: number): string | undefined;
	/** Nodes heard of lately. */
	nodes(nowMs: number): string[];
}

/** A node silent for this long is taken for dead. */
export const nodeTtlMs = 10_000;
/** An entry not repeated for this long is taken for gone. */
const entryTtlMs = 20_000;
/** Swarms remembered of all nodes; more are not taken in. */
const mostEntries = 200_000;
const mostNodes = 256;

interface Entry {
	readonly complete: number;
	readonly incomplete: number;
	readonly downloaded: number;
	readonly atMs: number;
}

/** A directory fed by the heartbeats that nodes send one another. */
export class HeartbeatDirectory implements Directory {
	readonly #heardMs = new Map<string, number>();
	readonly #swarms = new Map<string, Map<string, Entry>>();
	#entries = 0;

	report(node: string, entries: readonly SwarmEntry[], nowMs: number): void {
		if (!this.#heardMs.has(node) && this.#heardMs.size >= mostNodes) return;
		this.#heardMs.set(node, nowMs);
		for (const [infoHash, complete, incomplete, downloaded] of entries) {
			if (complete + incomplete <= 0) this.#delete(infoHash, node);
			else this.#set(infoHash, node, { complete, incomplete, downloaded, atMs: nowMs });
		}
	}

	forget(node: string): void {
		this.#heardMs.delete(node);
		for (const infoHash of [...this.#swarms.keys()]) this.#delete(infoHash, node);
	}

	counts(infoHash: string, nowMs: number): SwarmCounts {
		const sum = { complete: 0, incomplete: 0, downloaded: 0 };
		for (const [, entry] of this.#live(infoHash, nowMs)) {
			sum.complete += entry.complete;
			sum.incomplete += entry.incomplete;
			sum.downloaded += entry.downloaded;
		}
		return sum;
	}

	pick(infoHash: string, random: number, nowMs: number): string | undefined {
		const { complete, incomplete } = this.counts(infoHash, nowMs);
		let rest = random * (complete + incomplete);
		for (const [node, entry] of this.#live(infoHash, nowMs)) {
			rest -= entry.complete + entry.incomplete;
			if (rest < 0) return node;
		}
		return undefined;
	}

	nodes(nowMs: number): string[] {
		const live: string[] = [];
		for (const [node, heardMs] of this.#heardMs) if (nowMs - heardMs < nodeTtlMs) live.push(node);
		return live;
	}

	/** Forgets nodes and entries that have gone quiet. */
	sweep(nowMs: number): void {
		for (const [node, heardMs] of this.#heardMs) {
			if (nowMs - heardMs >= nodeTtlMs) this.forget(node);
		}
		for (const [infoHash, nodes] of this.#swarms) {
			for (const [node, { atMs }] of nodes) {
				if (nowMs - atMs >= entryTtlMs) this.#delete(infoHash, node);
			}
		}
	}

	*#live(infoHash: string, nowMs: number): Iterable<readonly [string, Entry]> {
		for (const pair of this.#swarms.get(infoHash) ?? []) {
			const heardMs = this.#heardMs.get(pair[0]) ?? -Infinity;
			if (nowMs - heardMs < nodeTtlMs && nowMs - pair[1].atMs < entryTtlMs) yield pair;
		}
	}

	#set(infoHash: string, node: string, entry: Entry): void {
		const nodes = this.#swarms.get(infoHash) ?? new Map<string, Entry>();
		if (!nodes.has(node)) {
			if (this.#entries >= mostEntries) return;
			this.#entries += 1;
		}
		nodes.set(node, entry);
		this.#swarms.set(infoHash, nodes);
	}

	#delete(infoHash: string, node: string): void {
		const nodes = this.#swarms.get(infoHash);
		if (!nodes?.delete(node)) return;
		this.#entries -= 1;
		if (nodes.size === 0) this.#swarms.delete(infoHash);
	}
}
