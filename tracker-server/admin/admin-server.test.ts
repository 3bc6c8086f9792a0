import { afterEach, expect, test } from 'vitest';

import { MemoryMedium } from '../bus/memory-bus.ts';
import { startServer } from '../server.ts';
import type { RunningServer, ServerOptions } from '../server.ts';
import { announceMessage, answerTo, sampleOffers, wireId } from '../testing/messages.ts';
import { RawClient } from '../testing/raw-client.ts';
import { statusPage } from './status-page.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: ServerOptions = {}): Promise<RunningServer & { adminUrl: string }> {
	const server = await startServer({ stun: false, adminPort: 0, ...options });
	cleanups.push(() => server.close());
	return server as RunningServer & { adminUrl: string };
}

async function meeting(server: RunningServer): Promise<void> {
	const swarm = '\xfe'.repeat(20);
	const [anna, bert] = [
		await RawClient.open(server.announceUrl),
		await RawClient.open(server.announceUrl),
	];
	cleanups.push(
		() => anna.close(),
		() => bert.close(),
	);
	anna.send(announceMessage(swarm, wireId('anna-secret-id'), { left: 0 }));
	await anna.take((message) => 'interval' in message);
	bert.send(announceMessage(swarm, wireId('bert-secret-id'), { offers: sampleOffers('o', 2) }));
	anna.send(answerTo(await anna.take((message) => 'offer' in message), wireId('anna-secret-id')));
	await bert.take((message) => 'answer' in message);
	bert.send('{');
	bert.send({ action: 'scrape', info_hash: swarm });
	await bert.take((message) => 'files' in message);
}

test('metrics count what happened, and name no torrent, peer or address', async () => {
	const server = await start();
	await meeting(server);
	const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
	for (const line of [
		'tracker_connections 2',
		'tracker_swarms 1',
		'tracker_peers{role="seeder"} 1',
		'tracker_peers{role="leecher"} 1',
		'tracker_largest_swarm_peers 2',
		'tracker_offers_total{result="relayed"} 1',
		'tracker_offers_total{result="no_peer"} 1',
		'tracker_answers_total{result="relayed"} 1',
		'tracker_messages_total{dir="in",type="announce"} 2',
		'tracker_messages_total{dir="out",type="reply"} 3',
		'tracker_invalid_total{reason="json"} 1',
		'tracker_offer_answer_seconds_count 1',
		'tracker_offer_answer_seconds_bucket{le="+Inf"} 1',
		'tracker_announce_seconds_count 2',
	]) {
		expect(text).toContain(`${line}\n`);
	}
	expect(text).toContain('# TYPE tracker_offer_answer_seconds histogram');
	expect(text).toMatch(/nodejs_eventloop_lag/);
	expect(text).not.toMatch(/secret|127\.0\.0\.1|fefefe|þ/);
});

test('health, readiness and stats are JSON', async () => {
	const server = await start();
	await meeting(server);
	const json = async (path: string) =>
		(await (await fetch(`${server.adminUrl}${path}`)).json()) as object;
	expect(await json('/health')).toMatchObject({ healthy: true });
	expect(await json('/ready')).toEqual({ ready: true, degraded: false });
	expect(await json('/stats.json')).toMatchObject({
		torrentsCount: 1,
		peersCount: 2,
		servers: [{ webSocketsCount: 2 }],
	});
});

test('a draining server is not ready', async () => {
	const server = await start();
	await meeting(server);
	const closing = server.close({ spreadMs: 3000 });
	expect((await fetch(`${server.adminUrl}/ready`)).status).toBe(503);
	await closing;
});

test('a lost bus degrades but stays ready', async () => {
	const medium = new MemoryMedium();
	const server = await start({ bus: medium.bus() });
	medium.isCut = true;
	const response = await fetch(`${server.adminUrl}/ready`);
	expect(response.status).toBe(200);
	expect(await response.json()).toEqual({ ready: true, degraded: true });
	expect(await (await fetch(server.adminUrl)).text()).toContain('serves its own peers alone');
	expect(await (await fetch(`${server.adminUrl}/metrics`)).text()).toContain('tracker_bus_up 0\n');
});

test('the status page is one file that loads nothing', async () => {
	const server = await start();
	await meeting(server);
	const response = await fetch(server.adminUrl);
	const html = await response.text();
	expect(response.headers.get('content-security-policy')).toContain(`default-src 'none'`);
	expect(html).toContain('Peers');
	expect(html).not.toMatch(/<script|<link|<img|src=|url\(|https?:/);
	expect(html).not.toMatch(/secret|127\.0\.0\.1/);
});

test('the public port has none of this', async () => {
	const server = await start();
	for (const path of ['/metrics', '/stats.json', '/ready']) {
		expect((await fetch(`${server.url}${path}`)).status).toBe(404);
	}
});

test('a busy admin port is said by its own name, and the server does not stay up half', async () => {
	const server = await start();
	const adminPort = Number(new URL(server.adminUrl).port);
	await expect(startServer({ stun: false, adminPort })).rejects.toThrow(
		'--admin-port or the variable SHOAL_ADMIN_PORT',
	);
});

test('what the page shows is escaped, and gaps are gaps', () => {
	const moment = {
		atMs: 0,
		peers: 3,
		connections: 3,
		announceRate: 1.5,
		answerSeconds: undefined,
		answeredShare: undefined,
	};
	const html = statusPage({
		health: { word: 'Good', reason: '<b>' },
		moments: [moment, { ...moment, atMs: 10_000, answerSeconds: 0.4 }, { ...moment, atMs: 20_000 }],
		figures: [{ label: 'a&b', value: '"' }],
		tables: [{ title: 't', rows: [['<i>', 1]] }],
		uptimeS: 4_000,
	});
	expect(html).not.toMatch(/<b>[^0-9–]|<i>/);
	expect(html).toContain('Up 67 min');
	expect(html).not.toContain('NaN');
});
