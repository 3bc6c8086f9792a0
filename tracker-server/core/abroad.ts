import type { Offer } from './message.ts';
import type { RemotePeer } from './offer-ledger.ts';
import type { Peer } from './peer.ts';
import type { SwarmCounts } from './reply.ts';
import type { Swarm } from './peer.ts';

/** The other nodes, as the core sees them. */
export interface Abroad {
	/** Peers of a swarm on all other nodes. */
	counts(infoHash: string): SwarmCounts;
	/** How many of a peer's offers should leave even where this node could place them all. */
	share(swarm: Swarm, offers: number): number;
	/** Sends offers to peers of another node, and names that node; undefined when none takes them. */
	relay(peer: Peer, offers: readonly Offer[], nowMs: number): string | undefined;
	/** Sends an answer home to the node its offer came from. */
	answer(
		to: RemotePeer,
		infoHash: string,
		fromPeerId: string,
		offerId: string,
		sdpJson: string,
	): void;
}
