import { randomBytes } from 'node:crypto';
import { expect, test as base, type Page } from '@playwright/test';
import type { Link } from '../src/lib/model/link.ts';
import { nodeSwarm } from '../src/lib/testing/node-swarm.ts';
import { toHex } from '../src/lib/util/bytes.ts';
import { startServer, type RunningServer } from '../tracker-server/server.ts';
import { openSwarmLab, type SwarmLabSite } from './swarm/lab.ts';

const test = base.extend<
	{ infoHash: string; openPage: () => Promise<Page> },
	{ labSite: SwarmLabSite; tracker: RunningServer }
>({
	labSite: [
		async ({}, use) => {
			const site = await openSwarmLab();
			await use(site);
			await site.close();
		},
		{ scope: 'worker' },
	],
	tracker: [
		async ({}, use) => {
			const tracker = await startServer({ stun: false });
			await use(tracker);
			await tracker.close();
		},
		{ scope: 'worker' },
	],
	infoHash: async ({}, use) => use(randomBytes(20).toString('hex')),
	openPage: async ({ context, labSite }, use) => {
		await use(async () => {
			const page = await context.newPage();
			await page.goto(labSite.url);
			await page.waitForFunction(() => 'swarmLab' in window);
			return page;
		});
	},
});

const joinPage = (page: Page, tracker: RunningServer, infoHash: string) =>
	page.evaluate(([url, hash]) => window.swarmLab.join(url, hash), [
		tracker.announceUrl,
		infoHash,
	] as const);

function joinNode(tracker: RunningServer, infoHash: string) {
	const swarm = nodeSwarm({
		infoHash: Buffer.from(infoHash, 'hex'),
		trackers: [tracker.announceUrl],
	});
	const links: Link[] = [];
	swarm.on('link', (link) => links.push(link));
	swarm.wantLinks(4);
	swarm.open();
	return { swarm, links, id: toHex(swarm.peerId) };
}

for (const first of ['browser', 'Node'] as const) {
	test(`a browser and Node meet when the ${first} peer is there first`, async ({
		openPage,
		tracker,
		infoHash,
	}) => {
		const page = await openPage();
		let pageId = '';
		if (first === 'browser') {
			pageId = await joinPage(page, tracker, infoHash);
			await page.waitForFunction(() => window.swarmLab.swarm?.trackers[0]?.state === 'open');
		}
		const node = joinNode(tracker, infoHash);
		if (first === 'Node') {
			await expect.poll(() => node.swarm.trackers[0]?.state).toBe('open');
			pageId = await joinPage(page, tracker, infoHash);
		}
		await page.evaluate(() => window.swarmLab.linked(1));
		await expect.poll(() => node.links.length).toBe(1);
		const [link] = node.links as [Link];
		expect(link.peerId).toBe(pageId);
		expect(await page.evaluate(() => window.swarmLab.neighbours())).toEqual([node.id]);

		let bytes = 0;
		link.onMessage = (message) => {
			if (message.type === 'piece') bytes += message.block.length;
		};
		await page.evaluate(() => window.swarmLab.sendPieces(100));
		await expect.poll(() => bytes).toBe(100 * 16_384);
		for (let index = 0; index < 100; index++) {
			link.send({ type: 'piece', index, begin: 0, block: new Uint8Array(16_384) });
		}
		await page.waitForFunction(() => window.swarmLab.heard.length === 100);
		await node.swarm.close();
		await page.waitForFunction(() => window.swarmLab.heard.includes('gone'));
	});
}

test('three browser pages find each other, and a closed one is missed at once', async ({
	openPage,
	tracker,
	infoHash,
}) => {
	const pages = [await openPage(), await openPage(), await openPage()] as const;
	for (const page of pages) await joinPage(page, tracker, infoHash);
	for (const page of pages) await page.evaluate(() => window.swarmLab.linked(2));
	const [a, b, c] = pages;
	await c.close();
	for (const page of [a, b]) {
		await page.waitForFunction(() => window.swarmLab.neighbours().length === 1);
		expect(await page.evaluate(() => window.swarmLab.heard)).toEqual(['bye', 'gone']);
	}
});

test('a page holds few RTCPeerConnections and lets go of all of them', async ({
	openPage,
	tracker,
	infoHash,
}) => {
	const page = await openPage();
	await joinPage(page, tracker, infoHash);
	await page.waitForFunction(() => window.swarmLab.swarm?.stats.openOffers === 5);
	expect(await page.evaluate(() => window.swarmLab.swarm?.stats.connections)).toBe(5);
	const left = await page.evaluate(async () => {
		const { swarm } = window.swarmLab;
		await swarm?.close();
		return swarm?.stats.connections;
	});
	expect(left).toBe(0);
});
