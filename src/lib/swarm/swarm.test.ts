import { RTCDataChannel } from 'node-datachannel/polyfill';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import type { Link } from '../model/link.ts';
import type { Message, SignalMessage } from '../model/message.ts';
import type { WireFactory } from '../model/wire.ts';
import { machineClock, nodeSwarm, realWire } from '../testing/node-swarm.ts';
import { stockTracker, type RunningTracker } from '../testing/stock-tracker.ts';
import { toHex } from '../util/bytes.ts';
import type { Clock } from '../util/clock.ts';
import { binaryStringOfHex, randomIdHex } from './binary-id.ts';
import * as bounds from './bounds.ts';
import type { Swarm, SwarmOptions, SwarmTrouble } from './swarm.ts';

let infoHash: Uint8Array;
const closers: (() => unknown)[] = [];

beforeEach(() => {
	infoHash = crypto.getRandomValues(new Uint8Array(20));
});
afterEach(async () => {
	for (const close of closers.splice(0).reverse()) await close();
});

interface Peer {
	readonly swarm: Swarm;
	readonly id: string;
	readonly links: Link[];
	readonly troubles: SwarmTrouble[];
}

function join(trackers: readonly string[], options: Partial<SwarmOptions> = {}, wanted = 4): Peer {
	const swarm = nodeSwarm({ infoHash, trackers, ...options });
	const peer: Peer = { swarm, id: toHex(swarm.peerId), links: [], troubles: [] };
	swarm.on('link', (link) => {
		peer.links.push(link);
		link.onClose = () => peer.links.splice(peer.links.indexOf(link), 1);
	});
	swarm.on('trouble', (trouble) => peer.troubles.push(trouble));
	swarm.wantLinks(wanted);
	swarm.open();
	closers.push(() => swarm.close());
	return peer;
}

async function track(port = 0): Promise<RunningTracker> {
	const tracker = await stockTracker(port);
	closers.push(() => tracker.close());
	return tracker;
}

