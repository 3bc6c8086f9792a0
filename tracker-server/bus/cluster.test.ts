import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { FakeTracker } from '../testing/fake-tracker.ts';
import { answerTo, sampleOffers, wireId } from '../testing/messages.ts';
import { defaultGate, UpgradeGate } from '../socket/upgrade-gate.ts';
import { beatMs, Cluster } from './cluster.ts';
import { MemoryMedium } from './memory-bus.ts';
import { parseNodeMessage } from './node-message.ts';

const swarm = wireId('swarm');
const nodes: { close(): Promise<void> }[] = [];

beforeEach(() => {
	vi.useFakeTimers();
});
afterEach(async () => {
	for (const node of nodes.splice(0)) await node.close();
	vi.useRealTimers();
});

function startNode(medium: MemoryMedium, name: string, seed = 1) {
	const world = new FakeTracker({}, seed);
	const gate = new UpgradeGate({ ...defaultGate, connectionsPerAddress: 8 }, world.nowMs);
	const bus = medium.bus();
	const cluster = new Cluster({
		node: name,
		bus,
		tracker: world.tracker,
		gate,
		crowdedFrom: 2,
		random: Math.random,
		now: () => world.nowMs,
	});
	nodes.push(cluster);
	return { world, gate, cluster, bus };
}

type Node = ReturnType<typeof startNode>;

/** Lets time pass for all nodes. */
async function pass(all: Node[], ms: number) {
	for (let gone = 0; gone < ms; gone += beatMs) {
		for (const { world } of all) world.wait(beatMs);
		await vi.advanceTimersByTimeAsync(beatMs);
	}
}

test('a viewer on one node meets the broadcaster on another, and its answer comes home', async () => {
	const medium = new MemoryMedium();
	const all = [startNode(medium, 'one'), startNode(medium, 'two')] as const;
	const [one, two] = all;
	const anna = one.world.connect();
	anna.announce(swarm, wireId('anna'), { left: 0 });
	await pass([...all], 4_000);

	const bert = two.world.connect();
	bert.announce(swarm, wireId('bert'), { offers: sampleOffers('o', 5) });
	expect(bert.link.replies[0]).toMatchObject({ complete: 1, incomplete: 1 });
	await vi.advanceTimersByTimeAsync(1);
	expect(anna.link.offers).toHaveLength(1);
	expect(anna.link.offers[0]).toMatchObject({ peer_id: wireId('bert'), offer_id: wireId('o0') });

	anna.send(answerTo(anna.link.offers[0] ?? {}, wireId('anna')));
	await vi.advanceTimersByTimeAsync(1);
	expect(bert.link.answers).toMatchObject([{ peer_id: wireId('anna'), offer_id: wireId('o0') }]);
	expect(two.world.tracker.tally.answers).toEqual({ relayed: 1 });
});

test('an answer from a node that was sent no offer is refused', async () => {
	const medium = new MemoryMedium();
	const all = [startNode(medium, 'one'), startNode(medium, 'two')] as const;
	const [one, two] = all;
	one.world.connect().announce(swarm, wireId('anna'));
	await pass([...all], 4_000);
	const bert = two.world.connect();
	bert.announce(swarm, wireId('bert'), { offers: sampleOffers('o', 1) });
	const forged = {
		infoHash: swarm,
		peerId: wireId('mallory'),
		toPeerId: wireId('bert'),
		offerId: wireId('o0'),
		sdpJson: '""',
	};
	expect(two.world.tracker.receiveRemoteAnswer(forged, 'three', two.world.nowMs)).toBe(false);
	expect(
		two.world.tracker.receiveRemoteAnswer(
			{ ...forged, offerId: wireId('x') },
			'one',
			two.world.nowMs,
		),
	).toBe(false);
	expect(bert.link.answers).toEqual([]);
	expect(two.world.tracker.receiveRemoteAnswer(forged, 'one', two.world.nowMs)).toBe(true);
	expect(two.world.tracker.receiveRemoteAnswer(forged, 'one', two.world.nowMs)).toBe(false);
});

test('offers from other nodes spend the receiver’s own budget', async () => {
	const medium = new MemoryMedium();
	const all = [startNode(medium, 'one'), startNode(medium, 'two')] as const;
	const [one, two] = all;
	const anna = one.world.connect();
	anna.announce(swarm, wireId('anna'));
	await pass([...all], 4_000);
	for (let i = 0; i < 40; i++) {
		two.world.connect().announce(swarm, wireId(`v${i}-`), { offers: sampleOffers(`v${i}-`, 5) });
	}
	await vi.advanceTimersByTimeAsync(1);
	expect(anna.link.offers.length).toBeLessThanOrEqual(10);
	expect(anna.link.offers.length).toBeGreaterThan(0);
});

test('where both nodes have peers, one to two of five offers cross over', async () => {
	const medium = new MemoryMedium();
	const all = [startNode(medium, 'one'), startNode(medium, 'two')] as const;
	const [one, two] = all;
	for (let i = 0; i < 40; i++) {
		for (const { world } of all)
			world.connect().announce(swarm, wireId(`${i}-${world === one.world ? 1 : 2}`));
	}
	await pass([...all], 4_000);
	for (let i = 0; i < 10; i++) {
		two.world.connect().announce(swarm, wireId(`new${i}`), { offers: sampleOffers(`n${i}`, 5) });
	}
	const { relayed = 0, remote = 0 } = two.world.tracker.tally.offers;
	expect(relayed + remote).toBe(50);
	expect(remote).toBeGreaterThanOrEqual(10);
	expect(remote).toBeLessThanOrEqual(25);
});

