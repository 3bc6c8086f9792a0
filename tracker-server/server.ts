import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import type { Logger } from 'pino';

import { startAdminServer } from './admin/admin-server.ts';
import type { AdminServer } from './admin/admin-server.ts';
import { admission } from './admission.ts';
import type { Bus } from './bus/bus.ts';
import { Cluster } from './bus/cluster.ts';
import { redisBus } from './bus/redis-bus.ts';
import { isLoopbackHost } from './core/address.ts';
import type { Limits } from './core/limits.ts';
import { PlainTracker } from './core/plain-tracker.ts';
import { Tracker } from './core/tracker.ts';
import { hasPages, pageHandler } from './http/pages.ts';
import { plainHandler } from './http/plain-handler.ts';
import { siteConfig } from './http/site-config.ts';
import type { IceServer } from './http/site-config.ts';
import { siteHandler } from './http/site-handler.ts';
import { keyVerifier, secretVerifier } from './join-token.ts';
import type { TokenVerifier } from './join-token.ts';
import { resumeProofs } from './resume-proofs.ts';
import { announcePath, Sockets } from './socket/sockets.ts';
import { defaultGate, UpgradeGate } from './socket/upgrade-gate.ts';
import type { GateOptions } from './socket/upgrade-gate.ts';
import { StartError } from './start-error.ts';
import { startStunServer } from './stun/stun-server.ts';
import type { StunServer } from './stun/stun-server.ts';

export interface ServerOptions {
	/** Address to listen on. @default '127.0.0.1' */
	readonly host?: string | undefined;
	/** TCP and UDP port; 0 takes any free one. @default 0 */
	readonly port?: number | undefined;
	/** Folder of the built pages; without it the server is a tracker alone. */
	readonly pagesDir?: string | undefined;
	/** Announce URLs told to the pages. @default this very server, as the visitor named it */
	readonly trackers?: readonly string[] | undefined;
	/** ICE servers told to the pages. @default the built-in STUN responder */
	readonly iceServers?: readonly IceServer[] | undefined;
	/** TURN servers with a shared secret: credentials are made for each visitor. */
	readonly turn?: { urls: readonly string[]; secret: string; ttlS: number } | undefined;
	/** Answer STUN on the same port over UDP. @default true */
	readonly stun?: boolean | undefined;
	/** Proxies in front whose X-Forwarded-* headers are true. @default 0 */
	readonly trustedHops?: number | undefined;
	/** Header in which a trusted edge names the visitor's region, in lower case. */
	readonly regionHeader?: string | undefined;
	/** Browser origins that may use the tracker. @default all */
	readonly origins?: readonly string[] | undefined;
	readonly limits?: Partial<Limits> | undefined;
	readonly gate?: Partial<GateOptions> | undefined;
	/** Time between pings. @default 30 000 */
	readonly pingMs?: number | undefined;
	/** Time a connection has for its first announce. @default 15 000 */
	readonly firstAnnounceMs?: number | undefined;
	/** Torrents served, 40 hex digits each. @default all */
	readonly allow?: readonly string[] | undefined;
	/** Secret of join tokens (JWT HS256). */
	readonly tokenSecret?: string | undefined;
	/** Ed25519 public key of join tokens (JWT EdDSA), base64url. */
	readonly tokenKey?: string | undefined;
	/** Whether a token is needed, or only grants a role. @default 'required' */
	readonly tokens?: 'required' | 'roles' | undefined;
	/** Whose counts a scrape may ask for. @default 'named' */
	readonly scrape?: 'named' | 'joined' | 'off' | undefined;
	/** Port of the status page and metrics; 0 takes any free one. @default none */
	readonly adminPort?: number | undefined;
	/** @default '127.0.0.1' */
	readonly adminHost?: string | undefined;
	/** Valkey or Redis that joins several servers into one tracker. */
	readonly redisUrl?: string | undefined;
	/** The bus itself, instead of `redisUrl`: for tests and for other systems. The server closes it. */
	readonly bus?: Bus | undefined;
	/** Name of this node in the cluster. @default random */
	readonly nodeName?: string | undefined;
	/** Write addresses into the log. @default false */
	readonly logAddresses?: boolean | undefined;
	/** Where log lines go. @default nowhere */
	readonly log?: Logger | undefined;
}

export interface ServerStats {
	readonly connections: number;
	readonly swarms: number;
	readonly peers: number;
	/** Peers of ordinary clients, which announce over HTTP. */
	readonly plainPeers: number;
	/** Connections that ended, by why. */
	readonly ended: Readonly<Record<string, number>>;
	/** Other nodes of the cluster, and whether the bus to them is up; absent on a single server. */
	readonly cluster?: { readonly nodes: readonly string[]; readonly up: boolean } | undefined;
}

