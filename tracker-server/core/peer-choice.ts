import type { Limits } from './limits.ts';
import type { Offerer } from './offer-ledger.ts';
import type { Peer } from './peer.ts';
import type { RandomSet } from './random-set.ts';
import type { Swarm } from './peer.ts';
import type { OfferResult } from './tally.ts';

/** Who asks for peers, and what is known of it. */
export interface Asker {
	/** The peer itself, or the remote peer another node asks for. */
	readonly self: Offerer;
	/** Set for a peer of this node. */
	readonly peer: Peer | undefined;
	readonly region: string;
	/** Whether it speaks of hops and slots: only then is it steered. */
	readonly steered: boolean;
	readonly starving: boolean;
}

export interface ChoiceTools {
	readonly limits: Limits;
	readonly nowMs: number;
	/** Uniform in [0, 1). */
	readonly random: () => number;
}

export interface Choice {
	readonly peers: readonly Peer[];
	/** Why fewer than asked were found. */
	readonly shortfall: OfferResult;
}

type Slot = 'upstream' | 'random' | 'near' | 'starving' | 'helper';

/** Candidates compared for one upstream slot. */
const upstreamSample = 8;
/** Swarm size above which a near slot is worth it: below, random peers are as good. */
const nearFrom = 50;
/** The first joiners meet a source or a relay. */
const firstJoiners = 16;
const subnetShare = 2;

/**
 * The peers that get an asker's offers. Of five for a client that reports hops: two upstream (best
 * of eight), two truly random, one near; a client that reports nothing gets random ones. Random
 * picks keep the graph one piece and cap what a liar can gain. Costs the same in any size of swarm.
 */
export function choosePeers(swarm: Swarm, asker: Asker, count: number, tools: ChoiceTools): Choice {
	return new Chooser(swarm, asker, count, tools).run();
}

class Chooser {
	readonly #swarm: Swarm;
	readonly #asker: Asker;
	readonly #count: number;
	readonly #tools: ChoiceTools;
	readonly #pairSinceMs: number;
	readonly #chosen: Peer[] = [];
	/** As good as any random pick: those that lost an upstream slot. */
	readonly #reserve: Peer[] = [];
	/** Allowed, but better ones are looked for first. */
	readonly #spare: Peer[] = [];
	readonly #drawn = new Set<Peer>();
	/** A small swarm is gone through whole; a large one is drawn from. */
	readonly #order: Peer[] | undefined;
	#tries: number;
	#shortfall: OfferResult = 'no_peer';

	constructor(swarm: Swarm, asker: Asker, count: number, tools: ChoiceTools) {
		const { limits, nowMs } = tools;
		const small = swarm.size <= limits.smallSwarm;
		this.#swarm = swarm;
		this.#asker = asker;
		this.#count = count;
		this.#tools = tools;
		this.#pairSinceMs = nowMs - (small ? limits.pairGapSmallMs : limits.pairGapMs);
		this.#order = small ? swarm.peers.items.slice() : undefined;
		this.#tries = small ? swarm.size : 8 * count + upstreamSample;
	}

