import type { Message } from './message.ts';

/** Why a link was ended, for statistics and for the ban list. */
export type LinkEnd =
	/** The other side left or the path broke. */
	| 'gone'
	/** It said goodbye. */
	| 'bye'
	/** Nothing was heard for too long. */
	| 'silent'
	/** A better neighbour took the place, or there is no place. */
	| 'crowded'
	/** Bytes that break the protocol or a bound. */
	| 'protocol'
	/** A signature that doesn't fit. */
	| 'bad-signature'
	/** A piece that fails its hash. */
	| 'bad-piece'
	/** An announcement of a piece that it can't have. */
	| 'bad-have'
	/** It doesn't speak the live extension. */
	| 'no-extension'
	/** This side closes down. */
	| 'closed';

const BREACHES: ReadonlySet<string> = new Set([
	'protocol',
	'bad-signature',
	'bad-piece',
	'bad-have',
]);

/** Whether a link ended because the other side broke the rules. */
export function isBreach(why: string): boolean {
	return BREACHES.has(why);
}

/** Where a link came from; bounds on shares per origin keep an eclipse away. */
export type LinkOrigin = 'tracker' | 'exchange';

/** SHA-256 of the certificates that a link's two ends hold the keys of (DTLS, RFC 8122), 32 bytes each. */
export interface Fingerprints {
	readonly ours: Uint8Array;
	readonly theirs: Uint8Array;
}

/**
 * One standing wire to another peer as the engine sees it: ordered, reliable messages.
 * The WebRTC wire, the in-memory pair and the simulator's virtual link all look like this.
 */
export interface Link {
	/** The other peer's id: 40 hexadecimal characters, claimed and not proven. */
	readonly peerId: string;
	/** Whether this side made the offer. */
	readonly initiated: boolean;
	readonly origin: LinkOrigin;
	/** What ties a signature to this link; `undefined` when it can't be told. */
	readonly fingerprints: Fingerprints | undefined;
	/** Bytes given to `send` that have not left this machine yet. */
	readonly bufferedBytes: number;
	/** Sends a message; after the end it is dropped silently. Never calls `onClose`, also where the link ends by it: that comes later. */
	send(message: Message): void;
	/** Ends the link; idempotent. `onClose` is not called for one's own close. */
	close(why: LinkEnd): void;
	/** Set by the engine: a message came in, already decoded and within bounds. */
	onMessage: (message: Message) => void;
	/** Set by the engine: the link has ended without our doing. */
	onClose: (why: LinkEnd) => void;
	/** Set by the engine: `bufferedBytes` fell to the low-water mark. */
	onDrain: () => void;
}
