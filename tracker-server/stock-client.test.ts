// The stock client is what WebTorrent speaks to trackers with; it decides what the protocol is.
// @ts-expect-error the package brings no types
import Client from 'bittorrent-tracker/client';
import type { EventEmitter } from 'node:events';
import { afterEach, expect, test } from 'vitest';

import { startServer } from './server.ts';
import type { RunningServer, ServerOptions } from './server.ts';
import { announceMessage, wireId } from './testing/messages.ts';
import { RawClient } from './testing/raw-client.ts';

interface StockClient extends EventEmitter {
	start(options?: object): void;
	stop(): void;
	complete(): void;
	update(): void;
	scrape(options?: object): void;
	destroy(): void;
}
interface StockPeer extends EventEmitter {
	send(data: string): void;
	destroy(): void;
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const infoHash = 'a1b2c3d4e5f60718293aff00ff00ff00aabbccdd';
const infoHashBinary = Buffer.from(infoHash, 'hex').toString('latin1');

async function start(options: ServerOptions = {}): Promise<RunningServer> {
	const server = await startServer({ stun: false, ...options });
	cleanups.push(() => server.close());
	return server;
}

function stock(
	server: RunningServer,
	peerId: string,
	left = 1,
): StockClient & { warnings: string[] } {
	const client = new (Client as new (options: object) => StockClient & { warnings: string[] })({
		infoHash,
		peerId: Buffer.from(peerId.padEnd(20, '\xf0'), 'latin1').toString('hex'),
		// Clients of one process share a connection to the same URL, where real ones have their own.
		announce: [`${server.announceUrl}?${peerId}`],
		port: 6881,
		getAnnounceOpts: () => ({ left }),
		rtcConfig: { iceServers: [] },
	});
	client.warnings = [];
	client.on('warning', (error: Error) => client.warnings.push(error.message));
	client.on('error', (error: Error) => client.warnings.push(error.message));
	cleanups.push(() => client.destroy());
	return client;
}

function heard<T>(
	client: EventEmitter,
	event: string,
	fits: (value: T) => boolean = () => true,
): Promise<T> {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error(`no ${event}`)), 40_000);
		client.on(event, (value: T) => {
			if (!fits(value)) return;
			clearTimeout(timer);
			resolve(value);
		});
	});
}

/** Where simple-peer's warnings of its connection begin. */
const WEBRTC = 'Connection error: libdatachannel';

test('two stock clients meet, connect and speak', async () => {
	const server = await start();
	const anna = stock(server, 'anna', 0);
	anna.start();
	await heard(anna, 'update');
	const bert = stock(server, 'bert');
	const counts = heard<{ complete: number; incomplete: number }>(bert, 'update');
	for (const client of [anna, bert]) {
		client.on('peer', (peer: StockPeer) => {
			cleanups.push(() => peer.destroy());
			peer.on('error', () => undefined);
			if (client === anna) peer.on('connect', () => peer.send('hello'));
			else peer.on('data', (data: Uint8Array) => bert.emit('said', data));
		});
	}
	const said = heard<Uint8Array>(bert, 'said');
	bert.start();
	expect(await counts).toMatchObject({ complete: 1, incomplete: 1, infoHash });
	// Node's WebRTC fails to connect now and then (webrtc.node.ts); the next announce mends it, as it would for anybody.
	const again = setInterval(() => bert.update(), 6000);
	cleanups.push(() => clearInterval(again));
	expect(Buffer.from(await said).toString()).toBe('hello');
	// What Node's WebRTC complains of on its way there is not the tracker's doing.
	const ofTracker = [...anna.warnings, ...bert.warnings].filter((text) => !text.startsWith(WEBRTC));
	expect(ofTracker).toEqual([]);
}, 90_000);

test('stop, complete and scrape do what the client expects', async () => {
	const server = await start();
	const anna = stock(server, 'anna');
	anna.start({ numwant: 0 });
	await heard(anna, 'update');
	const completed = heard<{ complete: number }>(anna, 'update', ({ complete }) => complete === 1);
	anna.complete();
	await completed;
	const scraped = heard(anna, 'scrape');
	anna.scrape();
	expect(await scraped).toMatchObject({ infoHash, complete: 1, incomplete: 0, downloaded: 1 });
	anna.stop();
	await expect.poll(() => server.stats().swarms).toBe(0);
	expect(anna.warnings).toEqual([]);
}, 60_000);

test('a refusal is a warning to the stock client, which stays connected', async () => {
	const server = await start({ allow: ['ab'.repeat(20)] });
	const anna = stock(server, 'anna');
	const warned = heard<Error>(anna, 'warning');
	anna.start({ numwant: 0 });
	expect((await warned).message).toBe('this tracker does not serve this torrent');
	expect(server.stats().connections).toBe(1);
	const again = heard<Error>(anna, 'warning');
	anna.update();
	await again;
	expect(server.stats().connections).toBe(1);
}, 60_000);

test('the client re-arms its timer by the interval it is told', async () => {
	const server = await start({ limits: { intervalMs: 1_000, intervalJitter: 0 } });
	const anna = stock(server, 'anna');
	anna.start({ numwant: 0 });
	let updates = 0;
	anna.on('update', () => updates++);
	await expect.poll(() => updates, { timeout: 30_000 }).toBeGreaterThanOrEqual(3);
}, 60_000);

test('nothing but stock fields is sent to a stock client', async () => {
	const server = await start();
	const anna = await RawClient.open(server.announceUrl);
	cleanups.push(() => anna.close());
	anna.send(announceMessage(infoHashBinary, wireId('anna')));
	const reply = await anna.take((message) => 'interval' in message);
	expect(Object.keys(reply)).toEqual(['action', 'info_hash', 'interval', 'complete', 'incomplete']);
});
