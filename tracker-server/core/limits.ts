/** Every bound of the tracker core in one place. Times in milliseconds, sizes in bytes. */
export interface Limits {
	/** Longest message read from a client. */
	readonly messageBytes: number;
	/** Longest SDP relayed, in characters. */
	readonly sdpChars: number;
	/** ICE candidates relayed in one SDP; the rest are cut. */
	readonly candidates: number;
	/** Offers relayed for one announce; the rest are cut. */
	readonly offersPerAnnounce: number;
	/** Infohashes answered in one scrape. */
	readonly scrapeHashes: number;
	/** Swarms one connection may be in. */
	readonly swarmsPerConnection: number;
	/** Peers of one address (IPv6: one /64), over all its connections. */
	readonly peersPerAddress: number;
	/** Swarms in all. */
	readonly swarms: number;
	/** Peers in one swarm. */
	readonly peersPerSwarm: number;
	/** Messages a connection may send: rate and burst. Answers to relayed offers are free. */
	readonly messagesPerSecond: number;
	readonly messageBurst: number;
	/** Bad messages forgiven: one per `strikeForgivenMs`; beyond `strikes` the connection closes. */
	readonly strikes: number;
	readonly strikeForgivenMs: number;
	/** Announces for forbidden torrents before the connection closes and its address is banned. */
	readonly refusals: number;
	readonly banMs: number;
	/** Announces that carry offers, per peer: sooner ones are answered but not relayed. */
	readonly announceGapMs: number;
	/** Offers a peer may receive: rate and burst. Each costs a browser a whole RTCPeerConnection. */
	readonly inboundOffersPerSecond: number;
	readonly inboundOfferBurst: number;
	/** How long an offer can be answered. Stock clients forget theirs after 50 s. */
	readonly offerTtlMs: number;
	/** Unanswered offers remembered per receiver; the oldest go first. */
	readonly pendingPerPeer: number;
	/** No second offer between the same two peers within this time… */
	readonly pairGapMs: number;
	/** …or this, where the swarm is small and a failed link has no substitute: less than `announceGapMs`, so that the next announce mends it. */
	readonly pairGapSmallMs: number;
	/** Swarms up to this size count as small. */
	readonly smallSwarm: number;
	/** Unanswered offers in a row after which a peer is chosen last. */
	readonly deafAfter: number;
	/** A peer younger than this is chosen last: it is still joining. */
	readonly settleMs: number;
	/** Queued bytes at which a connection gets no more offers. */
	readonly softQueueBytes: number;
	/** Announce intervals told to clients, before jitter. */
	readonly intervalMs: number;
	readonly intervalLargeMs: number;
	/** Told to a peer whose offers all went unplaced. */
	readonly intervalUnplacedMs: number;
	/** Swarm size from which `intervalLargeMs` is told. */
	readonly largeSwarm: number;
	/** Jitter around the interval: 0.2 is ±20 %. */
	readonly intervalJitter: number;
	/** Intervals without an announce after which a peer is forgotten. */
	readonly staleIntervals: number;
	/** How long a probed connection has to prove that it lives. */
	readonly probeMs: number;
}

/** The limits an operator gets who sets none. */
export const defaultLimits: Limits = {
	messageBytes: 64 * 1024,
	sdpChars: 8 * 1024,
	candidates: 20,
	offersPerAnnounce: 10,
	scrapeHashes: 20,
	swarmsPerConnection: 20,
	peersPerAddress: 400,
	swarms: 100_000,
	peersPerSwarm: 250_000,
	messagesPerSecond: 10,
	messageBurst: 60,
	strikes: 3,
	strikeForgivenMs: 10_000,
	refusals: 10,
	banMs: 180_000,
	announceGapMs: 5_000,
	inboundOffersPerSecond: 2,
	inboundOfferBurst: 10,
	offerTtlMs: 60_000,
	pendingPerPeer: 64,
	pairGapMs: 60_000,
	pairGapSmallMs: 4_000,
	smallSwarm: 32,
	deafAfter: 8,
	settleMs: 2_000,
	softQueueBytes: 64 * 1024,
	intervalMs: 60_000,
	intervalLargeMs: 120_000,
	intervalUnplacedMs: 12_000,
	largeSwarm: 200,
	intervalJitter: 0.2,
	staleIntervals: 2.2,
	probeMs: 5_000,
};
