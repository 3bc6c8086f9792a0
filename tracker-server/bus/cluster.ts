import type { Abroad } from '../core/abroad.ts';
import type { Offer } from '../core/message.ts';
import type { RemotePeer } from '../core/offer-ledger.ts';
import type { Peer } from '../core/peer.ts';
import type { SwarmCounts } from '../core/reply.ts';
import type { Swarm } from '../core/peer.ts';
import { Histogram, count } from '../core/tally.ts';
import type { Tracker } from '../core/tracker.ts';
import type { UpgradeGate } from '../socket/upgrade-gate.ts';
import type { Bus } from './bus.ts';
import { HeartbeatDirectory } from './directory.ts';
import type { SwarmEntry } from './directory.ts';
import { parseNodeMessage } from './node-message.ts';
import type { NodeMessage } from './node-message.ts';

export interface ClusterOptions {
	/** Name of this node, unique in the cluster. */
	readonly node: string;
	readonly bus: Bus;
	readonly tracker: Tracker;
	readonly gate: UpgradeGate;
	/** Connections of one address from which the other nodes are told of it. */
	readonly crowdedFrom: number;
	readonly random: () => number;
	readonly now: () => number;
}

/** Time between heartbeats. */
export const beatMs = 2_000;
/** Without its own heartbeat back for this long, a node takes the bus for dead. */
const echoMs = 3 * beatMs;
const beatChannel = 'shoal:nodes';
/** Characters of offers or swarms packed into one message. */
const mostPackedChars = 16 * 1024;
const mostCrowded = 200;
/** In a larger node, unchanged swarms are reported in turns. */
const reportTurns = 5;
const reportAllUpTo = 500;
/** Share of a peer's offers that crosses to other nodes, so that the islands stay one graph. */
const leastShare = 0.2;
const mostShare = 0.4;
const mostRemotePeers = 50_000;

interface Known {
	readonly peer: RemotePeer;
	seenMs: number;
}

/**
 * One tracker out of several. Each node holds only its own sockets and serves its peers from its
 * own; a bounded share of offers crosses over, and answers find their way back. Without the bus
 * every node goes on alone.
 */
export class Cluster implements Abroad {
	readonly latency = new Histogram([0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1]);
	readonly messages: Record<string, number> = {};
	readonly #options: ClusterOptions;
	readonly #directory = new HeartbeatDirectory();
	readonly #remotePeers = new Map<string, Known>();
	/** Connections by address on each other node. */
	readonly #crowds = new Map<string, ReadonlyMap<string, number>>();
	/** What the others were last told of each swarm. */
	#reported = new Map<string, string>();
	readonly #timer: NodeJS.Timeout;
	#echoedMs: number;
	#beats = 0;
	#closing: Promise<void> | undefined;

