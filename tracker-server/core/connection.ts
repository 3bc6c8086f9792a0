import type { Limits } from './limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** Why the core closes a connection: a closed list, so that it can be a metric's label. */
export type CloseReason = 'bad-messages' | 'flood' | 'forbidden' | 'binary' | 'replaced';

/** What the core asks of a socket. */
export interface Link {
	/** Bytes accepted but not yet handed to the network. */
	readonly queuedBytes: number;
	/** Sends a message, given as wire text. */
	send(wire: string): void;
	/** Asks the other side for a sign of life; a dead one is to be disconnected in `probeMs`. */
	probe(): void;
	close(code: number, reason: CloseReason): void;
}

/** A role an operator has signed for. */
export type SignedRole = 'source' | 'relay';

/** What the operator's token allows. */
export interface Grant {
	readonly role: SignedRole | undefined;
}

/** Where a connection comes from. */
export interface Origin {
	/** IPv4 address or IPv6 /64: what per-address bounds count. */
	readonly addressKey: string;
	/** IPv4 /24 or IPv6 /48; empty where it says nothing (loopback, private). */
	readonly subnet: string;
	/** Region label from the edge, or empty. */
	readonly region: string;
	/** Join token from the URL. */
	readonly token: string | undefined;
}

/** What a connection needs of its peers. */
export interface ConnectionMember {
	readonly swarm: { readonly infoHash: string };
}

/** The core's side of one socket. The socket is the identity: a peer id is only a name. */
export class MemberConnection<Member extends ConnectionMember> {
	readonly link: Link;
	readonly origin: Origin;
	/** One per swarm; a handful, so a list beats a map. */
	readonly peers: Member[] = [];
	readonly messages: TokenBucket;
	readonly connectedMs: number;
	/** When the last valid message came; undefined before the first. */
	heardMs: number | undefined;
	/** When anything at all came, pongs included. */
	aliveMs: number;
	strikes = 0;
	struckMs = 0;
	refusals = 0;
	closed = false;

	constructor(link: Link, origin: Origin, limits: Limits, nowMs: number) {
		this.link = link;
		this.origin = origin;
		this.messages = new TokenBucket(limits.messageBurst, nowMs);
		this.connectedMs = nowMs;
		this.aliveMs = nowMs;
	}

	peerIn(infoHash: string): Member | undefined {
		for (const peer of this.peers) if (peer.swarm.infoHash === infoHash) return peer;
		return undefined;
	}
}
