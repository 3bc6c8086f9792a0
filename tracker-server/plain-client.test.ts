// The stock client over HTTP is what desktop programs speak; it decides what the protocol is.
// @ts-expect-error the package brings no types
import Client from 'bittorrent-tracker/client';
import type { EventEmitter } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { PlainTracker } from './core/plain-tracker.ts';
import { defaultLimits } from './core/limits.ts';
import { startServer } from './server.ts';
import type { RunningServer, ServerOptions } from './server.ts';
import { announceMessage, wireId } from './testing/messages.ts';
import { RawClient } from './testing/raw-client.ts';

interface StockClient extends EventEmitter {
	start(options?: object): void;
	stop(): void;
	complete(): void;
	scrape(): void;
	destroy(): void;
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const infoHash = 'a1b2c3d4e5f60718293aff00ff00ff00aabbccdd';

async function start(options: ServerOptions = {}): Promise<RunningServer> {
	const server = await startServer({ stun: false, ...options });
	cleanups.push(() => server.close());
	return server;
}

function stock(server: RunningServer, port: number, options: object = {}): StockClient {
	const client = new (Client as new (options: object) => StockClient)({
		infoHash,
		peerId: Buffer.from(`-XX0001-${port}`.padEnd(20, '\xf0'), 'latin1').toString('hex'),
		announce: [`${server.url}/announce`],
		port,
		...options,
	});
	client.on('error', () => undefined);
	cleanups.push(() => client.destroy());
	return client;
}

function heard<T>(client: EventEmitter, event: string): Promise<T> {
	return new Promise((resolve) => client.once(event, resolve));
}

test('stock clients over HTTP learn of each other, of the counts, and of who left', async () => {
	const server = await start();
	const anna = stock(server, 7001);
	anna.start({ left: 0 });
	expect(await heard(anna, 'update')).toMatchObject({ complete: 1, incomplete: 0 });
	const bert = stock(server, 7002);
	const peer = heard<string>(bert, 'peer');
	bert.start({ left: 5 });
	expect(await heard(bert, 'update')).toMatchObject({ complete: 1, incomplete: 1 });
	expect(await peer).toBe('127.0.0.1:7001');
	bert.complete();
	expect(await heard(bert, 'update')).toMatchObject({ complete: 2, incomplete: 0 });
	bert.scrape();
	expect(await heard(bert, 'scrape')).toMatchObject({
		complete: 2,
		incomplete: 0,
		downloaded: 1,
	});
	anna.stop();
	bert.stop();
	await expect.poll(() => server.stats().plainPeers).toBe(0);
});

test('addresses are told of ordinary peers only: WebSocket peers of the torrent stay among themselves', async () => {
	const server = await start();
	const hidden = await RawClient.open(server.announceUrl);
	cleanups.push(() => hidden.close());
	hidden.send(announceMessage(Buffer.from(infoHash, 'hex').toString('latin1'), wireId('hidden')));
	await hidden.take((message) => 'interval' in message);
	const anna = stock(server, 7003);
	let peers = 0;
	anna.on('peer', () => peers++);
	anna.start();
	expect(await heard(anna, 'update')).toMatchObject({ complete: 0, incomplete: 1 });
	expect(peers).toBe(0);
});

const query = (more = '', peer = 'x'.repeat(20)) =>
	`/announce?info_hash=${escape(Buffer.from(infoHash, 'hex').toString('latin1'))}&peer_id=${peer}&port=7009&left=0${more}`;

async function ask(server: RunningServer, path: string, headers: Record<string, string> = {}) {
	const response = await fetch(server.url + path, { headers });
	return {
		status: response.status,
		body: Buffer.from(await response.arrayBuffer()).toString('latin1'),
	};
}

test.each([
	['invalid info_hash', '/announce?info_hash=short&peer_id=x&port=1'],
	['invalid peer_id', query('', 'short')],
	['invalid port', query().replace('port=7009', 'port=0')],
	['invalid left', query().replace('left=0', 'left=-1')],
	['invalid event', query('&event=dance')],
	['info_hash is needed', '/scrape'],
	['at most 20 torrents', `/scrape?${'info_hash=aaaaaaaaaaaaaaaaaaaa&'.repeat(21)}`],
])('refused in words: %s', async (words, path) => {
	const { status, body } = await ask(await start(), path);
	expect(status).toBe(200);
	expect(body).toMatch(/^d14:failure reason\d+:/);
	expect(body).toContain(words);
});

test('an allow-list, tokens and a switched-off scrape hold over HTTP too', async () => {
	const closed = await start({ allow: ['ab'.repeat(20)] });
	expect((await ask(closed, query())).body).toContain('does not serve');
	const secret = await start({ tokenSecret: 's'.repeat(40) });
	expect((await ask(secret, query())).body).toContain('does not serve');
	const quiet = await start({ scrape: 'off' });
	expect((await ask(quiet, `/scrape?info_hash=${'a'.repeat(20)}`)).body).toContain('scrape is off');
});

test('the address is the connection’s, never the query’s, and a proxy’s word counts only when trusted', async () => {
	const server = await start();
	await ask(server, query('&ip=203.0.113.9'), { 'x-forwarded-for': '203.0.113.9' });
	const asked = query('&compact=0').replace('left=0', 'left=1').replace('7009', '7010');
	expect((await ask(server, asked)).body).toContain('2:ip9:127.0.0.17:peer id20:');
	const behind = await start({ trustedHops: 1 });
	await ask(behind, query(), { 'x-forwarded-for': '2001:db8::7' });
	const other = await ask(behind, asked, { 'x-forwarded-for': '2001:db8::8' });
	expect(other.body).toContain('2:ip20:2001:db8:0:0:0:0:0:7');
	expect((await ask(behind, asked, { 'x-forwarded-for': '198.51.100.1' })).body).toContain(
		'5:peersle',
	);
});

test('one address may ask so often, and no more', async () => {
	const server = await start();
	const statuses = await Promise.all(
		Array.from({ length: 260 }, () => ask(server, query()).then(({ status }) => status)),
	);
	expect(statuses).toContain(429);
	expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(200);
});

test('the core is bounded, forgets who went silent, and draws from large swarms', () => {
	let turn = 0;
	const tracker = new PlainTracker({
		limits: { ...defaultLimits, peersPerAddress: 600, swarms: 2 },
		random: () => (turn = (turn + 0.618) % 1),
	});
	const announce = (port: number, hash = 'h'.repeat(20), nowMs = 0) =>
		tracker.announce(
			{
				infoHash: hash,
				peerId: 'p'.repeat(20),
				port,
				event: 'started',
				complete: false,
				wanted: 1000,
				compact: true,
			},
			{ address: [192, 0, 2, 1], addressKey: '192.0.2.1' },
			nowMs,
		);
	for (let port = 1; port <= 600; port++) announce(port);
	expect(announce(601)).toBe('address');
	const reply = announce(1);
	if (typeof reply === 'string') throw new Error(reply);
	expect(new Set(reply.peers.map(({ port }) => port)).size).toBe(100);
	expect(reply.peers.some(({ port }) => port === 1)).toBe(false);
	expect(tracker.peerCount).toBe(600);
	tracker.sweep(3 * 30 * 60_000);
	expect([tracker.peerCount, tracker.swarmCount]).toEqual([0, 0]);
	for (const hash of ['a', 'b']) announce(1, hash.repeat(20));
	expect(announce(1, 'c'.repeat(20))).toBe('full');
});
