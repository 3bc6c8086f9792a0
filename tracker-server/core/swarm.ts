import { RandomSet } from './random-set.ts';
import { wireOfId } from './wire-text.ts';

/** What a swarm needs of its peers. */
export interface SwarmMember {
	readonly peerId: string;
	complete: boolean;
	starving: boolean;
}

/** The peers of one torrent on this node. */
export class MemberSwarm<Member extends SwarmMember> {
	readonly infoHash: string;
	readonly infoHashJson: string;
	readonly peers = new RandomSet<Member>();
	/** Peers that say they get too little: served first. */
	readonly starving = new RandomSet<Member>();
	/** Sources and relays the operator has signed for. */
	readonly helpers = new RandomSet<Member>();
	readonly #byId = new Map<string, Member>();
	readonly #byRegion = new Map<string, RandomSet<Member>>();
	complete = 0;
	downloaded = 0;

	constructor(infoHash: string) {
		this.infoHash = infoHash;
		this.infoHashJson = wireOfId(infoHash);
	}

	get size(): number {
		return this.peers.size;
	}

	get incomplete(): number {
		return this.peers.size - this.complete;
	}

	get(peerId: string): Member | undefined {
		return this.#byId.get(peerId);
	}

	/** Peers of one region label, where regions are known. */
	near(region: string): RandomSet<Member> | undefined {
		return region === '' ? undefined : this.#byRegion.get(region);
	}

	add(peer: Member, region: string): void {
		this.peers.add(peer);
		this.#byId.set(peer.peerId, peer);
		if (region === '') return;
		const near = this.#byRegion.get(region) ?? new RandomSet<Member>();
		near.add(peer);
		this.#byRegion.set(region, near);
	}

	delete(peer: Member, region: string): void {
		if (!this.peers.delete(peer)) return;
		this.#byId.delete(peer.peerId);
		this.starving.delete(peer);
		this.helpers.delete(peer);
		if (peer.complete) this.complete -= 1;
		const near = this.near(region);
		if (near?.delete(peer) && near.size === 0) this.#byRegion.delete(region);
	}

	setComplete(peer: Member, complete: boolean): void {
		if (peer.complete === complete) return;
		peer.complete = complete;
		this.complete += complete ? 1 : -1;
	}

	setStarving(peer: Member, starving: boolean): void {
		peer.starving = starving;
		if (starving) this.starving.add(peer);
		else this.starving.delete(peer);
	}
}
