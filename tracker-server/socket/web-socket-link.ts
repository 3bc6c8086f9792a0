import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

import type { CloseReason, Link } from '../core/connection.ts';
import type { Connection } from '../core/peer.ts';
import { textFrame } from './text-frame.ts';

/** Why a socket ended, for the metrics. */
export type EndReason =
	CloseReason | 'client' | 'error' | 'slow' | 'silent' | 'idle' | 'draining' | 'too-big';

export interface LinkOptions {
	/** Time a probed socket has to answer. */
	readonly probeMs: number;
	/** Queued bytes at which a reader that stopped is cut off. */
	readonly hardQueueBytes: number;
	/** How long a queue may stand without moving. */
	readonly stalledMs: number;
	readonly now: () => number;
	/** Links with a deadline running; a link adds itself. */
	readonly watched: Set<WebSocketLink>;
}

/** One client's socket as the core sees it, with its queue bounded. */
export class WebSocketLink implements Link {
	/** The core's side of it; set once, right after both exist. */
	connection: Connection | undefined;
	/** Why it ended: set by whoever ended it first. */
	ended: EndReason | undefined;
	/** Until when a pong is due; 0 when none is. */
	pongDueMs = 0;
	missedPongs = 0;
	readonly #socket: WebSocket;
	readonly #stream: Duplex;
	readonly #options: LinkOptions;
	#stoodBytes = 0;
	#stoodSinceMs = 0;

	/** `stream` is what `socket` was upgraded from. */
	constructor(socket: WebSocket, stream: Duplex, options: LinkOptions) {
		this.#socket = socket;
		this.#stream = stream;
		this.#options = options;
	}

	get queuedBytes(): number {
		return this.#stream.writableLength;
	}

	/**
	 * Sends wire text as one frame, in one write. Frames written past `ws` cannot break into its own:
	 * it writes each of them whole, as nothing here is compressed.
	 */
	send(wire: string): void {
		const socket = this.#socket;
		if (socket.readyState !== socket.OPEN) return;
		const frame = textFrame(wire);
		if (this.queuedBytes + frame.length > this.#options.hardQueueBytes) return this.end('slow');
		if (!this.#stream.write(frame) || this.queuedBytes > 0) this.#options.watched.add(this);
	}

	probe(): void {
		this.pongDueMs = this.#options.now() + this.#options.probeMs;
		this.#options.watched.add(this);
		this.ping();
	}

	ping(): void {
		if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
	}

	close(code: number, reason: EndReason): void {
		this.ended ??= reason;
		this.#socket.close(code, reason);
	}

	/** Ends at once: for who isn't listening anyway. */
	end(reason: EndReason): void {
		this.ended ??= reason;
		this.#socket.terminate();
	}

	/** Whether its queue has stood still for too long. To be asked regularly while it is watched. */
	isStalled(nowMs: number): boolean {
		const { queuedBytes } = this;
		if (queuedBytes === 0 || this.#stoodBytes === 0 || queuedBytes < this.#stoodBytes) {
			this.#stoodSinceMs = nowMs;
		}
		this.#stoodBytes = queuedBytes;
		return queuedBytes > 0 && nowMs - this.#stoodSinceMs >= this.#options.stalledMs;
	}
}