export interface RunningServer {
	/** `http://host:port`, without a slash at the end. */
	readonly url: string;
	/** `ws://host:port/announce`. */
	readonly announceUrl: string;
	/** `http://host:port` of the admin port, where there is one. */
	readonly adminUrl: string | undefined;
	stats(): ServerStats;
	/** Sends everybody away within `spreadMs`, then closes. @default at once */
	close(options?: { spreadMs?: number }): Promise<void>;
}

/** Requests of one address over HTTP: a desktop client announces each of its torrents by one. */
const plainGate = { upgradesPerSecond: 10, upgradeBurst: 200 };

/** Starts tracker and pages on one port. Rejects with a StartError that says what is wrong. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
	const { host = '127.0.0.1', port = 0, trackers = [], trustedHops = 0 } = options;
	const log = options.log ?? pino({ level: 'silent' });
	const { pagesDir } = options;
	if (pagesDir !== undefined && !hasPages(pagesDir)) {
		throw new StartError('no-pages', `No built pages in ${pagesDir}: run "npm run build" first.`);
	}
	const { door, grant } = admission({
		allow: options.allow ?? [],
		verify: tokenVerifier(options),
		tokens: options.tokens ?? 'required',
	});
	const tracker = new Tracker({
		random: Math.random,
		limits: definedOnly(options.limits),
		admit: grant,
		// Good for the life of this server.
		resume: resumeProofs(randomBytes(32)),
		scrape: options.scrape ?? 'named',
		onBan: (addressKey, untilMs) => {
			sockets.gate.ban(addressKey, untilMs);
			cluster?.ban();
			log.warn({ ...(options.logAddresses && { addressKey }) }, 'an address is banned');
		},
	});
	const gate = { ...defaultGate, ...definedOnly(options.gate), origins: options.origins ?? [] };
	const sockets = new Sockets(tracker, {
		gate,
		trustedHops,
		regionHeader: options.regionHeader,
		pingMs: options.pingMs ?? 30_000,
		firstAnnounceMs: options.firstAnnounceMs ?? 15_000,
		hardQueueBytes: 256 * 1024,
		stalledMs: 10_000,
		admitToken: door,
		onUntrustedProxy: () =>
			log.warn(
				'a proxy seems to be in front: without SHOAL_TRUSTED_HOPS all visitors count as one address',
			),
		now: Date.now,
	});
	const plain = new PlainTracker({ limits: tracker.limits, random: Math.random });
	const sweeping = setInterval(() => plain.sweep(Date.now()), 60_000);
	const handler = siteHandler({
		trustedHops,
		plain: plainHandler({
			tracker: plain,
			gate: new UpgradeGate({ ...gate, ...plainGate }, Date.now()),
			isBanned: (key, nowMs) => sockets.gate.isBanned(key, nowMs),
			trustedHops,
			admit: grant,
			scrape: options.scrape ?? 'named',
			scrapeHashes: tracker.limits.scrapeHashes,
			now: Date.now,
		}),
		fallbackHost: () => hostPort,
		config: (origin, addressKey) =>
			siteConfig(
				origin,
				addressKey,
				{
					trackers,
					iceServers: options.iceServers ?? [],
					turn: options.turn,
					stunPort: stun?.port,
				},
				Date.now(),
			),
		pages: pagesDir === undefined ? undefined : pageHandler(pagesDir, trackers),
		isDraining: () => sockets.draining,
	});
	const http = createServer(
		{
			maxHeaderSize: 8 * 1024,
			headersTimeout: 5_000,
			requestTimeout: 10_000,
			keepAliveTimeout: 5_000,
			connectionsCheckingInterval: 1_000,
		},
		(request, response) => {
			try {
				handler(request, response);
			} catch (error) {
				// A defect costs the request that met it, not everybody's server.
				log.error({ err: error }, 'a request could not be answered');
				response.destroy();
			}
		},
	);
	http.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head));
	try {
		await listen(http, host, port);
	} catch (error) {
		sockets.close();
		clearInterval(sweeping);
		throw listenError(error, host, port);
	}
	const bound = (http.address() as AddressInfo).port;
	const hostPort = `${urlHost(host)}:${bound}`;
	const stun = options.stun === false ? undefined : await tryStun(host, bound, log);

	const cluster = joinCluster(options, log, tracker, sockets, gate);
	let admin: AdminServer | undefined;
	const shut = async () => {
		sockets.close();
		clearInterval(sweeping);
		await Promise.all([cluster?.close(), closeHttp(http), stun?.close(), admin?.close()]);
	};
	try {
		admin = await openAdmin(options, tracker, sockets, cluster, hostPort);
	} catch (error) {
		await shut();
		throw error;
	}
	log.info({ port: bound, admin: admin?.url }, 'the server is up');

	let closing: Promise<void> | undefined;
	const close = async (spreadMs: number) => {
		if (spreadMs > 0) await sockets.drain(spreadMs);
		await shut();
		log.info('the server is down');
	};
	return {
		url: `http://${hostPort}`,
		announceUrl: `ws://${hostPort}${announcePath}`,
		adminUrl: admin?.url,
		stats: () => ({
			connections: sockets.size,
			swarms: tracker.swarms.size,
			peers: tracker.peerCount,
			plainPeers: plain.peerCount,
			ended: { ...sockets.ended },
			cluster: cluster && { nodes: cluster.others, up: cluster.up },
		}),
		close: ({ spreadMs = 0 } = {}) => (closing ??= close(spreadMs)),
	};
}

/** A verifier for the operator's key, where there is one. */
function tokenVerifier({ tokenSecret, tokenKey }: ServerOptions): TokenVerifier | undefined {
	if (tokenSecret !== undefined) return secretVerifier(tokenSecret);
	return tokenKey === undefined ? undefined : keyVerifier(tokenKey);
}

