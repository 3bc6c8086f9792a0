import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';

import { startServer } from '../server.ts';
import type { RunningServer, ServerOptions } from '../server.ts';
import { announceMessage, sampleOffers, sampleSdp, wireId } from '../testing/messages.ts';
import { RawClient } from '../testing/raw-client.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: ServerOptions = {}): Promise<RunningServer> {
	const server = await startServer({ stun: false, ...options });
	cleanups.push(() => server.close());
	return server;
}

async function join(
	server: RunningServer,
	options: { headers?: Record<string, string> } = {},
): Promise<RawClient> {
	const client = await RawClient.open(server.announceUrl, options);
	cleanups.push(() => client.close());
	return client;
}

function raw(server: RunningServer): Socket {
	const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
	socket.on('error', () => undefined);
	cleanups.push(() => socket.destroy());
	return socket;
}

/** Everything a socket says until it ends. */
async function all(socket: Socket): Promise<string> {
	let text = '';
	socket.on('data', (chunk) => (text += chunk.toString('latin1')));
	if (!socket.destroyed) await once(socket, 'close');
	return text;
}

async function until(done: () => boolean): Promise<void> {
	const deadlineMs = Date.now() + 8_000;
	while (!done()) {
		if (Date.now() > deadlineMs) throw new Error('it never came');
		await new Promise((resolve) => {
			setTimeout(resolve, 10);
		});
	}
}

const swarm = wireId('swarm');
const isReply = (message: object) => 'interval' in message;

/** A bystander that must notice nothing of what others do. */
async function bystander(server: RunningServer) {
	const client = await join(server);
	client.send(announceMessage(swarm, wireId('bystander')));
	await client.take(isReply);
	return {
		client,
		async isWell() {
			client.send(announceMessage(swarm, wireId('bystander'), { event: undefined }));
			await client.take(isReply);
			expect(client.closed).toBeUndefined();
		},
	};
}

describe('at the door', () => {
	test('only /announce is a WebSocket', async () => {
		const server = await start();
		const other = new RawClient(`${server.url.replace('http', 'ws')}/other`);
		const [, response] = (await once(other.socket, 'unexpected-response')) as [
			unknown,
			{ statusCode: number },
		];
		expect(response.statusCode).toBe(404);
		other.socket.terminate();
	});

	test.each<[string, ServerOptions, object, number]>([
		[
			'a foreign origin',
			{ origins: ['https://shoal.example'] },
			{ headers: { origin: 'https://evil.example' } },
			403,
		],
		['no origin where a list is set', { origins: ['https://shoal.example'] }, {}, 403],
		[
			'a forged token',
			{ tokenSecret: 'a secret of thirty-two characters' },
			{ query: '?token=forged' },
			401,
		],
		['one more than all', { gate: { connections: 0 } }, {}, 503],
		['one more than an address may', { gate: { connectionsPerAddress: 0 } }, {}, 429],
		['too many at once', { gate: { upgradeBurst: 0 } }, {}, 429],
	])(
		'%s is refused with a status',
		async (
			_,
			options,
			{ headers, query = '' }: { headers?: Record<string, string>; query?: string },
			status,
		) => {
			const server = await start(options);
			const client = new RawClient(`${server.announceUrl}${query}`, { headers });
			const [, response] = (await once(client.socket, 'unexpected-response')) as [
				unknown,
				{ statusCode: number },
			];
			expect(response.statusCode).toBe(status);
			client.socket.terminate();
		},
	);

	test('the listed origin may come in', async () => {
		const server = await start({ origins: ['https://shoal.example'] });
		await join(server, { headers: { origin: 'https://shoal.example' } });
		expect(server.stats().connections).toBe(1);
	});

	test('connections of one address are counted, by the address the trusted proxy names', async () => {
		const server = await start({ gate: { connectionsPerAddress: 1 }, trustedHops: 1 });
		const from = (address: string) => ({
			headers: { 'x-forwarded-for': `203.0.113.1, ${address}` },
		});
		const first = await join(server, from('198.51.100.1'));
		await join(server, from('198.51.100.2'));
		await expect(RawClient.open(server.announceUrl, from('198.51.100.1'))).rejects.toThrow('429');
		await first.close();
		await until(() => server.stats().connections === 1);
		await join(server, from('198.51.100.1'));
	});

	test('X-Forwarded-For of a stranger changes nothing', async () => {
		const server = await start({ gate: { connectionsPerAddress: 1 } });
		await join(server, { headers: { 'x-forwarded-for': '198.51.100.1' } });
		const again = { headers: { 'x-forwarded-for': '198.51.100.2' } };
		await expect(RawClient.open(server.announceUrl, again)).rejects.toThrow('429');
	});

	test('an address whose peers kept asking for forbidden torrents stays out', async () => {
		const server = await start({ allow: ['ab'.repeat(20)] });
		const client = await join(server);
		for (let i = 0; i < 10; i++)
			client.send(announceMessage(wireId(`foreign${i}`), wireId('anna')));
		expect(await client.ended()).toEqual({ code: 1008, reason: 'forbidden' });
		await expect(RawClient.open(server.announceUrl)).rejects.toThrow('403');
	});
});

