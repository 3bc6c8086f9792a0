import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';

import { addressKey, clientAddress, subnetOf } from '../core/address.ts';
import type { Connection } from '../core/peer.ts';
import { count } from '../core/tally.ts';
import type { Tracker } from '../core/tracker.ts';
import { UpgradeGate } from './upgrade-gate.ts';
import type { GateOptions, RejectReason } from './upgrade-gate.ts';
import { WebSocketLink } from './web-socket-link.ts';
import type { EndReason, LinkOptions } from './web-socket-link.ts';

export interface SocketsOptions {
	readonly gate: GateOptions;
	/** Trusted proxies in front. */
	readonly trustedHops: number;
	/** Header in which a trusted edge names the client's region. */
	readonly regionHeader: string | undefined;
	/** Time between pings of one socket. */
	readonly pingMs: number;
	/** Time to the first valid announce. */
	readonly firstAnnounceMs: number;
	/** Queued bytes at which a reader that stopped is cut off. */
	readonly hardQueueBytes: number;
	/** How long a queue may stand without moving. */
	readonly stalledMs: number;
	/** Whether a join token opens the door; undefined where none is needed. */
	readonly admitToken: ((token: string | undefined, nowMs: number) => boolean) | undefined;
	readonly now: () => number;
	/** Called once when a request bears a proxy's header and no proxy is trusted. */
	readonly onUntrustedProxy?: () => void;
}

const statusOf: Record<RejectReason, string> = {
	draining: '503 Service Unavailable',
	path: '404 Not Found',
	origin: '403 Forbidden',
	banned: '403 Forbidden',
	full: '503 Service Unavailable',
	address: '429 Too Many Requests',
	rate: '429 Too Many Requests',
	storm: '503 Service Unavailable',
	token: '401 Unauthorized',
	handshake: '400 Bad Request',
};

/** Path at which the tracker answers. */
export const announcePath = '/announce';
/** Two misses in a row and a socket is taken for dead. */
const mostMissedPongs = 2;
/** Sockets are looked after in this many turns per ping interval. */
const tickMs = 1000;

/** All WebSocket connections: lets them in, keeps them alive, bounds them, lets them go. */
export class Sockets {
	readonly gate: UpgradeGate;
	readonly rejected: Partial<Record<RejectReason, number>> = {};
	readonly ended: Partial<Record<EndReason, number>> = {};
	readonly #tracker: Tracker;
	readonly #options: SocketsOptions;
	readonly #server: WebSocketServer;
	readonly #links = new Set<WebSocketLink>();
	readonly #watched = new Set<WebSocketLink>();
	readonly #linkOptions: LinkOptions;
	readonly #timer: NodeJS.Timeout;
	#turn: Iterator<WebSocketLink> | undefined;
	#draining = false;
	#saidUntrusted = false;
	#lastGateSweepMs = 0;

