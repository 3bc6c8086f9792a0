// @ts-expect-error the package has no types
import StockClient from 'bittorrent-tracker/client';
import { afterEach, expect, it } from 'vitest';
import { nodeSwarm } from '../testing/node-swarm.ts';
import { stockTracker } from '../testing/stock-tracker.ts';
import { concatBytes, fromHex, toHex, utf8 } from '../util/bytes.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
	for (const close of closers.splice(0).reverse()) await close();
});

/** What a stock peer's connection (simple-peer) looks like. */
interface StockPeer {
	readonly initiator: boolean;
	on(event: 'connect' | 'close' | 'error', listener: () => void): void;
	on(event: 'data', listener: (bytes: Uint8Array) => void): void;
	write(bytes: Uint8Array): void;
}

const infoHash = crypto.getRandomValues(new Uint8Array(20));
const stockId = '2d5757303330302d' + 'ab'.repeat(12);

/** A stock WebTorrent peer: the tracker client and simple-peer, as they are. Its offers take 5 s in Node. */
function stockPeer(url: string, onPeer: (peer: StockPeer) => void): { update(): void } {
	const client = new StockClient({
		infoHash: toHex(infoHash),
		peerId: stockId,
		announce: [url],
		port: 6881,
		rtcConfig: { iceServers: [] },
	});
	client.on('error', () => undefined);
	client.on('warning', () => undefined);
	client.on('peer', onPeer);
	client.start();
	closers.push(() => client.destroy());
	return client as { update(): void };
}

// BEP 3 with the bit of BEP 10 set, as WebTorrent says it.
const handshake = concatBytes(
	utf8('\x13BitTorrent protocol'),
	new Uint8Array([0, 0, 0, 0, 0, 0x10, 0, 0x05]),
	infoHash,
	fromHex(stockId)!,
);

for (const initiator of [true, false]) {
	it(`a stock peer that ${initiator ? 'offers' : 'answers'} gets an open channel and our handshake`, async () => {
		const tracker = await stockTracker();
		closers.push(() => tracker.close());
		const swarm = nodeSwarm({ infoHash, trackers: [tracker.url] });
		closers.push(() => swarm.close());
		swarm.wantLinks(4);
		const opened = new Promise<{ initiator: boolean; first: Uint8Array }>((resolve) => {
			stockPeer(tracker.url, (peer) => {
				peer.on('error', () => undefined);
				peer.on('data', (first) => resolve({ initiator: peer.initiator, first }));
				const greet = () => peer.write(handshake);
				if ((peer as unknown as { connected: boolean }).connected) greet();
				else peer.on('connect', greet);
			});
		});
		// Who announces first has nobody to offer to; the other one's offer is taken.
		if (!initiator) await tracker.whenJoined;
		swarm.open();
		const { first, ...got } = await opened;
		expect(got.initiator).toBe(initiator);
		expect(toHex(first.subarray(0, 68))).toBe(
			toHex(
				concatBytes(
					utf8('\x13BitTorrent protocol'),
					first.subarray(20, 28), // reserved bits are the wire's business
					infoHash,
					swarm.peerId,
				),
			),
		);
	});
}
