import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import type { Tracker } from '../core/tracker.ts';
import type { Sockets } from '../socket/sockets.ts';
import { History, momentMs } from './history.ts';
import { largestSwarm, metricsRegistry } from './metrics.ts';
import type { BusFigures } from './metrics.ts';
import { statusPage } from './status-page.ts';
import type { StatusView } from './status-page.ts';

export interface AdminOptions {
	readonly host: string;
	readonly port: number;
	readonly tracker: Tracker;
	readonly sockets: Sockets;
	/** Absent on a node that stands alone. */
	readonly bus: BusFigures | undefined;
	/** Name of the public server, for `/stats.json`. */
	readonly serverName: string;
	readonly now: () => number;
}

export interface AdminServer {
	/** `http://host:port` */
	readonly url: string;
	close(): Promise<void>;
}

/** Event-loop lag past which the process counts as unwell. */
const mostLagMs = 1_000;

interface Reply {
	readonly status: number;
	readonly type: string;
	readonly body: string;
}

/** The operator's port: `/`, `/metrics`, `/health`, `/ready`, `/stats.json`. Not for the public. */
export async function startAdminServer(options: AdminOptions): Promise<AdminServer> {
	const { tracker, sockets, bus, now } = options;
	const startedMs = now();
	const registry = metricsRegistry({ tracker, sockets, bus });
	const history = new History(tracker, () => sockets.size, startedMs);
	const lag = monitorEventLoopDelay({ resolution: 20 });
	lag.enable();
	let lagMs = 0;
	const timer = setInterval(() => {
		lagMs = lag.max / 1e6;
		lag.reset();
		history.record(now());
	}, momentMs);

	const view = (): StatusView => {
		const { tally } = tracker;
		const last = history.moments.at(-1);
		return {
			health: health(sockets, bus, lagMs),
			moments: history.moments,
			uptimeS: (now() - startedMs) / 1000,
			figures: [
				{ label: 'Peers', value: tracker.peerCount.toLocaleString('en-US') },
				{ label: 'Swarms', value: tracker.swarms.size.toLocaleString('en-US') },
				{ label: 'Largest swarm', value: largestSwarm(tracker).toLocaleString('en-US') },
				{ label: 'Connections', value: sockets.size.toLocaleString('en-US') },
				{ label: 'Offers answered', value: percent(last?.answeredShare) },
				{ label: 'Memory', value: `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB` },
			],
			tables: [
				{ title: 'Offers', rows: rowsOf(tally.offers) },
				{ title: 'Answers', rows: rowsOf(tally.answers) },
				{ title: 'Refused messages', rows: rowsOf(tally.invalid) },
				{ title: 'Refused announces', rows: rowsOf(tally.refused) },
				{ title: 'Refused connections', rows: rowsOf(sockets.rejected) },
				{ title: 'Ended connections', rows: rowsOf(sockets.ended) },
			],
		};
	};

	const answer = async (path: string): Promise<Reply> => {
		switch (path) {
			case '/':
				return { status: 200, type: 'text/html; charset=utf-8', body: statusPage(view()) };
			case '/metrics':
				return { status: 200, type: registry.contentType, body: await registry.metrics() };
			case '/health':
				return json(lagMs < mostLagMs ? 200 : 503, { healthy: lagMs < mostLagMs, lagMs });
			case '/ready':
				return json(sockets.draining ? 503 : 200, {
					ready: !sockets.draining,
					degraded: bus?.up === false,
				});
			case '/stats.json':
				return json(200, {
					torrentsCount: tracker.swarms.size,
					peersCount: tracker.peerCount,
					servers: [{ server: options.serverName, webSocketsCount: sockets.size }],
					memoryUsage: process.memoryUsage(),
				});
			default:
				return { status: 404, type: 'text/plain', body: 'Not found\n' };
		}
	};

	const http = createServer(
		{ maxHeaderSize: 8 * 1024, headersTimeout: 5_000 },
		(request, response) => {
			void respond(request, response, answer);
		},
	);
	await new Promise<void>((resolve, reject) => {
		http.once('error', reject);
		http.listen(options.port, options.host, () => {
			http.off('error', reject);
			resolve();
		});
	}).catch((error: unknown) => {
		clearInterval(timer);
		lag.disable();
		throw error;
	});
	const { port } = http.address() as AddressInfo;

	let closing: Promise<void> | undefined;
	return {
		url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
		close() {
			closing ??= new Promise((resolve) => {
				clearInterval(timer);
				lag.disable();
				registry.clear();
				http.close(() => resolve());
				http.closeAllConnections();
			});
			return closing;
		},
	};
}

async function respond(
	request: IncomingMessage,
	response: ServerResponse,
	answer: (path: string) => Promise<Reply>,
): Promise<void> {
	request.resume();
	const isRead = request.method === 'GET' || request.method === 'HEAD';
	const path = (request.url ?? '/').split('?')[0] ?? '/';
	const { status, type, body } = isRead
		? await answer(path)
		: { status: 405, type: 'text/plain', body: 'Only GET and HEAD\n' };
	response.writeHead(status, {
		'Content-Type': type,
		'Content-Length': Buffer.byteLength(body),
		'Cache-Control': 'no-store',
		'X-Content-Type-Options': 'nosniff',
		'X-Frame-Options': 'DENY',
		'Content-Security-Policy': `default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'`,
	});
	response.end(request.method === 'HEAD' ? undefined : body);
}

function health(
	sockets: Sockets,
	bus: BusFigures | undefined,
	lagMs: number,
): StatusView['health'] {
	if (sockets.draining) return { word: 'Draining', reason: 'Connections are being sent away.' };
	if (bus?.up === false) {
		return { word: 'Tight', reason: 'The bus is away: this node serves its own peers alone.' };
	}
	if (lagMs >= mostLagMs) {
		return {
			word: 'Tight',
			reason: `The process was busy for ${(lagMs / 1000).toFixed(1)} s at a time.`,
		};
	}
	return { word: 'Good', reason: 'Peers meet, nothing waits.' };
}

function rowsOf(counts: Readonly<Record<string, number | undefined>>): [string, number][] {
	return Object.entries(counts)
		.map(([name, value = 0]): [string, number] => [name.replaceAll('_', ' '), value])
		.sort((a, b) => b[1] - a[1]);
}

function percent(share: number | undefined): string {
	return share === undefined ? '–' : `${Math.round(share * 100)} %`;
}

function json(status: number, value: unknown): Reply {
	return { status, type: 'application/json', body: JSON.stringify(value) };
}
