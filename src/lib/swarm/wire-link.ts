import { ShoalError } from '../model/error.ts';
import {
	isBreach,
	type Fingerprints,
	type Link,
	type LinkEnd,
	type LinkOrigin,
} from '../model/link.ts';
import type { Message } from '../model/message.ts';
import type { Wire } from '../model/wire.ts';
import { concatBytes } from '../util/bytes.ts';
import type { Clock } from '../util/clock.ts';
import { ANSWERER_PATIENCE_MS, HANDSHAKE_DEADLINE_MS } from './bounds.ts';
import type { Connection, ConnectionEnd } from './connection.ts';

/** How a link that was never ready, or is no more, ended. */
export type WireLinkEnd = LinkEnd | 'unreachable' | 'mute';

/** What a link is made of. */
export interface WireLinkOptions {
	readonly connection: Connection;
	readonly wire: Wire;
	readonly clock: Clock;
	/** The id the other side was introduced under, 40 hexadecimal characters. */
	readonly peerId: string;
	readonly initiated: boolean;
	readonly origin: LinkOrigin;
	/** Both handshakes are through. Called once, before any message. */
	readonly onReady: (link: WireLink) => void;
	/** It ended, by whichever side. Called once. */
	readonly onEnd: (link: WireLink, why: WireLinkEnd) => void;
}

/** A `Link` over WebRTC: moves bytes between a connection and a wire, and keeps the handshake's deadline. */
export class WireLink implements Link {
	readonly peerId: string;
	readonly initiated: boolean;
	readonly origin: LinkOrigin;
	onMessage: (message: Message) => void = () => undefined;
	onClose: (why: LinkEnd) => void = () => undefined;
	onDrain: () => void = () => undefined;

	readonly #connection: Connection;
	readonly #wire: Wire;
	readonly #onEnd: WireLinkOptions['onEnd'];
	#state: 'connecting' | 'ready' | 'closed' = 'connecting';
	#hasStarted = false;
	#isSending = false;
	#cancelDeadline: () => void = () => undefined;
	#cancelPatience: () => void = () => undefined;

	constructor(options: WireLinkOptions) {
		const { connection, wire, clock, onReady } = options;
		this.peerId = options.peerId;
		this.initiated = options.initiated;
		this.origin = options.origin;
		this.#connection = connection;
		this.#wire = wire;
		this.#onEnd = options.onEnd;

		connection.onOpen = () => {
			this.#cancelDeadline = clock.after(HANDSHAKE_DEADLINE_MS, () => this.#end('mute'));
			// Chromium loses a message that arrives before its own channel is open, so whoever offered speaks first.
			if (this.initiated) this.#start();
			else this.#cancelPatience = clock.after(ANSWERER_PATIENCE_MS, () => this.#start());
		};
		connection.onBytes = (bytes) => {
			this.#start();
			this.#receive(bytes);
		};
		connection.onDrain = () => {
			if (this.#state === 'ready') this.onDrain();
		};
		connection.onEnd = (why) => this.#ended(why);
		wire.onForeign = () => this.#end('no-extension');
		wire.onReady = (claimedId) => {
			if (this.#state !== 'connecting') return;
			// Who was introduced under one name has no reason to use another.
			if (claimedId !== this.peerId) throw new ShoalError('protocol', 'another peer id');
			this.#state = 'ready';
			this.#cancelDeadline();
			onReady(this);
		};
		wire.onMessage = (message) => {
			if (this.#state === 'ready') this.onMessage(message);
		};
	}

	get fingerprints(): Fingerprints | undefined {
		return this.#connection.fingerprints;
	}

	get bufferedBytes(): number {
		return this.#connection.bufferedBytes;
	}

	/** Sends, or drops it when the link has ended. A link that ends by this is closed at once; `onClose` tells of it after the call. */
	send(message: Message): void {
		if (this.#state !== 'ready') return;
		this.#isSending = true;
		this.#connection.send(this.#wire.encode(message));
		this.#isSending = false;
	}

	/** Who broke the rules gets no time; others hear our last words, unless `deliver` is false. */
	close(why: LinkEnd, deliver = !isBreach(why)): void {
		if (this.#state === 'closed') return;
		this.#state = 'closed';
		this.#cancelTimers();
		this.#connection.close({ deliver });
		this.#onEnd(this, why);
	}

	#start(): void {
		if (this.#hasStarted || this.#state === 'closed') return;
		this.#hasStarted = true;
		this.#cancelPatience();
		// In one message, as the other side answers to both.
		this.#connection.send(concatBytes(...this.#wire.start()));
	}

	#receive(bytes: Uint8Array): void {
		if (this.#state === 'closed') return;
		try {
			this.#wire.receive(bytes);
		} catch (error) {
			this.#end('protocol');
			// A breach is the other side's; anything else is a defect of ours that must be seen.
			if (!(error instanceof ShoalError)) {
				queueMicrotask(() => {
					throw error;
				});
			}
		}
	}

	#cancelTimers(): void {
		this.#cancelDeadline();
		this.#cancelPatience();
	}

	/** Ends it from inside; the engine hears of it when it knew the link. */
	#end(why: LinkEnd | 'mute'): void {
		this.#connection.close({ deliver: false });
		this.#ended(why);
	}

	#ended(why: ConnectionEnd | LinkEnd | 'mute'): void {
		if (this.#state === 'closed') return;
		const wasReady = this.#state === 'ready';
		this.#state = 'closed';
		this.#cancelTimers();
		const tell = () => {
			this.#onEnd(this, why);
			if (wasReady) this.onClose(why === 'unreachable' || why === 'mute' ? 'gone' : why);
		};
		// Whoever sends is in the middle of something, and would find the neighbour gone from under it.
		if (this.#isSending) queueMicrotask(tell);
		else tell();
	}
}
