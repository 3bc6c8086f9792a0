/** What peers say to each other on a channel's wire. PROTOCOL.md gives the bytes; `wire/` turns one into the other. */
export type Message =
	| HelloMessage
	| BroadcasterProofMessage
	| ManifestMessage
	| ManifestDeltaMessage
	| WantManifestMessage
	| HaveMessage
	| SubscribeMessage
	| SubscribedMessage
	| RequestMessage
	| PieceMessage
	| CancelMessage
	| RejectMessage
	| WantInitMessage
	| InitMessage
	| PingMessage
	| PongMessage
	| ExchangeMessage
	| SignalMessage
	| ByeMessage;

/** What a peer is to the channel. `relay` shows nothing and only adds capacity. */
export type PeerRole = 'broadcaster' | 'viewer' | 'relay';

/** First message on a link, both ways. */
export interface HelloMessage {
	readonly type: 'hello';
	/** Its own word; who says `broadcaster` counts as a relay until its proof. */
	readonly role: PeerRole;
	/** Bits per second this peer is ready to send in all; 0 when it doesn't share, `undefined` when unknown. */
	readonly uplinkBps: number | undefined;
	/** Random per process; two links with one number lead to the same peer. */
	readonly instance: Uint8Array;
}

/** Shows that the sender holds the channel's key and that this very link leads to it. */
export interface BroadcasterProofMessage {
	readonly type: 'broadcaster-proof';
	/** The channel's signature over both ends' fingerprints; `sign/broadcaster-proof.ts`. 64 bytes. */
	readonly signature: Uint8Array;
}

/** A whole signed manifest: 64 bytes of signature and the canonical dictionary. */
export interface ManifestMessage {
	readonly type: 'manifest';
	readonly signature: Uint8Array;
	readonly dict: Uint8Array;
}

/** A signed manifest as its difference from what the receiver can foretell from the one before. */
export interface ManifestDeltaMessage {
	readonly type: 'manifest-delta';
	readonly signature: Uint8Array;
	/** First piece of the segment whose manifest the receiver holds and the difference is to. */
	readonly baseFirstPiece: number;
	/** Bencoded dictionary of the keys that differ. */
	readonly changes: Uint8Array;
}

/** Asks for manifests: of the segment that holds `piece`, or the newest when `piece` is `undefined`. */
export interface WantManifestMessage {
	readonly type: 'want-manifest';
	readonly piece: number | undefined;
	/** How many segments before it as well, at most `MAX_WANTED_MANIFESTS`. */
	readonly before: number;
}

/** "I hold these pieces": bit i of `bits` (most significant first) stands for piece `first + i`. */
export interface HaveMessage {
	readonly type: 'have';
	readonly first: number;
	readonly bits: Uint8Array;
}

/** "Push me every new piece whose index modulo `SUBSTREAMS` is in this mask"; 0 ends it. */
export interface SubscribeMessage {
	readonly type: 'subscribe';
	readonly substreams: number;
}

/** Answer to `subscribe`: the substreams that will in fact be pushed. Also sent unasked when some are withdrawn. */
export interface SubscribedMessage {
	readonly type: 'subscribed';
	readonly substreams: number;
	/** The mask of the `subscribe` that this answers: what was asked for since is not refused by it. */
	readonly asked: number;
}

/** Asks for one block (BEP 3 `request`). Held by the other side until it has the piece, or rejected (BEP 6). */
export interface RequestMessage {
	readonly type: 'request';
	readonly index: number;
	readonly begin: number;
	readonly length: number;
}

/** One block (BEP 3 `piece`), asked for or subscribed to. */
export interface PieceMessage {
	readonly type: 'piece';
	readonly index: number;
	readonly begin: number;
	readonly block: Uint8Array;
}

/** Takes a request back (BEP 3 `cancel`). */
export interface CancelMessage {
	readonly type: 'cancel';
	readonly index: number;
	readonly begin: number;
	readonly length: number;
}

/** Refuses a request (BEP 6 `reject request`). */
export interface RejectMessage {
	readonly type: 'reject';
	readonly index: number;
	readonly begin: number;
	readonly length: number;
}

/** Asks for the init segment with this SHA-256. */
export interface WantInitMessage {
	readonly type: 'want-init';
	readonly sha256: Uint8Array;
}

/** An init segment; checked against its SHA-256 by the receiver. */
export interface InitMessage {
	readonly type: 'init';
	readonly sha256: Uint8Array;
	readonly bytes: Uint8Array;
}

/** Sign of life; carries the sender's own account, which is clamped and believed with care. */
export interface PingMessage {
	readonly type: 'ping';
	/** Echoed in the pong. */
	readonly nonce: number;
	/** Hops to the broadcaster by the sender's best path, 255 when unknown. */
	readonly hop: number;
	/** Kilobits per second the sender could still send. */
	readonly spareKbps: number;
	/** Kilobits per second the sender can send in all; 0 when it doesn't share. */
	readonly uplinkKbps: number;
	/** Milliseconds the sender's playhead is behind the newest manifest; 65535 when it shows nothing. */
	readonly behindMs: number;
	/** Peers the sender has links to. */
	readonly links: number;
	/**
	 * Per substream, hops from the broadcaster at which the sender could push it on to the receiver; `NO_DEPTH` when it
	 * can't, `FULL_DEPTH` added when it could but for want of room, `CUT_DEPTH` when it does but nothing comes. 8 bytes.
	 */
	readonly depths: Uint8Array;
	/** Per substream, how many peers get it through the sender, as far as it knows; 255 for more. 8 bytes. */
	readonly branches: Uint8Array;
}

/** Answer to a ping. */
export interface PongMessage {
	readonly type: 'pong';
	readonly nonce: number;
}

/** Peers whom the sender has links to and would introduce (peer exchange, after BEP 11). */
export interface ExchangeMessage {
	readonly type: 'exchange';
	/** Peer ids, 20 bytes each. */
	readonly peers: readonly Uint8Array[];
}

/** An offer or answer that a common neighbour passes on, so that links form without a tracker. */
export interface SignalMessage {
	readonly type: 'signal';
	/** Peer id of whom it is for, 20 bytes. */
	readonly to: Uint8Array;
	/** Peer id of whom it is from, 20 bytes; the neighbour that passes it on writes it. */
	readonly from: Uint8Array;
	readonly kind: 'offer' | 'answer';
	/** 20 random bytes that tie an answer to its offer. */
	readonly offerId: Uint8Array;
	readonly sdp: string;
}

/** The sender is leaving. */
export interface ByeMessage {
	readonly type: 'bye';
}

/** Pieces are dealt to this many push trees by index modulo. */
export const SUBSTREAMS = 8;
/** The sender can't push this substream. */
export const NO_DEPTH = 255;
/** Added to a depth when all the sender's room is taken. */
export const FULL_DEPTH = 64;
/** Added to the depth told to a child while the sender, or somebody above it, seeks a parent. */
export const CUT_DEPTH = 128;
/** Most earlier manifests one `want-manifest` may ask for. */
export const MAX_WANTED_MANIFESTS = 64;
/** Longest bitmap in a `have`, bytes. */
export const MAX_HAVE_BITS_BYTES = 64;
/** Longest session description that is passed on, characters. */
export const MAX_SDP_CHARS = 8192;
/** Most peers in one `exchange`. */
export const MAX_EXCHANGED_PEERS = 50;
