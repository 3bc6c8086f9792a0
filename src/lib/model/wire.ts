import type { Message } from './message.ts';

/** What a wire has to know before it speaks. */
export interface WireOptions {
	/** The channel's infohash, 20 bytes. A peer that names another one breaks the protocol. */
	readonly infoHash: Uint8Array;
	/** This peer's id, 20 bytes. */
	readonly peerId: Uint8Array;
	/** Whether this side made the offer. */
	readonly initiator: boolean;
	/** Monotonic milliseconds, for the bounds on rates. */
	readonly now: () => number;
}

/**
 * One peer's end of the BitTorrent wire (BEP 3, BEP 10) as a pure byte machine: bytes in, messages out.
 * Whoever owns it moves the bytes, keeps the deadlines, and ends the link when `receive` throws.
 */
export interface Wire {
	/** The bytes to send first, both handshakes. Called once, when the channel is open. */
	start(): Uint8Array[];
	/** Takes bytes from the other side, cut anywhere. Throws `protocol` on a breach of the protocol or a bound. */
	receive(bytes: Uint8Array): void;
	/** The bytes of a message for this peer; only after `onReady`. */
	encode(message: Message): Uint8Array;
	/**
	 * Set by the owner: handshake and extended handshake are through and the other side speaks the live
	 * extension. `remotePeerId` is the id it claims, 40 hexadecimal characters.
	 */
	onReady: (remotePeerId: string) => void;
	/** Set by the owner: the other side shook hands but doesn't speak the live extension; nothing more will come. */
	onForeign: (remotePeerId: string) => void;
	/** Set by the owner: a message came in, within bounds. Only after `onReady`. */
	onMessage: (message: Message) => void;
}

/** Makes one peer's end of the wire; `wire/` has it, `swarm/` is handed it. */
export type WireFactory = (options: WireOptions) => Wire;