	constructor(options: ClusterOptions) {
		const { bus, node, tracker, gate, now } = options;
		this.#options = options;
		this.#echoedMs = now();
		tracker.abroad = this;
		gate.elsewhere = (addressKey) => this.#elsewhere(addressKey);
		bus.subscribe(channelOf(node), (text) => this.#hear(text));
		bus.subscribe(beatChannel, (text) => this.#hear(text));
		this.#timer = setInterval(() => this.#beat(), beatMs);
		this.#beat();
	}

	get up(): boolean {
		const { bus, now } = this.#options;
		return bus.up && now() - this.#echoedMs < echoMs;
	}

	get dropped(): number {
		return this.#options.bus.dropped;
	}

	/** Names of the other nodes heard of lately. */
	get others(): string[] {
		return this.#directory.nodes(this.#options.now());
	}

	counts(infoHash: string): SwarmCounts {
		return this.#directory.counts(infoHash, this.#options.now());
	}

	share(swarm: Swarm, offers: number): number {
		const { complete, incomplete } = this.counts(swarm.infoHash);
		const there = complete + incomplete;
		if (there === 0) return 0;
		const fair = there / (there + swarm.size);
		const part = Math.min(mostShare, Math.max(leastShare, fair));
		return Math.floor(offers * part + this.#options.random());
	}

	relay(peer: Peer, offers: readonly Offer[], nowMs: number): string | undefined {
		const { infoHash } = peer.swarm;
		const node = this.#directory.pick(infoHash, this.#options.random(), nowMs);
		if (node === undefined) return undefined;
		const packs = packed(offers, ({ sdpJson }) => sdpJson.length * 1.1 + 80);
		const sent = packs.filter((pack) =>
			this.#say(channelOf(node), 'offer', {
				type: 'offers',
				node: this.#options.node,
				infoHash,
				peerId: peer.peerId,
				offers: pack,
			}),
		);
		return sent.length > 0 ? node : undefined;
	}

	answer(
		to: RemotePeer,
		infoHash: string,
		fromPeerId: string,
		offerId: string,
		sdpJson: string,
	): void {
		this.#say(channelOf(to.node), 'answer', {
			type: 'answer',
			node: this.#options.node,
			infoHash,
			peerId: fromPeerId,
			toPeerId: to.peerId,
			offerId,
			sdpJson,
		});
	}

	/** Tells the other nodes of a ban. */
	ban(): void {
		this.#beat();
	}

	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		const { bus, node, tracker, gate } = this.#options;
		clearInterval(this.#timer);
		tracker.abroad = undefined;
		gate.elsewhere = undefined;
		this.#say(beatChannel, 'beat', { type: 'bye', node });
		await bus.close();
	}

	#say(channel: string, urgency: 'offer' | 'answer' | 'beat', message: NodeMessage): boolean {
		const isSent = this.#options.bus.publish(channel, JSON.stringify(message), urgency);
		if (isSent) count(this.messages, `${message.type}_out`);
		return isSent;
	}

	#hear(text: string): void {
		const { tracker, node, now } = this.#options;
		const nowMs = now();
		const message = parseNodeMessage(text, tracker.limits);
		if (!message) return count(this.messages, 'malformed');
		if (message.node === node) return this.#onEcho(message, nowMs);
		count(this.messages, `${message.type}_in`);
		switch (message.type) {
			case 'beat':
				return this.#onBeat(message, nowMs);
			case 'bye':
				this.#crowds.delete(message.node);
				return this.#directory.forget(message.node);
			case 'offers': {
				const from = this.#remotePeer(message.node, message.peerId, nowMs);
				tracker.receiveRemoteOffers(message.infoHash, from, message.offers, nowMs);
				return;
			}
			case 'answer':
				tracker.receiveRemoteAnswer(message, message.node, nowMs);
		}
	}

	#onEcho(message: NodeMessage, nowMs: number): void {
		if (message.type !== 'beat') return;
		this.#echoedMs = nowMs;
		this.latency.observe(Math.max(0, nowMs - message.atMs) / 1000);
	}

	#onBeat(message: Extract<NodeMessage, { type: 'beat' }>, nowMs: number): void {
		const { gate } = this.#options;
		this.#directory.report(message.node, message.swarms, nowMs);
		if (message.crowded) this.#crowds.set(message.node, new Map(message.crowded));
		for (const [addressKey, leftMs] of message.bans) {
			if (!gate.isBanned(addressKey, nowMs)) gate.ban(addressKey, nowMs + leftMs);
		}
	}

	#beat(): void {
		const { gate, node, now, tracker, crowdedFrom } = this.#options;
		const nowMs = now();
		this.#beats += 1;
		const crowded = [...gate.crowded(crowdedFrom)].slice(0, mostCrowded);
		const bans = [...gate.bans(nowMs)].slice(0, mostCrowded);
		const parts = packed(this.#report(), () => 90);
		for (const [i, swarms] of (parts.length > 0 ? parts : [[]]).entries()) {
			const first = i === 0;
			this.#say(beatChannel, 'beat', {
				type: 'beat',
				node,
				atMs: nowMs,
				swarms,
				crowded: first ? crowded : undefined,
				bans: first ? bans : [],
			});
		}
		this.#directory.sweep(nowMs);
		const live = new Set(this.#directory.nodes(nowMs));
		for (const name of this.#crowds.keys()) if (!live.has(name)) this.#crowds.delete(name);
		for (const [key, { seenMs }] of this.#remotePeers) {
			if (nowMs - seenMs > tracker.limits.offerTtlMs) this.#remotePeers.delete(key);
		}
	}

	/** Swarms to speak of in this beat: all where they are few, else what changed and one part in turn. */
	#report(): SwarmEntry[] {
		const { swarms } = this.#options.tracker;
		const all = swarms.size <= reportAllUpTo;
		const entries: SwarmEntry[] = [];
		const reported = new Map<string, string>();
		let place = 0;
		for (const { infoHash, complete, incomplete, downloaded } of swarms.values()) {
			const counts = `${complete}/${incomplete}`;
			reported.set(infoHash, counts);
			const isTurn = place++ % reportTurns === this.#beats % reportTurns;
			if (all || isTurn || this.#reported.get(infoHash) !== counts) {
				entries.push([infoHash, complete, incomplete, downloaded]);
			}
		}
		for (const infoHash of this.#reported.keys()) {
			if (!reported.has(infoHash)) entries.push([infoHash, 0, 0, 0]);
		}
		this.#reported = reported;
		return entries;
	}

	#elsewhere(addressKey: string): number {
		let sum = 0;
		for (const crowd of this.#crowds.values()) sum += crowd.get(addressKey) ?? 0;
		return sum;
	}

	/** One object per remote peer, so that its earlier offers are recognised as its own. */
	#remotePeer(node: string, peerId: string, nowMs: number): RemotePeer {
		const key = `${node}/${peerId}`;
		const known = this.#remotePeers.get(key);
		if (known) {
			known.seenMs = nowMs;
			return known.peer;
		}
		const peer: RemotePeer = { node, peerId, gone: false };
		if (this.#remotePeers.size < mostRemotePeers)
			this.#remotePeers.set(key, { peer, seenMs: nowMs });
		return peer;
	}
}

function channelOf(node: string): string {
	return `shoal:node:${node}`;
}

/** Splits a list so that each part stays within the size of one message. */
function packed<T>(items: readonly T[], charsOf: (item: T) => number): T[][] {
	const parts: T[][] = [];
	let room = 0;
	for (const item of items) {
		const chars = charsOf(item);
		if (parts.length === 0 || room < chars) {
			parts.push([]);
			room = mostPackedChars;
		}
		parts.at(-1)?.push(item);
		room -= chars;
	}
	return parts;
}
