import type { AddressInfo } from 'node:net';
// @ts-expect-error the package has no types
import Server from 'bittorrent-tracker/server';
import { afterEach, expect, it } from 'vitest';
import type { Link } from '../model/link.ts';
import type { Message } from '../model/message.ts';
import { nodeSwarm } from '../testing/node-swarm.ts';
import { toHex } from '../util/bytes.ts';
import type { Swarm } from './swarm.ts';

const infoHash = new Uint8Array(20).fill(7);
const closers: (() => unknown)[] = [];

afterEach(async () => {
	for (const close of closers.splice(0).reverse()) await close();
});

/** The stock tracker on a port of its own. */
async function stockTracker(
	port = 0,
): Promise<{ url: string; port: number; close(): Promise<void> }> {
	const server = new Server({ udp: false, http: false, ws: true, stats: false });
	await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
	const address = server.ws.address?.() ?? server.http?.address();
	const { port: actual } = (address ?? server.ws._server.address()) as AddressInfo;
	const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
	return { url: `ws://127.0.0.1:${actual}`, port: actual, close };
}

function join(trackers: string[], options = {}): { swarm: Swarm; links: Link[] } {
	const swarm = nodeSwarm({ infoHash, trackers, ...options });
	const links: Link[] = [];
	swarm.on('link', (link) => links.push(link));
	swarm.wantLinks(4);
	swarm.open();
	closers.push(() => swarm.close());
	return { swarm, links };
}

async function until(test: () => unknown, what: string, ms = 20_000): Promise<void> {
	const end = Date.now() + ms;
	while (!test()) {
		if (Date.now() > end) throw new Error(`never: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

it('three peers find each other through a stock tracker, and messages flow', async () => {
	const tracker = await stockTracker();
	closers.push(() => tracker.close());
	const t0 = Date.now();
	const a = join([tracker.url], { role: 'broadcaster' });
	const b = join([tracker.url]);
	await until(() => a.links.length === 1 && b.links.length === 1, 'a and b linked');
	console.log('ab', Date.now() - t0);
	const c = join([tracker.url]);
	await until(() => c.links.length === 2, 'c linked to both');
	console.log('c', Date.now() - t0);
	expect(c.links.map((link) => link.peerId).sort()).toEqual(
		[toHex(a.swarm.peerId), toHex(b.swarm.peerId)].sort(),
	);
	const got: Message[] = [];
	b.links[0]!.onMessage = (message) => got.push(message);
	a.links[0]!.send({ type: 'pong', nonce: 99 });
	await until(() => got.length > 0, 'a message from a to b');
	expect(got).toEqual([{ type: 'pong', nonce: 99 }]);
	console.log(a.swarm.stats, a.swarm.trackers);
});