test('a node that dies is forgotten, one that says goodbye at once', async () => {
	const medium = new MemoryMedium();
	const all = [
		startNode(medium, 'one'),
		startNode(medium, 'two'),
		startNode(medium, 'three'),
	] as const;
	const [one, two, three] = all;
	for (const { world } of all) world.connect().announce(swarm, wireId('peer'));
	await pass([...all], 4_000);
	expect(one.cluster.others.sort()).toEqual(['three', 'two']);
	expect(one.cluster.counts(swarm).incomplete).toBe(2);
	await three.cluster.close();
	await vi.advanceTimersByTimeAsync(1);
	expect(one.cluster.others).toEqual(['two']);
	// Two stops without a word: its heart is silent.
	medium.isCut = true;
	await pass([...all], 12_000);
	expect(one.cluster.others).toEqual([]);
	expect(one.cluster.counts(swarm)).toEqual({ complete: 0, incomplete: 0, downloaded: 0 });
	expect(two.cluster.up).toBe(false);
});

test('a cut bus leaves islands that work, and they merge when it heals', async () => {
	const medium = new MemoryMedium();
	const all = [startNode(medium, 'one'), startNode(medium, 'two')] as const;
	const [one, two] = all;
	medium.isCut = true;
	const anna = one.world.connect();
	anna.announce(swarm, wireId('anna'));
	await pass([...all], 12_000);
	one.world.connect().announce(swarm, wireId('berta'), { offers: sampleOffers('b', 1) });
	expect(anna.link.offers).toHaveLength(1);
	expect(one.bus.dropped).toBeGreaterThan(0);

	medium.isCut = false;
	await pass([...all], 4_000);
	expect(one.cluster.up).toBe(true);
	expect(two.cluster.counts(swarm).incomplete).toBe(2);
	two.world.connect().announce(swarm, wireId('carl'), { offers: sampleOffers('c', 5) });
	await vi.advanceTimersByTimeAsync(1);
	expect(anna.link.offers.length).toBeGreaterThanOrEqual(2);
});

test('bans and crowded addresses are known on every node', async () => {
	const medium = new MemoryMedium();
	const all = [startNode(medium, 'one'), startNode(medium, 'two')] as const;
	const [one, two] = all;
	one.gate.ban('198.51.100.7', one.world.nowMs + 60_000);
	for (let i = 0; i < 6; i++) one.gate.enter('198.51.100.8');
	await pass([...all], 4_000);
	expect(two.gate.refusal('198.51.100.7', undefined, two.world.nowMs)).toBe('banned');
	two.gate.enter('198.51.100.8');
	expect(two.gate.refusal('198.51.100.8', undefined, two.world.nowMs)).toBeUndefined();
	two.gate.enter('198.51.100.8');
	expect(two.gate.refusal('198.51.100.8', undefined, two.world.nowMs)).toBe('address');
	for (let i = 0; i < 6; i++) one.gate.leave('198.51.100.8');
	await pass([...all], 4_000);
	expect(two.gate.refusal('198.51.100.8', undefined, two.world.nowMs)).toBeUndefined();
	await pass([...all], 62_000);
	expect(two.gate.refusal('198.51.100.7', undefined, two.world.nowMs)).toBeUndefined();
});

test.each([
	'',
	'null',
	'[]',
	'{"type":"beat"}',
	'{"type":"beat","node":"a b","atMs":1,"swarms":[]}',
	'{"type":"beat","node":"a","atMs":1,"swarms":[["short",1,1,1]]}',
	'{"type":"offers","node":"a","infoHash":"x","peerId":"y","offers":[]}',
	JSON.stringify({ type: 'offers', node: 'a', infoHash: swarm, peerId: swarm, offers: [null] }),
	JSON.stringify({
		type: 'offers',
		node: 'a',
		infoHash: swarm,
		peerId: swarm,
		offers: [{ offerId: swarm, sdpJson: '"x"' }],
	}),
	JSON.stringify({
		type: 'answer',
		node: 'a',
		infoHash: swarm,
		peerId: swarm,
		toPeerId: swarm,
		offerId: swarm,
		sdpJson: 'v=0',
	}),
	`{"type":"bye","node":"a","x":"${'x'.repeat(70_000)}"}`,
])('%.40s is no message of a node', (text) => {
	expect(parseNodeMessage(text, new FakeTracker().tracker.limits)).toBeUndefined();
});

test('a node hears nonsense on the bus without harm', async () => {
	const medium = new MemoryMedium();
	const one = startNode(medium, 'one');
	const stranger = medium.bus();
	stranger.publish('shoal:nodes', 'nonsense', 'beat');
	stranger.publish('shoal:node:one', '{"type":"answer"}', 'beat');
	await vi.advanceTimersByTimeAsync(1);
	expect(one.cluster.messages.malformed).toBe(2);
});