async function until(test: () => unknown, ms = 25_000): Promise<void> {
	const endMs = performance.now() + ms;
	while (!test()) {
		if (performance.now() > endMs) throw new Error(`never: ${test.toString()}`);
		await pause(5);
	}
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Time that runs `factor` times as fast, for deadlines. */
function fastClock(factor: number): Clock {
	return {
		now: () => machineClock.now() * factor,
		wallNow: () => machineClock.wallNow(),
		after: (delayMs, callback) => machineClock.after(delayMs / factor, callback),
	};
}

it('three peers find each other through a stock tracker, and messages flow both ways', async () => {
	const { url } = await track();
	const a = join([url], { role: 'broadcaster' });
	const b = join([url]);
	await until(() => a.links.length === 1 && b.links.length === 1);
	const c = join([url]);
	await until(() => a.links.length === 2 && b.links.length === 2 && c.links.length === 2);
	expect(c.links.map(({ peerId }) => peerId).sort()).toEqual([a.id, b.id].sort());
	const [toB] = a.links.filter(({ peerId }) => peerId === b.id);
	const [toA] = b.links.filter(({ peerId }) => peerId === a.id);
	expect(toA?.initiated).toBe(!toB?.initiated);
	// What a signature ties itself to is the same at both ends, and another at each end.
	const { ours, theirs } = toA!.fingerprints!;
	expect(toB!.fingerprints).toEqual({ ours: theirs, theirs: ours });
	expect(ours).not.toEqual(theirs);
	const got: Message[] = [];
	toA!.onMessage = (message) => {
		got.push(message);
		toA!.send({ type: 'pong', nonce: 8 });
	};
	toB!.onMessage = (message) => got.push(message);
	toB!.send({ type: 'pong', nonce: 7 });
	await until(() => got.length === 2);
	expect(got).toEqual([
		{ type: 'pong', nonce: 7 },
		{ type: 'pong', nonce: 8 },
	]);
	expect(a.troubles).toEqual([]);
});

it('peers that come at the same moment, over two trackers, have one link and not two', async () => {
	const urls = [(await track()).url, (await track()).url];
	const peers = [1, 2, 3].map(() => join(urls));
	await until(() => peers.every(({ links }) => links.length === 2));
	await pause(300);
	for (const { id, links, swarm } of peers) {
		const others = peers.map((peer) => peer.id).filter((other) => other !== id);
		expect(links.map(({ peerId }) => peerId).sort()).toEqual(others.sort());
		expect(swarm.stats.links).toBe(2);
	}
});

it('counts the audience: the broadcaster is complete, viewers are not', async () => {
	const { url, whenJoined } = await track();
	join([url], { role: 'broadcaster' });
	const b = nodeSwarm({ infoHash, trackers: [url] });
	closers.push(() => b.close());
	const audience: unknown[] = [];
	b.on('audience', (counts) => audience.push(counts));
	await whenJoined;
	b.open();
	await until(() => audience.length > 0);
	expect(audience[0]).toEqual({ complete: 1, incomplete: 1 });
});

it('links outlive the tracker, and newcomers find them when it is back', async () => {
	const first = await track();
	const a = join([first.url]);
	const b = join([first.url]);
	await until(() => a.links.length === 1 && b.links.length === 1);
	await first.close();
	await until(() => a.troubles.length > 0);
	expect(a.troubles).toEqual([{ code: 'no-tracker', detail: expect.stringContaining(first.url) }]);
	expect(a.swarm.trackers[0]).toMatchObject({ state: 'retrying', lastError: expect.anything() });
	const got = vi.fn();
	b.links[0]!.onMessage = got;
	a.links[0]!.send({ type: 'pong', nonce: 1 });
	await until(() => got.mock.calls.length > 0);
	await track(first.port);
	const c = join([first.url]);
	// One side of a link is open a message before the other.
	await until(() => [a, b, c].every(({ links }) => links.length === 2));
	expect(a.swarm.trackers[0]).toMatchObject({ state: 'open' });
	expect(a.troubles).toHaveLength(1);
});

it('a tracker that is not there is tried again and told once; another one serves meanwhile', async () => {
	const { url } = await track();
	const dead = 'ws://127.0.0.1:9';
	const a = join([dead, url]);
	const b = join([url]);
	await until(() => a.links.length === 1 && b.links.length === 1);
	expect(a.troubles).toEqual([]);
	expect(a.swarm.trackers.map(({ state }) => state)).toContain('open');
	const lonely = join([dead]);
	await until(() => lonely.troubles.length > 0);
	await pause(1500);
	expect(lonely.troubles).toEqual([{ code: 'no-tracker', detail: expect.stringContaining(dead) }]);
	expect(join([]).swarm.trackers).toEqual([]);
});

it('says when there is no WebRTC and no tracker to ask', async () => {
	const troubles: string[] = [];
	for (const options of [{ webrtc: undefined, trackers: ['ws://127.0.0.1:9'] }, { trackers: [] }]) {
		const swarm = nodeSwarm({ infoHash, ...options });
		swarm.on('trouble', ({ code }) => troubles.push(code));
		swarm.open();
		await swarm.close();
	}
	expect(troubles).toEqual(['no-webrtc', 'no-tracker']);
});

it('says when peers are found and no path to any of them', async () => {
	const { url } = await track();
	// Relayed paths only, and no server to relay.
	const options = { iceTransportPolicy: 'relay', clock: fastClock(10) } as const;
	const a = join([url], options);
	const b = join([url], options);
	await until(() => a.troubles.length > 0 && b.troubles.length > 0, 60_000);
	expect(a.troubles.map(({ code }) => code)).toEqual(['ice-failed']);
	expect(a.swarm.stats.ended.unreachable).toBeGreaterThanOrEqual(bounds.ICE_FAILURES_TO_TELL);
	expect(a.links).toEqual([]);
});

it('makes no offers and takes none when no links are wanted', async () => {
	const { url } = await track();
	const a = join([url], {}, 0);
	await until(() => a.swarm.trackers[0]?.state === 'open');
	const b = join([url]);
	await until(() => a.swarm.stats.offersRefused.unwanted > 0);
	expect(a.swarm.stats).toMatchObject({ offersMade: 0, offersTaken: 0, connections: 0 });
	expect(b.links).toEqual([]);
	a.swarm.wantLinks(1);
	await until(() => a.links.length === 1);
	a.swarm.wantLinks(0);
	await until(() => a.swarm.stats.openOffers <= bounds.MAX_OFFERS_PER_ANNOUNCE);
});

it('neighbours introduce peers to each other without a tracker', async () => {
	const [left, right] = [await track(), await track()];
	const a = join([left.url]);
	const b = join([left.url, right.url]);
	const c = join([right.url]);
	await until(() => a.links.length === 1 && b.links.length === 2 && c.links.length === 1);
	await left.close();
	await right.close();
	// B passes on what it is told to, and writes whom it is from, as the engine does.
	for (const link of b.links) {
		link.onMessage = (message) => {
			if (message.type !== 'signal') return;
			const next = b.links.find(({ peerId }) => peerId === toHex(message.to));
			const from = (link.peerId === a.id ? a : c).swarm.peerId;
			next?.send({ ...message, from });
		};
	}
	for (const peer of [a, c]) {
		const toB = peer.links[0]!;
		const send = (signal: SignalMessage) => toB.send(signal);
		toB.onMessage = (message) => {
			if (message.type === 'signal') peer.swarm.onSignal(message, send);
		};
	}
	a.swarm.connectVia(c.swarm.peerId, (signal) => a.links[0]!.send(signal));
	await until(() => a.links.length === 2 && c.links.length === 2);
	expect(a.links[1]).toMatchObject({ peerId: c.id, origin: 'exchange', initiated: true });
	expect(c.links[1]).toMatchObject({ peerId: a.id, origin: 'exchange', initiated: false });
	expect(a.swarm.stats.linksByOrigin).toEqual({ tracker: 1, exchange: 1 });
});

it('introductions are bounded, and answers that fit no offer are dropped', async () => {
	const a = join([], {}, 4);
	const sent: SignalMessage[] = [];
	for (let i = 0; i < 50; i++) {
		const id = crypto.getRandomValues(new Uint8Array(20));
		a.swarm.connectVia(id, (signal) => sent.push(signal));
	}
	a.swarm.connectVia(a.swarm.peerId, (signal) => sent.push(signal));
	a.swarm.connectVia(new Uint8Array(3), (signal) => sent.push(signal));
	await until(() => sent.length === bounds.MAX_EXCHANGE_ATTEMPTS);
	expect(a.swarm.stats.connections).toBe(bounds.MAX_EXCHANGE_ATTEMPTS);
	const [offer] = sent as [SignalMessage];
	const reply = vi.fn();
	const answer: SignalMessage = { ...offer, kind: 'answer', from: offer.to, to: offer.from };
	a.swarm.onSignal({ ...answer, from: new Uint8Array(20) }, reply); // of somebody else
	a.swarm.onSignal({ ...answer, offerId: new Uint8Array(20) }, reply); // to nothing
	a.swarm.onSignal({ ...answer, sdp: 'v=0' }, reply); // no description
	expect(a.swarm.stats).toMatchObject({ answersRefused: 3, answersTaken: 0 });
	for (let i = 0; i < 100; i++) {
		const from = crypto.getRandomValues(new Uint8Array(20));
		a.swarm.onSignal({ ...offer, from }, reply);
	}
	const { offersTaken, offersRefused, connections } = a.swarm.stats;
	expect(offersTaken).toBeLessThanOrEqual(bounds.INBOUND_OFFERS_BURST);
	expect(offersRefused.budget + offersRefused.unwanted + offersRefused.full).toBeGreaterThan(80);
	expect(connections).toBeLessThanOrEqual(bounds.MAX_ATTEMPTS);
});

it('a hostile tracker breaks nothing and costs little', async () => {
	const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
	await new Promise((resolve) => server.once('listening', resolve));
	const { port } = server.address() as { port: number };
	closers.push(() => {
		for (const client of server.clients) client.terminate();
		server.close();
	});
	const announced: any[] = [];
	const hash = binaryStringOfHex(toHex(infoHash));
	server.on('connection', (socket) => {
		socket.on('message', (data) => announced.push(JSON.parse((data as Buffer).toString())));
	});
	const good = await track();
	const a = join([`ws://127.0.0.1:${port}`, good.url]);
	// A first announce may go before an offer is made.
	const announcedOffers = () => announced.flatMap(({ offers }) => offers ?? []);
	await until(() => announcedOffers().length > 0);
	const [{ offer_id, offer }] = announcedOffers();
	const say = (fields: object) => {
		for (const client of server.clients) {
			client.send(JSON.stringify({ action: 'announce', info_hash: hash, ...fields }));
		}
	};
	const someone = () => binaryStringOfHex(randomIdHex());
	for (const client of server.clients) {
		for (const frame of ['', '{', 'null', '[]', '"x"', '{"action":{}}']) client.send(frame);
		client.send(new Uint8Array(100));
	}
	say({ interval: 'soon', complete: -1, incomplete: {} });
	for (const answer of [5, { type: 'answer', sdp: 'v=0' }, { type: 'answer', sdp: offer.sdp }]) {
		say({ peer_id: someone(), offer_id: someone(), answer });
	}
	say({ peer_id: someone(), offer_id, answer: { type: 'answer', sdp: 'v=0\r\nm=audio' } });
	// A well-formed description of nonsense reaches WebRTC itself.
	const nonsense = offer.sdp.replace(/a=fingerprint:.*/, 'a=fingerprint:sha-256 00');
	say({ peer_id: someone(), offer_id, answer: { type: 'answer', sdp: nonsense } });
	say({ peer_id: someone(), offer_id: someone(), offer: { type: 'offer', sdp: nonsense } });
	let most = 0;
	for (let i = 0; i < 1000; i++) {
		say({ peer_id: someone(), offer_id: someone(), offer });
		if (i % 20 === 0) await pause(1);
		most = Math.max(most, a.swarm.stats.connections);
	}
	await pause(200);
	most = Math.max(most, a.swarm.stats.connections);
	expect(most).toBeGreaterThan(0);
	expect(most).toBeLessThanOrEqual(bounds.MAX_ATTEMPTS);
	expect(a.swarm.stats.offersTaken).toBeLessThanOrEqual(bounds.INBOUND_OFFERS_BURST + 2);
	expect(a.links).toEqual([]);
	const b = join([good.url]);
	await until(() => b.links.length === 1 && a.links.length === 1);
});

it('a peer that breaks the protocol is dropped and not met again; others are unharmed', async () => {
	const { url } = await track();
	const a = join([url]);
	const good = join([url]);
	await until(() => a.links.length === 1 && good.links.length === 1);
	const rude: WireFactory = (options) => {
		const wire = realWire(options);
		wire.start = () => [new Uint8Array(4000).fill(0x42)];
		return wire;
	};
	const bad = join([url], { wire: rude });
	await until(() => (a.swarm.stats.ended.protocol ?? 0) > 0);
	await until(() => (good.swarm.stats.ended.protocol ?? 0) > 0);
	// Its own side may have thought that all was well.
	await until(() => bad.links.length === 0);
	expect(a.links).toHaveLength(1);
	bad.swarm.wantLinks(5);
	await until(
		() => a.swarm.stats.offersRefused.shunned > 0 || good.swarm.stats.offersRefused.shunned > 0,
	);
	expect(a.swarm.stats.linksMade).toBe(1);
});

it('a peer that goes by another name on the wire is dropped', async () => {
	const { url } = await track();
	const a = join([url]);
	const liar: WireFactory = (options) =>
		realWire({ ...options, peerId: new Uint8Array(20).fill(1) });
	const b = join([url], { wire: liar });
	await until(() => (a.swarm.stats.ended.protocol ?? 0) > 0);
	expect([...a.links, ...b.links.filter(({ peerId }) => peerId !== a.id)]).toEqual([]);
});

it('last words arrive, and both sides let go of everything', async () => {
	const { url } = await track();
	const a = join([url]);
	const b = join([url]);
	await until(() => a.links.length === 1 && b.links.length === 1);
	const heard: string[] = [];
	const link = b.links[0]!;
	link.onMessage = ({ type }) => heard.push(type);
	link.onClose = (why) => heard.push(why);
	a.links[0]!.onClose = () => heard.push('told of its own close');
	for (let i = 0; i < 20; i++) {
		a.links[0]!.send({ type: 'piece', index: i, begin: 0, block: new Uint8Array(16_384) });
	}
	a.links[0]!.send({ type: 'bye' });
	await a.swarm.close();
	expect(a.swarm.stats.connections).toBe(0);
	await until(() => heard.includes('gone'));
	expect(heard).toEqual([...Array.from({ length: 20 }, () => 'piece'), 'bye', 'gone']);
	await b.swarm.close();
	expect(b.swarm.stats).toMatchObject({ connections: 0, links: 0, openOffers: 0 });
	await b.swarm.close();
	b.swarm.wantLinks(3);
	b.swarm.open();
	expect(b.swarm.stats.connections).toBe(0);
});

it('a link says what it has not sent yet, and when it drained', async () => {
	const { url } = await track();
	const a = join([url]);
	const b = join([url]);
	await until(() => a.links.length === 1 && b.links.length === 1);
	let bytes = 0;
	b.links[0]!.onMessage = (message) => {
		if (message.type === 'piece') bytes += message.block.length;
	};
	const drained = vi.fn();
	const link = a.links[0]!;
	link.onDrain = drained;
	let most = 0;
	for (let i = 0; i < 200; i++) {
		link.send({ type: 'piece', index: i, begin: 0, block: new Uint8Array(16_384) });
		most = Math.max(most, link.bufferedBytes);
	}
	expect(most).toBeGreaterThan(bounds.LOW_WATER_BYTES);
	await until(() => drained.mock.calls.length > 0 && bytes === 200 * 16_384);
	expect(link.bufferedBytes).toBeLessThanOrEqual(bounds.LOW_WATER_BYTES);
	// As little as the engine hands to one link ahead of the network is enough to be told of.
	drained.mockClear();
	while (link.bufferedBytes < 32 * 1024)
		link.send({ type: 'piece', index: 0, begin: 0, block: new Uint8Array(4096) });
	await until(() => drained.mock.calls.length > 0);
});

it('bytes leave in data-channel messages that go out at once, and come in whole', async () => {
	const { url } = await track();
	const a = join([url]);
	const b = join([url]);
	await until(() => a.links.length === 1 && b.links.length === 1);
	const send = vi.spyOn(RTCDataChannel.prototype, 'send');
	const block = crypto.getRandomValues(new Uint8Array(16_384));
	const came = new Promise<Message>((resolve) => (b.links[0]!.onMessage = resolve));
	a.links[0]!.send({ type: 'piece', index: 7, begin: 0, block });
	expect(await came).toMatchObject({ type: 'piece', index: 7, begin: 0, block });
	const sizes = send.mock.calls.map(([data]) => (data as Uint8Array).length);
	send.mockRestore();
	expect(Math.max(...sizes)).toBeLessThanOrEqual(bounds.MESSAGE_BYTES);
	expect(sizes.reduce((sum, size) => sum + size)).toBeGreaterThan(16_384);
});
