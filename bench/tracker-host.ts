// One tracker in a process of its own: our core and sockets, a whole node of ours, or the library's.
// @ts-expect-error the package brings no types
import { Server } from 'bittorrent-tracker';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Link } from '../tracker-server/core/connection.ts';
import type { Connection } from '../tracker-server/core/peer.ts';
import { Tracker } from '../tracker-server/core/tracker.ts';
import { wireOfText } from '../tracker-server/core/wire-text.ts';
import { startServer } from '../tracker-server/server.ts';
import { Sockets } from '../tracker-server/socket/sockets.ts';
import { wireId, announceMessage } from '../tracker-server/testing/messages.ts';

/** What the bench asks of a host, and what it says. */
export type HostRequest =
	| { readonly type: 'usage' }
	/** Adds peers that share the real sockets: the swarm grows, each offer still costs a send. */
	| { readonly type: 'fill'; readonly infoHash: string; readonly count: number }
	| { readonly type: 'stats' }
	/** The half seconds since the last time this was asked. */
	| { readonly type: 'windows' };
/** What half a second took. */
export interface Window {
	readonly cpuUs: number;
	readonly announces: number;
}
export type HostReply =
	| { readonly type: 'ready'; readonly port: number }
	| {
			readonly type: 'usage';
			readonly cpuUs: number;
			readonly rssBytes: number;
			readonly heapBytes: number;
	  }
	| { readonly type: 'filled' }
	| { readonly type: 'windows'; readonly windows: readonly Window[] }
	| {
			readonly type: 'stats';
			readonly announces: number;
			/** Offers relayed; the library does not count them. */
			readonly offers: number;
			readonly peers: number;
			readonly longestQueueBytes: number;
			readonly slowEnded: number;
			readonly nodes: number;
	  };

const [kind = 'ours', redisUrl = ''] = process.argv.slice(2);
const say = (reply: HostReply) => process.send?.(reply);

// The bench's peers share few addresses and announce far more often than any client may: what is
// measured is the cost of an announce, not the limiter.
const unlimited = 1e9;
const loose = {
	peersPerAddress: unlimited,
	peersPerSwarm: unlimited,
	messageBurst: unlimited,
	announceGapMs: 0,
	inboundOffersPerSecond: unlimited,
	inboundOfferBurst: unlimited,
	pairGapMs: 0,
	pairGapSmallMs: 0,
	deafAfter: unlimited,
};
const openGate = {
	connections: unlimited,
	connectionsPerAddress: unlimited,
	upgradesPerSecond: unlimited,
	upgradeBurst: unlimited,
	totalUpgradesPerSecond: unlimited,
	origins: [],
};

let countAnnounces = () => 0;
let windows: Window[] = [];
process.on('message', (request: HostRequest) => {
	if (request.type !== 'windows') return;
	say({ type: 'windows', windows });
	windows = [];
});
{
	let last = { cpuUs: 0, announces: 0 };
	setInterval(() => {
		const { user, system } = process.cpuUsage();
		const now = { cpuUs: user + system, announces: countAnnounces() };
		windows.push({ cpuUs: now.cpuUs - last.cpuUs, announces: now.announces - last.announces });
		last = now;
	}, 500).unref();
}

if (kind === 'library') await hostLibrary();
else if (kind === 'node') await hostNode();
else await hostOurs();

async function hostOurs(): Promise<void> {
	const tracker = new Tracker({ random: Math.random, limits: loose });
	const sockets = new Sockets(tracker, {
		gate: openGate,
		trustedHops: 0,
		regionHeader: undefined,
		pingMs: 30_000,
		firstAnnounceMs: 600_000,
		hardQueueBytes: 256 * 1024,
		stalledMs: 10_000,
		admitToken: undefined,
		now: Date.now,
	});
	countAnnounces = () => tracker.tally.messagesIn.announce ?? 0;
	let longestQueueBytes = 0;
	setInterval(() => {
		longestQueueBytes = Math.max(longestQueueBytes, sockets.queues().longest);
	}, 50).unref();
	process.on('message', (request: HostRequest) => {
		if (request.type === 'usage') say(usage());
		if (request.type === 'fill') {
			fill(tracker, request.infoHash, request.count);
			say({ type: 'filled' });
		}
		if (request.type === 'stats') {
			say({
				type: 'stats',
				announces: tracker.tally.messagesIn.announce ?? 0,
				offers: tracker.tally.offers.relayed ?? 0,
				peers: tracker.peerCount,
				longestQueueBytes,
				slowEnded: sockets.ended.slow ?? 0,
				nodes: 1,
			});
		}
	});
	const http = createServer();
	http.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head));
	http.listen(0, '0.0.0.0', 4096, () => {
		say({ type: 'ready', port: (http.address() as AddressInfo).port });
	});
}

