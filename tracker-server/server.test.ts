import { afterEach, expect, test } from 'vitest';

import { startServer } from './server.ts';
import type { RunningServer, ServerOptions } from './server.ts';
import { announceMessage, answerTo, sampleOffers, wireId } from './testing/messages.ts';
import { RawClient } from './testing/raw-client.ts';

const running: RunningServer[] = [];
const clients: RawClient[] = [];

async function start(options: ServerOptions = {}): Promise<RunningServer> {
	const server = await startServer(options);
	running.push(server);
	return server;
}

async function join(server: RunningServer): Promise<RawClient> {
	const client = await RawClient.open(server.announceUrl);
	clients.push(client);
	return client;
}

afterEach(async () => {
	for (const client of clients.splice(0)) await client.close();
	for (const server of running.splice(0)) await server.close();
});

const swarm = wireId('swarm');

test('two peers meet: an offer goes one way, its answer comes back', async () => {
	const server = await start();
	const anna = await join(server);
	anna.send(announceMessage(swarm, wireId('anna'), { left: 0 }));
	const reply = await anna.take((message) => 'interval' in message);
	expect(reply).toMatchObject({ action: 'announce', info_hash: swarm, complete: 1, incomplete: 0 });

	const bert = await join(server);
	bert.send(announceMessage(swarm, wireId('bert'), { offers: sampleOffers('b', 5) }));
	const offer = await anna.take((message) => 'offer' in message);
	expect(offer).toMatchObject({ action: 'announce', info_hash: swarm, peer_id: wireId('bert') });

	anna.send(answerTo(offer, wireId('anna')));
	const answer = await bert.take((message) => 'answer' in message);
	expect(answer).toMatchObject({ peer_id: wireId('anna'), offer_id: offer.offer_id });
	expect(server.stats()).toMatchObject({ connections: 2, swarms: 1, peers: 2 });
});

test('two servers in one process do not know of each other', async () => {
	const [one, two] = [await start(), await start()];
	const client = await join(one);
	client.send(announceMessage(swarm, wireId('anna')));
	await client.take((message) => 'interval' in message);
	expect(one.stats().peers).toBe(1);
	expect(two.stats().peers).toBe(0);
});

test('a busy port is said in one sentence', async () => {
	const server = await start();
	const port = Number(new URL(server.url).port);
	await expect(startServer({ port })).rejects.toThrow(
		`Port ${port} is in use: stop the other program, or choose another number with --port or the variable PORT.`,
	);
});

test('close is idempotent and frees the port', async () => {
	const server = await start();
	const port = Number(new URL(server.url).port);
	await Promise.all([server.close(), server.close()]);
	await start({ port });
});

test('config.json names the tracker by the address the visitor used', async () => {
	const server = await start();
	const response = await fetch(`${server.url}/config.json`);
	expect(response.headers.get('cache-control')).toBe('no-store');
	expect(response.headers.get('access-control-allow-origin')).toBe('*');
	expect(await response.json()).toEqual({ trackers: [server.announceUrl], iceServers: [] });
});