	constructor(tracker: Tracker, options: SocketsOptions) {
		this.#tracker = tracker;
		this.#options = options;
		this.gate = new UpgradeGate(options.gate, options.now());
		this.#linkOptions = {
			probeMs: tracker.limits.probeMs,
			hardQueueBytes: options.hardQueueBytes,
			stalledMs: options.stalledMs,
			now: options.now,
			watched: this.#watched,
		};
		this.#server = new WebSocketServer({
			noServer: true,
			clientTracking: false,
			maxPayload: tracker.limits.messageBytes,
			maxFragments: 64,
			maxBufferedChunks: 1024,
			perMessageDeflate: false,
			handleProtocols: () => false,
		});
		this.#timer = setInterval(() => this.#tick(), tickMs);
	}

	get size(): number {
		return this.#links.size;
	}

	get draining(): boolean {
		return this.#draining;
	}

	/** Longest send queue of any socket, and their sum, in bytes. */
	queues(): { longest: number; total: number } {
		let longest = 0;
		let total = 0;
		for (const link of this.#links) {
			longest = Math.max(longest, link.queuedBytes);
			total += link.queuedBytes;
		}
		return { longest, total };
	}

	/** An HTTP upgrade request: becomes a connection or gets a plain HTTP refusal. */
	upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
		socket.on('error', () => socket.destroy());
		const nowMs = this.#options.now();
		const { trustedHops, regionHeader, admitToken } = this.#options;
		const url = parseUrl(request.url);
		if (url?.pathname !== announcePath) return this.#reject(socket, 'path');
		if (this.#draining) return this.#reject(socket, 'draining');
		const forwarded = headerText(request, 'x-forwarded-for');
		const address = clientAddress(request.socket.remoteAddress ?? '', forwarded, trustedHops);
		if (forwarded !== undefined && trustedHops === 0 && !this.#saidUntrusted) {
			this.#saidUntrusted = true;
			this.#options.onUntrustedProxy?.();
		}
		const key = addressKey(address);
		const refusal = this.gate.refusal(key, headerText(request, 'origin'), nowMs);
		if (refusal) return this.#reject(socket, refusal);
		const token = url.searchParams.get('token') ?? undefined;
		if (admitToken && !admitToken(token, nowMs)) return this.#reject(socket, 'token');
		const region = regionHeader && trustedHops > 0 ? headerText(request, regionHeader) : '';
		const origin = {
			addressKey: key,
			subnet: subnetOf(address),
			region: (region ?? '').slice(0, 32),
			token,
		};
		this.#server.handleUpgrade(request, socket, head, (webSocket) => {
			this.#onConnection(webSocket, socket, origin, nowMs);
		});
	}

	#onConnection(
		socket: WebSocket,
		stream: Duplex,
		origin: Connection['origin'],
		nowMs: number,
	): void {
		const { now } = this.#options;
		const tracker = this.#tracker;
		const link = new WebSocketLink(socket, stream, this.#linkOptions);
		const connection = tracker.connect(link, origin, nowMs);
		link.connection = connection;
		this.gate.enter(origin.addressKey);
		this.#links.add(link);
		this.#watched.add(link);
		socket.on('message', (data: RawData, isBinary: boolean) => {
			if (isBinary) return tracker.receiveBinary(connection, now());
			const beganMs = performance.now();
			const type = tracker.receive(connection, wireOf(data), now());
			if (type === 'announce') tracker.tally.announce.observe((performance.now() - beganMs) / 1000);
		});
		socket.on('pong', () => {
			connection.aliveMs = now();
			link.pongDueMs = 0;
			link.missedPongs = 0;
		});
		socket.on('error', (error: Error & { code?: string }) => {
			link.ended ??= error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 'too-big' : 'error';
			socket.terminate();
		});
		socket.on('close', () => {
			tracker.disconnect(connection);
			this.gate.leave(origin.addressKey);
			this.#links.delete(link);
			this.#watched.delete(link);
			count(this.ended, link.ended ?? 'client');
		});
	}

	#reject(socket: Duplex, reason: RejectReason): void {
		count(this.rejected, reason);
		const body = `${statusOf[reason]}\n`;
		socket.end(
			`HTTP/1.1 ${statusOf[reason]}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
			() => socket.destroy(),
		);
	}

	/** Looks after a share of the sockets, so that each has its turn once per ping interval. */
	#tick(): void {
		const nowMs = this.#options.now();
		const turns = Math.max(1, Math.round(this.#options.pingMs / tickMs));
		let share = Math.ceil(this.#links.size / turns);
		while (share-- > 0) {
			this.#turn ??= this.#links.values();
			const next = this.#turn.next();
			if (next.done) {
				this.#turn = undefined;
				break;
			}
			this.#lookAfter(next.value, nowMs);
		}
		for (const link of this.#watched) this.#watch(link, nowMs);
		if (nowMs - this.#lastGateSweepMs < 10_000) return;
		this.#lastGateSweepMs = nowMs;
		this.gate.sweep(nowMs);
	}

	#lookAfter(link: WebSocketLink, nowMs: number): void {
		const { connection } = link;
		const { pingMs, firstAnnounceMs } = this.#options;
		if (!connection) return;
		this.#tracker.sweep(nowMs, [connection]);
		const idleMs = nowMs - (connection.heardMs ?? connection.connectedMs);
		if (connection.peers.length === 0 && idleMs > Math.max(firstAnnounceMs, 6 * pingMs)) {
			return link.close(1000, 'idle');
		}
		if (nowMs - connection.aliveMs < pingMs) {
			link.missedPongs = 0;
			return;
		}
		if (link.missedPongs >= mostMissedPongs) return link.end('silent');
		link.missedPongs += 1;
		link.ping();
	}

	/** Deadlines that cannot wait for a socket's turn: first announce, probe, standing queue. */
	#watch(link: WebSocketLink, nowMs: number): void {
		const { connection } = link;
		if (link.pongDueMs > 0 && nowMs >= link.pongDueMs) return link.end('silent');
		if (link.isStalled(nowMs)) return link.end('slow');
		const isNew = connection?.heardMs === undefined;
		if (isNew && nowMs - (connection?.connectedMs ?? nowMs) > this.#options.firstAnnounceMs) {
			return link.close(1008, 'idle');
		}
		if (!isNew && link.pongDueMs === 0 && link.queuedBytes === 0) this.#watched.delete(link);
	}

	/** Stops taking connections and closes those there are, spread over `spreadMs`. */
	async drain(spreadMs: number): Promise<void> {
		this.#draining = true;
		const links = [...this.#links];
		const steps = Math.max(1, Math.min(links.length, Math.ceil(spreadMs / 50)));
		const perStep = Math.ceil(links.length / steps);
		for (let i = 0; i < links.length; i += perStep) {
			for (const link of links.slice(i, i + perStep)) link.close(1012, 'draining');
			if (i + perStep < links.length) await pause(spreadMs / steps);
		}
	}

	/** Ends every socket now. */
	close(): void {
		this.#draining = true;
		clearInterval(this.#timer);
		for (const link of this.#links) link.end('draining');
		this.#server.close();
	}
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => {
		setTimeout(resolve, ms);
	});
}

/** The bytes of a message as wire text. */
function wireOf(data: RawData): string {
	if (Array.isArray(data)) return Buffer.concat(data).toString('latin1');
	return data instanceof ArrayBuffer
		? Buffer.from(data).toString('latin1')
		: data.toString('latin1');
}

function headerText(request: IncomingMessage, name: string): string | undefined {
	const value = request.headers[name];
	return Array.isArray(value) ? value.join(',') : value;
}

function parseUrl(url: string | undefined): URL | undefined {
	try {
		return new URL(url ?? '', 'http://tracker.invalid');
	} catch {
		return undefined;
	}
}