describe('frames', () => {
	test('a message beyond 64 KiB ends its own connection only', async () => {
		const server = await start();
		const other = await bystander(server);
		const client = await join(server);
		client.send('x'.repeat(65 * 1024));
		expect((await client.ended()).code).toBe(1009);
		await other.isWell();
	});

	test('a frame that announces 50 MiB is refused by its header', async () => {
		const server = await start();
		const other = await bystander(server);
		const client = await join(server);
		const header = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x03, 0x20, 0, 0, 0, 0, 0, 0]);
		(client.socket as unknown as { _socket: Socket })._socket.write(header);
		expect((await client.ended()).code).toBe(1009);
		await other.isWell();
	});

	test('a binary frame ends the connection', async () => {
		const server = await start();
		const client = await join(server);
		client.socket.send(Buffer.from('{}'));
		expect((await client.ended()).code).toBe(1003);
	});

	test('a message in a hundred fragments is refused', async () => {
		const server = await start();
		const client = await join(server);
		for (let i = 0; i < 100; i++) client.socket.send('x', { fin: i === 99 });
		expect((await client.ended()).code).toBe(1008);
	});

	test('invalid UTF-8 ends the connection', async () => {
		const server = await start();
		const client = await join(server);
		client.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
		expect((await client.ended()).code).toBe(1007);
	});

	test('compression is not negotiated', async () => {
		const server = await start();
		const client = await RawClient.open(server.announceUrl, { perMessageDeflate: true });
		cleanups.push(() => client.close());
		expect(client.socket.extensions).toBe('');
	});

	test('an id of all 256 byte values arrives as it was sent, escaped or not', async () => {
		const server = await start();
		const bytes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
		for (let at = 0; at < 240; at += 20) {
			const hash = bytes.slice(at, at + 20);
			const [a, b] = [await join(server), await join(server)];
			a.send(announceMessage(hash, bytes.slice(at + 1, at + 21)));
			expect((await a.take(isReply)).info_hash).toBe(hash);
			const offers = [
				{ offer_id: bytes.slice(at + 2, at + 22), offer: { type: 'offer', sdp: sampleSdp() } },
			];
			const text = JSON.stringify(announceMessage(hash, bytes.slice(at + 3, at + 23), { offers }));
			const escaped = text.replace(
				/[\u0080-\u00ff]/g,
				(c) => `\\u00${c.charCodeAt(0).toString(16)}`,
			);
			b.send(at % 40 === 0 ? text : escaped);
			expect(await a.take((message) => 'offer' in message)).toEqual({
				action: 'announce',
				info_hash: hash,
				peer_id: bytes.slice(at + 3, at + 23),
				...offers[0],
			});
			await a.close();
			await b.close();
		}
	});
});

describe('HTTP', () => {
	test.each<[string, string, RegExp]>([
		['garbage', 'garbage\r\n\r\n', /^HTTP\/1.1 400/],
		[
			'headers beyond 8 KiB',
			`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(9_000)}\r\n\r\n`,
			/^HTTP\/1.1 431/,
		],
		[
			'a method nobody offers',
			'DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
			/^HTTP\/1.1 405/,
		],
		[
			'a path that is none',
			'GET //evil.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
			/^HTTP\/1.1 400/,
		],
		[
			'an upgrade without a key',
			'GET /announce HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n',
			/^HTTP\/1.1 400/,
		],
		[
			'an upgrade to something else',
			'GET /announce HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
			/^HTTP\/1.1 400/,
		],
	])('%s gets a clear refusal', async (_, request, status) => {
		const server = await start();
		const socket = raw(server);
		socket.write(request);
		expect(await all(socket)).toMatch(status);
	});

	test('a slow header is cut off after five seconds', async () => {
		const server = await start();
		const other = await bystander(server);
		const socket = raw(server);
		socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
		const drip = setInterval(() => socket.write('X-Drip: 1\r\n'), 500);
		cleanups.push(() => clearInterval(drip));
		expect(await all(socket)).toMatch(/^HTTP\/1.1 408/);
		await other.isWell();
	}, 15_000);

	test('a plain GET of /announce is told to upgrade', async () => {
		const server = await start();
		const response = await fetch(`${server.url}/announce`);
		expect(response.status).toBe(426);
	});

	test('health is said, and draining too', async () => {
		const server = await start();
		expect((await fetch(`${server.url}/health`)).status).toBe(200);
	});
});