/** Peers whose links lead to the sockets that are there, in turn. */
function fill(tracker: Tracker, infoHash: string, size: number): void {
	const real = [...tracker.connections];
	for (let i = 0; i < size; i++) {
		const link = (real[i % real.length] as Connection).link;
		const sink: Link = {
			get queuedBytes() {
				return link.queuedBytes;
			},
			// Its own join is not answered over the wire; what it is sent later is.
			send: () => undefined,
			probe: () => undefined,
			close: () => undefined,
		};
		const origin = { addressKey: 'fill', subnet: '', region: '', token: undefined };
		const connection = tracker.connect(sink, origin, Date.now());
		const announce = announceMessage(infoHash, wireId(`fill${i}-`));
		tracker.receive(connection, wireOfText(JSON.stringify(announce)), Date.now());
		sink.send = (text) => link.send(text);
	}
}

async function hostNode(): Promise<void> {
	const server = await startServer({
		host: '0.0.0.0',
		stun: false,
		redisUrl: redisUrl || undefined,
		limits: { ...loose, pairGapMs: 60_000, pairGapSmallMs: 8_000 },
		gate: openGate,
		firstAnnounceMs: 600_000,
	});
	process.on('message', (request: HostRequest) => {
		if (request.type === 'usage') say(usage());
		if (request.type === 'stats') {
			const { peers, cluster } = server.stats();
			const nodes = 1 + (cluster?.up ? cluster.nodes.length : 0);
			say({
				type: 'stats',
				announces: 0,
				offers: 0,
				peers,
				longestQueueBytes: 0,
				slowEnded: 0,
				nodes,
			});
		}
	});
	say({ type: 'ready', port: Number(new URL(server.announceUrl).port) });
}

interface LibraryPeer {
	readonly peerId: string;
	readonly socket: object;
}

interface LibrarySwarm {
	readonly peers: {
		readonly keys: readonly string[];
		get(id: string): LibraryPeer;
		set(id: string, peer: object): void;
	};
	incomplete: number;
}

interface LibraryServer {
	listen(port: number, host: string, done: () => void): void;
	on(event: string, hear: (subject: unknown, params?: { to_peer_id?: string }) => void): void;
	readonly ws: { address(): { port: number } };
	readonly torrents: Readonly<Record<string, LibrarySwarm>>;
}

async function hostLibrary(): Promise<void> {
	// Its own bound is 1,000 peers a swarm; beyond, each new peer pushes an old one out.
	const options = { udp: false, http: false, ws: true, stats: false, peersCacheLength: 200_000 };
	const server = new (Server as new (options: object) => LibraryServer)(options);
	server.on('error', () => undefined);
	server.on('warning', () => undefined);
	await new Promise<void>((resolve) => {
		server.listen(0, '0.0.0.0', resolve);
	});
	let announces = 0;
	countAnnounces = () => announces;
	// It takes an answer for an announce, and says so in the same event.
	const onAnnounce = (_: unknown, params?: { to_peer_id?: string }) => {
		if (!params?.to_peer_id) announces += 1;
	};
	server.on('update', onAnnounce);
	server.on('start', onAnnounce);
	process.on('message', (request: HostRequest) => {
		if (request.type === 'usage') say(usage());
		if (request.type === 'stats') {
			say({
				type: 'stats',
				announces,
				offers: 0,
				peers: 0,
				longestQueueBytes: 0,
				slowEnded: 0,
				nodes: 1,
			});
		}
		if (request.type !== 'fill') return;
		const swarm = server.torrents[Buffer.from(request.infoHash, 'latin1').toString('hex')];
		if (!swarm) return;
		const real = swarm.peers.keys.map((id) => swarm.peers.get(id).socket);
		for (let i = 0; i < request.count; i++) {
			const peerId = i.toString(16).padStart(40, 'f');
			const socket = real[i % real.length];
			swarm.peers.set(peerId, {
				type: 'ws',
				complete: false,
				peerId,
				ip: '127.0.0.1',
				port: 1,
				socket,
			});
			swarm.incomplete += 1;
		}
		say({ type: 'filled' });
	});
	say({ type: 'ready', port: server.ws.address().port });
}

function usage(): HostReply {
	const { user, system } = process.cpuUsage();
	// After the processor is read: collecting is the bench's work, not the tracker's.
	globalThis.gc?.();
	const { rss, heapUsed } = process.memoryUsage();
	return { type: 'usage', cpuUs: user + system, rssBytes: rss, heapBytes: heapUsed };
}
