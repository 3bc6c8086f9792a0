import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { build } from 'vite';

import { startServer } from '../server.ts';
import type { RunningServer } from '../server.ts';
import { announceMessage, answerTo, sampleOffers, wireId } from '../testing/messages.ts';
import { RawClient } from '../testing/raw-client.ts';
import { findRedis, startRedis } from '../testing/redis.ts';
import type { RedisProcess } from '../testing/redis.ts';

const program = findRedis();
const swarm = wireId('swarm');
const isReply = (message: object) => 'interval' in message;

describe.skipIf(program === undefined)('several nodes over Redis', () => {
	let redis: RedisProcess;
	const cleanups: (() => unknown)[] = [];

	beforeAll(async () => {
		redis = await startRedis(program ?? '');
	}, 60_000);
	afterEach(async () => {
		for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
	});
	afterAll(() => redis?.close());

	async function startNode(nodeName: string): Promise<RunningServer> {
		const server = await startServer({ stun: false, redisUrl: redis.url, nodeName });
		cleanups.push(() => server.close());
		return server;
	}

	async function join(announceUrl: string, name: string, fields = {}): Promise<RawClient> {
		const client = await RawClient.open(announceUrl);
		cleanups.push(() => client.close());
		client.send(announceMessage(swarm, wireId(name), fields));
		await client.take(isReply);
		return client;
	}

	async function until(done: () => boolean | undefined, withinMs: number): Promise<void> {
		const deadlineMs = performance.now() + withinMs;
		while (!done()) {
			if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs} ms`);
			await pause(20);
		}
	}

	const know = (a: RunningServer, b: RunningServer) => () =>
		[a, b].every(
			(server) => server.stats().cluster?.nodes.length === 1 && server.stats().cluster?.up,
		);

	/** Two peers, one on each node, exchange an offer and its answer. */
	async function meet(one: RunningServer, two: RunningServer, name: string): Promise<void> {
		const anna = await join(one.announceUrl, `${name}-anna`);
		// Until the second node has heard of her.
		await pause(5_000);
		const bert = await join(two.announceUrl, `${name}-bert`, { offers: sampleOffers(name, 5) });
		const offer = await anna.take((message) => 'offer' in message);
		expect(offer.peer_id).toBe(wireId(`${name}-bert`));
		anna.send(answerTo(offer, wireId(`${name}-anna`)));
		const answer = await bert.take((message) => 'answer' in message);
		expect(answer).toMatchObject({ peer_id: wireId(`${name}-anna`), offer_id: offer.offer_id });
		await anna.close();
		await bert.close();
	}

	test('peers on two nodes meet', async () => {
		const [one, two] = [await startNode('one'), await startNode('two')];
		await until(know(one, two), 10_000);
		await meet(one, two, 'm');
	}, 30_000);

	test('Redis is killed: each node goes on; it comes back: they are one again', async () => {
		const [one, two] = [await startNode('one'), await startNode('two')];
		await until(know(one, two), 10_000);
		const anna = await join(one.announceUrl, 'anna');
		await redis.kill();
		await until(
			() => one.stats().cluster?.up === false && two.stats().cluster?.up === false,
			15_000,
		);
		await join(one.announceUrl, 'berta', { offers: sampleOffers('b', 1) });
		await anna.take((message) => 'offer' in message);

		await redis.restart();
		await until(know(one, two), 20_000);
		await meet(one, two, 'again');
	}, 60_000);

	test('a node starts without Redis and joins when it comes', async () => {
		await redis.kill();
		const [one, two] = [await startNode('one'), await startNode('two')];
		await join(one.announceUrl, 'anna');
		expect(one.stats().cluster).toEqual({ nodes: [], up: false });
		await redis.restart();
		await until(know(one, two), 20_000);
	}, 40_000);

	test('a node is killed: its viewers are back in the swarm on the other', async () => {
		const two = await startNode('two');
		const dir = mkdtempSync(joinPath(tmpdir(), 'shoal-node-'));
		cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
		const one = await startNodeProcess(dir, redis.url);
		cleanups.push(() => one.child.kill('SIGKILL'));
		await until(() => two.stats().cluster?.nodes.length === 1, 15_000);
		const source = await join(two.announceUrl, 'source', { left: 0 });

		const viewers = await Promise.all(
			Array.from({ length: 8 }, (_, i) => join(one.announceUrl, `viewer${i}`)),
		);
		const gone = once(one.child, 'exit');
		one.child.kill('SIGKILL');
		await gone;
		// As our client does it: another tracker after a random part of up to ten seconds.
		await Promise.all(
			viewers.map(async (viewer, i) => {
				await viewer.ended();
				await pause(300 + Math.random() * 9_700);
				await join(two.announceUrl, `viewer${i}`, { offers: sampleOffers(`v${i}`, 5) });
			}),
		);
		expect(two.stats().peers).toBe(9);
		await source.take((message) => 'offer' in message);
		await until(() => two.stats().cluster?.nodes.length === 0, 15_000);
	}, 90_000);
});

/** A node in a process of its own, so that it can be killed. */
async function startNodeProcess(
	dir: string,
	redisUrl: string,
): Promise<{ child: ChildProcess; announceUrl: string }> {
	const root = joinPath(import.meta.dirname, '../..');
	await build({
		root,
		configFile: false,
		publicDir: false,
		logLevel: 'error',
		build: {
			ssr: joinPath(root, 'tracker-server/main.ts'),
			outDir: dir,
			target: 'node20',
			rolldownOptions: { output: { entryFileNames: 'main.mjs' } },
		},
		ssr: { noExternal: true },
	});
	const child = fork(
		joinPath(dir, 'main.mjs'),
		[
			'--tracker-only',
			'--port',
			'0',
			'--host',
			'127.0.0.1',
			'--no-stun',
			'--redis',
			redisUrl,
			'--log-level',
			'silent',
		],
		{ stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
	);
	const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
	return { child, announceUrl: line.toString().trim() };
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => {
		setTimeout(resolve, ms);
	});
}