	run(): Choice {
		for (let i = 0; i < this.#count; i++) {
			const peer = this.#fill(this.#slot(i)) ?? this.#nextRandom();
			if (!peer) break;
			this.#chosen.push(peer);
		}
		while (this.#chosen.length < this.#count) {
			const peer = this.#reserve.pop() ?? this.#spare.shift();
			if (!peer) break;
			this.#chosen.push(peer);
		}
		return { peers: this.#chosen, shortfall: this.#shortfall };
	}

	#slot(index: number): Slot {
		const { steered, starving } = this.#asker;
		const place = index % 5;
		if (place === 0) {
			const needsHelp = starving || this.#swarm.size <= firstJoiners;
			if (needsHelp && this.#swarm.helpers.size > 0) return 'helper';
			return steered ? 'upstream' : 'random';
		}
		if (place === 1 && steered && !starving && this.#swarm.starving.size > 0) return 'starving';
		if (place === 2) return steered ? 'upstream' : 'random';
		if (place === 4 && this.#swarm.size > nearFrom) return 'near';
		return 'random';
	}

	#fill(slot: Slot): Peer | undefined {
		switch (slot) {
			case 'upstream':
				return this.#bestUpstream();
			case 'near':
				return this.#fromSet(this.#swarm.near(this.#asker.region));
			case 'starving':
				return this.#fromSet(this.#swarm.starving);
			case 'helper':
				return this.#fromSet(this.#swarm.helpers);
			case 'random':
				return this.#nextRandom();
		}
	}

	#nextRandom(): Peer | undefined {
		for (let peer = this.#draw(); peer; peer = this.#draw()) {
			if (!this.#isAllowed(peer)) continue;
			if (this.#isPreferred(peer)) return peer;
			this.#spare.push(peer);
		}
		return undefined;
	}

	/** The nearest to the source of eight that have a free slot; the other seven stay in reserve. */
	#bestUpstream(): Peer | undefined {
		let best: Peer | undefined;
		for (let i = 0; i < upstreamSample; i++) {
			const peer = this.#nextRandom();
			if (!peer) break;
			if (peer.hop === undefined || !isUpstreamOf(peer, best)) {
				this.#reserve.push(peer);
				continue;
			}
			if (best) this.#reserve.push(best);
			best = peer;
		}
		return best;
	}

	#fromSet(set: RandomSet<Peer> | undefined): Peer | undefined {
		if (!set) return undefined;
		for (let i = Math.min(upstreamSample, 2 * set.size); i > 0; i--) {
			const peer = set.pick(this.#tools.random());
			if (!peer || this.#drawn.has(peer)) continue;
			this.#drawn.add(peer);
			if (this.#isAllowed(peer)) return peer;
		}
		return undefined;
	}

	/** A peer not seen before in this choice. */
	#draw(): Peer | undefined {
		const { random } = this.#tools;
		while (this.#tries > 0) {
			this.#tries -= 1;
			const peer = this.#order
				? takeRandom(this.#order, random())
				: this.#swarm.peers.pick(random());
			if (!peer || this.#drawn.has(peer)) continue;
			this.#drawn.add(peer);
			return peer;
		}
		return undefined;
	}

	/** What must hold: never itself, never a pair twice, never past the receiver's budgets. */
	#isAllowed(peer: Peer): boolean {
		const { connection } = peer;
		const { limits, nowMs } = this.#tools;
		const own = this.#asker.peer;
		if (!connection || peer === own) return false;
		if (own && connection === own.connection) return false;
		if (peer.peerId === this.#asker.self.peerId) return false;
		if (connection.link.queuedBytes > limits.softQueueBytes) return this.#refuse('slow');
		peer.inbound.refill(limits.inboundOffersPerSecond, limits.inboundOfferBurst, nowMs);
		if (peer.inbound.tokens < 1) return this.#refuse('budget');
		if (peer.ledger.hasFrom(this.#asker.self, this.#pairSinceMs)) return this.#refuse('duplicate');
		if (own?.ledger.hasFrom(peer, this.#pairSinceMs)) return this.#refuse('duplicate');
		return true;
	}

	/** What is better: settled, answering, willing to upload, and not all of one network. */
	#isPreferred(peer: Peer): boolean {
		const { limits, nowMs } = this.#tools;
		if (peer.slots === 0 || peer.unanswered >= limits.deafAfter) return false;
		if (nowMs - peer.joinedMs < limits.settleMs) return false;
		const subnet = peer.connection?.origin.subnet;
		if (!subnet) return true;
		let same = 0;
		for (const other of this.#chosen) if (other.connection?.origin.subnet === subnet) same++;
		return same < subnetShare;
	}

	#refuse(why: OfferResult): false {
		this.#shortfall = why;
		return false;
	}
}

function isUpstreamOf(peer: Peer, best: Peer | undefined): boolean {
	if (!best) return true;
	const hop = peer.hop ?? Infinity;
	const bestHop = best.hop ?? Infinity;
	if (hop !== bestHop) return hop < bestHop;
	const [slots, bestSlots] = [peer.slots ?? 0, best.slots ?? 0];
	if (slots !== bestSlots) return slots > bestSlots;
	return (peer.uploadKbps ?? 0) > (best.uploadKbps ?? 0);
}

function takeRandom<T>(items: T[], random: number): T | undefined {
	const place = Math.floor(random * items.length);
	const last = items.pop();
	if (place === items.length) return last;
	const taken = items[place];
	items[place] = last as T;
	return taken;
}
