import type { Connection, Swarm } from './peer.ts';
import type { Limits } from './limits.ts';
import { Peer } from './peer.ts';
import { MemberSwarm } from './swarm.ts';

/** Why there is no room for a peer. */
export type NoRoom = 'swarms' | 'address' | 'full';

/** Who is in which swarm. A swarm without peers does not exist. */
export class Roster {
	readonly swarms = new Map<string, Swarm>();
	readonly #limits: Limits;
	readonly #peersByAddress = new Map<string, number>();
	#peers = 0;

	constructor(limits: Limits) {
		this.#limits = limits;
	}

	/** Peers in all swarms. */
	get peers(): number {
		return this.#peers;
	}

	/** Why one more peer of this connection does not fit, if it doesn't. */
	noRoom(connection: Connection, infoHash: string): NoRoom | undefined {
		const limits = this.#limits;
		if (connection.peers.length >= limits.swarmsPerConnection) return 'swarms';
		const ofAddress = this.#peersByAddress.get(connection.origin.addressKey) ?? 0;
		if (ofAddress >= limits.peersPerAddress) return 'address';
		const swarm = this.swarms.get(infoHash);
		const isFull = swarm ? swarm.size >= limits.peersPerSwarm : this.swarms.size >= limits.swarms;
		return isFull ? 'full' : undefined;
	}

	enter(connection: Connection, infoHash: string, peerId: string, nowMs: number): Peer {
		const { addressKey, region } = connection.origin;
		let swarm = this.swarms.get(infoHash);
		if (!swarm) {
			swarm = new MemberSwarm<Peer>(infoHash);
			this.swarms.set(infoHash, swarm);
		}
		const peer = new Peer(peerId, swarm, connection, this.#limits, nowMs);
		swarm.add(peer, region);
		connection.peers.push(peer);
		this.#peers += 1;
		this.#peersByAddress.set(addressKey, (this.#peersByAddress.get(addressKey) ?? 0) + 1);
		return peer;
	}

	/** The peer's connection is let go of at once: what still remembers the peer holds no socket. */
	leave(peer: Peer): void {
		const { connection, swarm } = peer;
		if (!connection) return;
		const { addressKey, region } = connection.origin;
		peer.connection = undefined;
		swarm.delete(peer, region);
		if (swarm.size === 0) this.swarms.delete(swarm.infoHash);
		const place = connection.peers.indexOf(peer);
		if (place >= 0) connection.peers.splice(place, 1);
		this.#peers -= 1;
		const left = (this.#peersByAddress.get(addressKey) ?? 1) - 1;
		if (left > 0) this.#peersByAddress.set(addressKey, left);
		else this.#peersByAddress.delete(addressKey);
	}
}