describe('liveness', () => {
	test('a connection that never announces is closed', async () => {
		const server = await start({ firstAnnounceMs: 100 });
		const other = await bystander(server);
		const idle = await join(server);
		expect(await idle.ended()).toEqual({ code: 1008, reason: 'idle' });
		await other.isWell();
	});

	test('a connection that announced within its first millisecond is not taken for idle', async () => {
		const server = await start({ firstAnnounceMs: 100 });
		const clients = await Promise.all(Array.from({ length: 20 }, () => join(server)));
		clients.forEach((client, i) => client.send(announceMessage(swarm, wireId(`quick${i}`))));
		await Promise.all(clients.map((client) => client.take(isReply)));
		await new Promise((resolve) => {
			setTimeout(resolve, 1_500);
		});
		expect(server.stats()).toMatchObject({ connections: 20, ended: {} });
	});

	test('a connection that answers no ping is ended, and its peers with it', async () => {
		const server = await start({ pingMs: 1_000 });
		const client = await join(server);
		client.send(announceMessage(swarm, wireId('anna')));
		await client.take(isReply);
		(client.socket as unknown as { _socket: Socket })._socket.pause();
		await until(() => server.stats().connections === 0);
		expect(server.stats().peers).toBe(0);
	}, 15_000);

	test('a half-open holder of a peer id makes room within seconds', async () => {
		const server = await start({ limits: { probeMs: 300 } });
		const dead = await join(server);
		dead.send(announceMessage(swarm, wireId('anna')));
		await dead.take(isReply);
		(dead.socket as unknown as { _socket: Socket })._socket.pause();
		const again = await join(server);
		again.send(announceMessage(swarm, wireId('anna')));
		expect(await again.take(isReply)).toMatchObject({ interval: 2 });
		await until(() => server.stats().connections === 1);
		again.send(announceMessage(swarm, wireId('anna')));
		expect((await again.take(isReply)).interval).toBeGreaterThan(40);
	}, 15_000);

	test('a living holder answers the probe and keeps its id', async () => {
		const server = await start({ limits: { probeMs: 2000 } });
		const holder = await bystander(server);
		const thief = await join(server);
		thief.send(announceMessage(swarm, wireId('bystander')));
		await thief.take(isReply);
		await new Promise((resolve) => {
			setTimeout(resolve, 2200);
		});
		thief.send(announceMessage(swarm, wireId('bystander')));
		expect(await thief.take((message) => 'failure reason' in message)).toBeDefined();
		await holder.isWell();
	});

	test('a reader that stops is given no more than its queue, then cut off', async () => {
		const server = await start({
			limits: {
				inboundOffersPerSecond: 1e9,
				inboundOfferBurst: 1e9,
				pairGapSmallMs: 0,
				announceGapMs: 0,
				messagesPerSecond: 1e9,
				messageBurst: 1e9,
				softQueueBytes: 1e9,
				deafAfter: 1e9,
				offersPerAnnounce: 5,
			},
		});
		const slow = await join(server);
		slow.send(announceMessage(swarm, wireId('slow')));
		await slow.take(isReply);
		(slow.socket as unknown as { _socket: Socket })._socket.pause();
		const sender = await join(server);
		const offers = sampleOffers('o', 1, sampleSdp(2, 7_000));
		const flood = setInterval(() => {
			for (let i = 0; i < 20; i++)
				sender.send(announceMessage(swarm, wireId('sender'), { offers }));
		}, 5);
		cleanups.push(() => clearInterval(flood));
		await until(() => server.stats().connections === 1);
		clearInterval(flood);
		expect(server.stats().ended).toEqual({ slow: 1 });
		expect(sender.closed).toBeUndefined();
	}, 20_000);
});

describe('going down', () => {
	test('drain closes everybody with 1012 and lets nobody in', async () => {
		const server = await start();
		const clients = [await join(server), await join(server), await join(server)];
		const closing = server.close({ spreadMs: 3000 });
		expect((await fetch(`${server.url}/health`)).status).toBe(503);
		await expect(RawClient.open(server.announceUrl)).rejects.toThrow('503');
		for (const client of clients) {
			expect(await client.ended()).toEqual({ code: 1012, reason: 'draining' });
		}
		await closing;
		await expect(fetch(`${server.url}/health`)).rejects.toThrow();
	});
});
