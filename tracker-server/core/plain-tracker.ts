import type { Limits } from './limits.ts';
import type { PlainAnnounce } from './plain-query.ts';
import { RandomSet } from './random-set.ts';
import type { SwarmCounts } from './reply.ts';

/** A peer that can be reached by TCP or uTP, as it announced itself. */
export interface PlainPeer {
	readonly peerId: string;
	/** 4 or 16 bytes. */
	readonly address: readonly number[];
	readonly port: number;
	readonly addressKey: string;
	complete: boolean;
	announcedMs: number;
}

interface PlainSwarm {
	readonly peers: RandomSet<PlainPeer>;
	/** By address and port: a peer id is only a name. */
	readonly byPlace: Map<string, PlainPeer>;
	complete: number;
	downloaded: number;
}

/** What an announce is answered with. */
export interface PlainReply {
	readonly peers: readonly PlainPeer[];
	readonly counts: SwarmCounts;
	readonly intervalMs: number;
}

/** Why an announce was refused. */
export type PlainRefusal = 'address' | 'full';

/** Peers told when a client doesn't say how many it wants, and at most. */
const TOLD = 50;
const MOST_TOLD = 100;
/** Desktop clients ask every half an hour, and stay that long. */
const INTERVAL_MS = 30 * 60_000;
const NOBODY: SwarmCounts = { complete: 0, incomplete: 0, downloaded: 0 };

/**
 * The tracker for ordinary BitTorrent clients (BEP 3). Its peers know each other by address, so they are a world of their
 * own: who comes over a WebSocket is never among them, and nobody's address is told who didn't announce here. Pure.
 */
export class PlainTracker {
	readonly #limits: Pick<Limits, 'swarms' | 'peersPerSwarm' | 'peersPerAddress' | 'staleIntervals'>;
	readonly #random: () => number;
	readonly #swarms = new Map<string, PlainSwarm>();
	readonly #ofAddress = new Map<string, number>();
	#peers = 0;

	constructor(options: {
		limits: Pick<Limits, 'swarms' | 'peersPerSwarm' | 'peersPerAddress' | 'staleIntervals'>;
		/** Uniform in [0, 1). */
		random: () => number;
	}) {
		this.#limits = options.limits;
		this.#random = options.random;
	}

	/** Peers in all swarms. */
	get peerCount(): number {
		return this.#peers;
	}

	get swarmCount(): number {
		return this.#swarms.size;
	}

	/** Takes an announce from an address; gives other peers, or why not. */
	announce(
		message: PlainAnnounce,
		from: { readonly address: readonly number[]; readonly addressKey: string },
		nowMs: number,
	): PlainReply | PlainRefusal {
		const { infoHash, event } = message;
		const place = placeOf(from.address, message.port);
		const known = this.#swarms.get(infoHash)?.byPlace.get(place);
		if (event === 'stopped') {
			if (known) this.#leave(infoHash, known);
			return { peers: [], counts: this.counts(infoHash), intervalMs: INTERVAL_MS };
		}
		const refusal = known ? undefined : this.#noRoom(infoHash, from.addressKey);
		if (refusal) return refusal;
		const peer = known ?? this.#enter(infoHash, place, { ...message, ...from }, nowMs);
		peer.announcedMs = nowMs;
		const swarm = this.#swarms.get(infoHash);
		if (!swarm) return 'full';
		if (event === 'completed' && !peer.complete) swarm.downloaded++;
		setComplete(swarm, peer, message.complete || event === 'completed');
		return {
			peers: this.#choose(swarm, peer, Math.min(message.wanted ?? TOLD, MOST_TOLD)),
			counts: this.counts(infoHash),
			intervalMs: INTERVAL_MS * (0.9 + 0.2 * this.#random()),
		};
	}

	/** How many there are of a torrent's peers. */
	counts(infoHash: string): SwarmCounts {
		const swarm = this.#swarms.get(infoHash);
		if (!swarm) return NOBODY;
		const { complete, downloaded, peers } = swarm;
		return { complete, incomplete: peers.size - complete, downloaded };
	}

	/** Forgets peers that stopped announcing. Call now and then. */
	sweep(nowMs: number): void {
		const sinceMs = nowMs - this.#limits.staleIntervals * INTERVAL_MS;
		for (const [infoHash, { byPlace }] of this.#swarms) {
			for (const peer of byPlace.values()) {
				if (peer.announcedMs < sinceMs) this.#leave(infoHash, peer);
			}
		}
	}

	/** Others of the same family, at random; those who have everything are of no use to each other. */
	#choose({ byPlace, peers }: PlainSwarm, self: PlainPeer, wanted: number): PlainPeer[] {
		const found = new Set<PlainPeer>();
		// Drawn where there are many, looked through where there are few.
		const drawn = peers.size > 4 * wanted;
		const fits = (peer: PlainPeer) =>
			peer !== self &&
			peer.address.length === self.address.length &&
			!(peer.complete && self.complete);
		if (drawn) {
			for (let tries = 0; tries < 4 * wanted && found.size < wanted; tries++) {
				const peer = peers.pick(this.#random());
				if (peer && fits(peer)) found.add(peer);
			}
			return [...found];
		}
		const all = [...byPlace.values()].filter(fits);
		const start = Math.floor(this.#random() * all.length);
		return [...all.slice(start), ...all.slice(0, start)].slice(0, wanted);
	}

	#noRoom(infoHash: string, addressKey: string): PlainRefusal | undefined {
		const limits = this.#limits;
		if ((this.#ofAddress.get(addressKey) ?? 0) >= limits.peersPerAddress) return 'address';
		const swarm = this.#swarms.get(infoHash);
		const isFull = swarm
			? swarm.peers.size >= limits.peersPerSwarm
			: this.#swarms.size >= limits.swarms;
		return isFull ? 'full' : undefined;
	}

	#enter(
		infoHash: string,
		place: string,
		given: Pick<PlainPeer, 'peerId' | 'address' | 'port' | 'addressKey'>,
		nowMs: number,
	): PlainPeer {
		let swarm = this.#swarms.get(infoHash);
		if (!swarm) {
			swarm = { peers: new RandomSet(), byPlace: new Map(), complete: 0, downloaded: 0 };
			this.#swarms.set(infoHash, swarm);
		}
		const { peerId, address, port, addressKey } = given;
		const peer = { peerId, address, port, addressKey, complete: false, announcedMs: nowMs };
		swarm.peers.add(peer);
		swarm.byPlace.set(place, peer);
		this.#peers++;
		this.#ofAddress.set(addressKey, (this.#ofAddress.get(addressKey) ?? 0) + 1);
		return peer;
	}

	#leave(infoHash: string, peer: PlainPeer): void {
		const swarm = this.#swarms.get(infoHash);
		if (!swarm?.peers.delete(peer)) return;
		swarm.byPlace.delete(placeOf(peer.address, peer.port));
		setComplete(swarm, peer, false);
		if (swarm.peers.size === 0) this.#swarms.delete(infoHash);
		this.#peers--;
		const left = (this.#ofAddress.get(peer.addressKey) ?? 1) - 1;
		if (left > 0) this.#ofAddress.set(peer.addressKey, left);
		else this.#ofAddress.delete(peer.addressKey);
	}
}

function setComplete(swarm: PlainSwarm, peer: PlainPeer, complete: boolean): void {
	if (peer.complete === complete) return;
	peer.complete = complete;
	swarm.complete += complete ? 1 : -1;
}

function placeOf(address: readonly number[], port: number): string {
	return `${address.join('.')}:${port}`;
}