function joinCluster(
	options: ServerOptions,
	log: Logger,
	tracker: Tracker,
	sockets: Sockets,
	gate: GateOptions,
): Cluster | undefined {
	const bus = options.bus ?? (options.redisUrl && redisBus(options.redisUrl, log));
	if (!bus) return undefined;
	return new Cluster({
		node: options.nodeName ?? randomBytes(6).toString('hex'),
		bus,
		tracker,
		gate: sockets.gate,
		crowdedFrom: Math.max(2, Math.ceil(gate.connectionsPerAddress / 4)),
		random: Math.random,
		now: Date.now,
	});
}

async function openAdmin(
	options: ServerOptions,
	tracker: Tracker,
	sockets: Sockets,
	bus: Cluster | undefined,
	serverName: string,
): Promise<AdminServer | undefined> {
	const { adminPort: port, adminHost: host = '127.0.0.1' } = options;
	if (port === undefined) return undefined;
	try {
		return await startAdminServer({ host, port, tracker, sockets, bus, serverName, now: Date.now });
	} catch (error) {
		throw listenError(error, host, port, '--admin-port or the variable SHOAL_ADMIN_PORT');
	}
}

async function tryStun(host: string, port: number, log: Logger): Promise<StunServer | undefined> {
	try {
		return await startStunServer(host, port);
	} catch (error) {
		log.warn({ err: error }, `STUN is off: UDP port ${port} could not be opened`);
		return undefined;
	}
}

function listen(http: Server, host: string, port: number): Promise<void> {
	return new Promise((resolve, reject) => {
		http.once('error', reject);
		http.listen(port, host, () => {
			http.off('error', reject);
			resolve();
		});
	});
}

function listenError(
	error: unknown,
	host: string,
	port: number,
	settings = '--port or the variable PORT',
): StartError {
	const code = (error as NodeJS.ErrnoException).code;
	if (code === 'EADDRINUSE') {
		const remedy = `stop the other program, or choose another number with ${settings}`;
		return new StartError('port-busy', `Port ${port} is in use: ${remedy}.`);
	}
	if (code === 'EACCES') {
		const remedy = `choose 1024 or more with ${settings}`;
		return new StartError('port-denied', `Port ${port} may not be opened by this user: ${remedy}.`);
	}
	return new StartError('listen', `Cannot listen on ${host}:${port} (${code ?? String(error)}).`);
}

function closeHttp(http: Server): Promise<void> {
	return new Promise((resolve) => {
		http.close(() => resolve());
		http.closeAllConnections();
	});
}

/** How a browser on this machine names the address that is listened on. */
function urlHost(host: string): string {
	if (host === '0.0.0.0' || host === '::' || host === '') return 'localhost';
	if (isLoopbackHost(host) && host.includes(':')) return `[${host}]`;
	return host.includes(':') ? `[${host}]` : host;
}

/** Leaves out what is undefined, so that a default isn't overwritten by it. */
function definedOnly<T extends object>(options: T | undefined): Partial<T> {
	return Object.fromEntries(
		Object.entries(options ?? {}).filter(([, value]) => value !== undefined),
	) as Partial<T>;
}
