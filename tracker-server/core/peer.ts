import type { MemberConnection, SignedRole } from './connection.ts';
import type { Limits } from './limits.ts';
import { OfferLedger } from './offer-ledger.ts';
import type { RemotePeer } from './offer-ledger.ts';
import type { MemberSwarm } from './swarm.ts';
import { TokenBucket } from './token-bucket.ts';
import { wireOfId } from './wire-text.ts';

/** A swarm of this node's peers. */
export type Swarm = MemberSwarm<Peer>;
/** A connection and the peers that came over it. */
export type Connection = MemberConnection<Peer>;

/** One connection's membership in one swarm. */
export class Peer {
	readonly peerId: string;
	readonly peerIdJson: string;
	readonly swarm: Swarm;
	/** Undefined once it has left, so that what still remembers the peer holds no socket. */
	connection: Connection | undefined;
	readonly joinedMs: number;
	/** Since when it has had its name: earlier than it joined, for one that came back with a proof. */
	heldSinceMs: number;
	announcedMs: number;
	/** When offers of its were last relayed. */
	offeredMs = -Infinity;
	complete = false;
	role: SignedRole | undefined;
	hop: number | undefined;
	slots: number | undefined;
	uploadKbps: number | undefined;
	starving = false;
	/** Offers relayed to it since it last answered one. */
	unanswered = 0;
	/** When somebody else asked for its peer id; 0 when nobody has. */
	contestedMs = 0;
	readonly inbound: TokenBucket;
	/** Offers it may answer. */
	readonly ledger = new OfferLedger<Peer | RemotePeer>();
	/** Offers of its that went to other nodes: id → node and time. */
	sentAbroad: Map<string, { readonly node: string; readonly atMs: number }> | undefined;

	constructor(peerId: string, swarm: Swarm, connection: Connection, limits: Limits, nowMs: number) {
		this.peerId = peerId;
		this.peerIdJson = wireOfId(peerId);
		this.swarm = swarm;
		this.connection = connection;
		this.joinedMs = nowMs;
		this.heldSinceMs = nowMs;
		this.announcedMs = nowMs;
		this.inbound = new TokenBucket(limits.inboundOfferBurst, nowMs);
	}

	get gone(): boolean {
		return this.connection === undefined;
	}
}
