import { describe, expect, test } from 'vitest';

import { resumeProofs } from '../resume-proofs.ts';
import { FakeTracker } from '../testing/fake-tracker.ts';
import type { FakeClient } from '../testing/fake-tracker.ts';
import { announceMessage, answerTo, sampleOffers, sampleSdp, wireId } from '../testing/messages.ts';
import { anna, swarm, victim, withVictim } from '../testing/victim.ts';
import { defaultLimits } from './limits.ts';

const resume = resumeProofs(new Uint8Array(32));

describe('one message cannot bring it down', () => {
	test.each<[string, unknown, string]>([
		['a scrape of a number', { action: 'scrape', info_hash: 5 }, 'info-hash'],
		['a scrape of objects', { action: 'scrape', info_hash: [{}] }, 'info-hash'],
		['a null offer', announceMessage(swarm, anna, { offers: [null] }), 'offers'],
		['offers that are no list', announceMessage(swarm, anna, { offers: 'x' }), 'offers'],
		['offers that are a number', announceMessage(swarm, anna, { offers: 7 }), 'offers'],
		['a number as an offer', announceMessage(swarm, anna, { offers: [7] }), 'offers'],
		[
			'a null inside an offer',
			announceMessage(swarm, anna, { offers: [{ offer_id: wireId('o'), offer: null }] }),
			'offer',
		],
		['no JSON', '{', 'json'],
		['nothing', '', 'json'],
		['null', 'null', 'not-an-object'],
		['a list', '[]', 'not-an-object'],
		['an unknown action', { action: 'dance' }, 'action'],
		['an inherited action', { action: 'constructor' }, 'action'],
		['20 characters above U+00FF', announceMessage('一'.repeat(20), anna), 'info-hash'],
		['a peer id above U+00FF', announceMessage(swarm, '一'.repeat(20)), 'peer-id'],
		['an infohash of 19', announceMessage('x'.repeat(19), anna), 'info-hash'],
		['an infohash of 21', announceMessage('x'.repeat(21), anna), 'info-hash'],
		['an infohash that is a list', announceMessage(['x'] as never, anna), 'info-hash'],
		[
			'an offer id above U+00FF',
			announceMessage(swarm, anna, {
				offers: [{ offer_id: '一'.repeat(20), offer: { type: 'offer', sdp: sampleSdp() } }],
			}),
			'offer-id',
		],
		['an unknown event', announceMessage(swarm, anna, { event: 'toString' }), 'event'],
		['a negative left', announceMessage(swarm, anna, { left: -1 }), 'left'],
		['left as text', announceMessage(swarm, anna, { left: '0' }), 'left'],
		['a fractional numwant', announceMessage(swarm, anna, { numwant: 1.5 }), 'numwant'],
		['shoal as text', announceMessage(swarm, anna, { shoal: 'x' }), 'hints'],
		['an answer to nobody', { ...announceMessage(swarm, anna), answer: {} }, 'to-peer-id'],
		[
			'an answer to no offer',
			{ ...announceMessage(swarm, anna), answer: {}, to_peer_id: victim },
			'offer-id',
		],
	])('%s is refused and counted', (_, message, reason) => {
		const { world, client } = withVictim();
		const stranger = world.connect();
		stranger.send(message);
		expect(world.tracker.tally.invalid).toEqual({ [reason]: 1 });
		expect(world.tracker.peerCount).toBe(1);
		expect(client.link.sent).toHaveLength(1);
	});

	test('whatever is refused, the refusal has an action and an infohash, or there is none', () => {
		const { world } = withVictim();
		for (const message of [
			{ action: 'scrape', info_hash: 5 },
			announceMessage(swarm, anna, { offers: [null] }),
			'{',
			announceMessage('x', anna),
		]) {
			const stranger = world.connect();
			stranger.send(message);
			for (const refusal of stranger.link.sent) {
				expect(refusal).toEqual({
					action: 'announce',
					info_hash: swarm,
					'failure reason': expect.any(String),
				});
			}
		}
	});

	test('a message beyond 64 KiB is not parsed', () => {
		const { world } = withVictim();
		world.connect().send(`${' '.repeat(70_000)}{}`);
		expect(world.tracker.tally.invalid).toEqual({ 'too-long': 1 });
	});

	test('a key named __proto__ changes nothing', () => {
		const { world } = withVictim();
		const stranger = world.connect();
		stranger.send(
			'{"__proto__":{"action":"announce","info_hash":"xxxxxxxxxxxxxxxxxxxx"},"action":"x"}',
		);
		expect(world.tracker.tally.invalid).toEqual({ action: 1 });
	});
});

describe('nobody acts for another', () => {
	test('a stranger cannot stop a victim by its peer id', () => {
		const { world } = withVictim();
		world.connect().announce(swarm, victim, { event: 'stopped' });
		expect(world.tracker.swarms.get(swarm)?.get(victim)).toBeDefined();
	});

	test("a stranger with a victim's peer id does not get the victim's offers", () => {
		const { world, client } = withVictim();
		const stranger = world.connect();
		stranger.announce(swarm, victim);
		stranger.announce(swarm, victim, { event: 'stopped' });
		stranger.announce(swarm, victim);
		world.connect().announce(swarm, anna, { offers: sampleOffers('o', 5) });
		expect(stranger.link.offers).toEqual([]);
		expect(client.link.offers).toHaveLength(1);
	});

	test.for([0, 1])(
		'a living holder keeps its peer id (pong after %i ms), and the newcomer is told so',
		(pongMs) => {
			const { world, client } = withVictim();
			const stranger = world.connect();
			stranger.announce(swarm, victim);
			expect(client.link.probes).toBe(1);
			expect(stranger.link.replies[0]?.interval).toBe(6);
			world.wait(pongMs);
			client.connection.aliveMs = world.nowMs; // its pong
			world.wait(6_000);
			stranger.announce(swarm, victim);
			expect(stranger.link.failures).toMatchObject([
				{ 'failure reason': 'peer_id is in use by another connection' },
			]);
			expect(client.link.probes).toBe(1);
		},
	);

	test('a dead holder gives way to the same peer id on a new connection', () => {
		const { world, client } = withVictim();
		const again = world.connect();
		again.announce(swarm, victim);
		world.wait(5_000);
		client.leave(); // it did not answer the probe
		world.wait(1_000);
		again.announce(swarm, victim, { event: undefined });
		expect(world.tracker.swarms.get(swarm)?.get(victim)?.connection).toBe(again.connection);
		world.connect().announce(swarm, anna, { offers: sampleOffers('o', 1) });
		expect(again.link.offers).toHaveLength(1);
	});

	test('a resume token takes the place over at once, and closes the half-open connection', () => {
		const { world, client } = withVictim({ resume });
		client.announce(swarm, victim, { event: undefined, shoal: {} });
		const proof = (client.link.replies[1]?.shoal as { resume: string }).resume;
		const again = world.connect();
		again.announce(swarm, victim, { shoal: { resume: proof } });
		expect(again.link.replies).toHaveLength(1);
		expect(client.link.closed).toEqual({ code: 1001, reason: 'replaced' });
		expect(world.tracker.peerCount).toBe(1);
		client.leave();
		expect(world.tracker.peerCount).toBe(1);
	});

	test('a wrong resume token takes over nothing', () => {
		const { world, client } = withVictim({ resume });
		const stranger = world.connect();
		stranger.announce(swarm, victim, { shoal: { resume: 'proof of something else' } });
		expect(client.link.closed).toBeUndefined();
		expect(world.tracker.swarms.get(swarm)?.get(victim)?.connection).toBe(client.connection);
	});

	test('a name that was taken while its peer was away goes back to it, and stays with it', () => {
		const { world, client } = withVictim({ resume });
		const proofOf = ({ link }: typeof client) =>
			(link.replies.at(-1)?.shoal as { resume: string }).resume;
		client.announce(swarm, victim, { event: undefined, shoal: {} });
		const proof = proofOf(client);
		client.leave();
		const thief = world.connect();
		thief.announce(swarm, victim, { shoal: {} });
		const stolen = proofOf(thief);
		const back = world.connect();
		back.announce(swarm, victim, { shoal: { resume: proof } });
		expect(thief.link.closed).toEqual({ code: 1001, reason: 'replaced' });
		const again = world.connect();
		again.announce(swarm, victim, { shoal: { resume: stolen } });
		expect(back.link.closed).toBeUndefined();
		expect(world.tracker.swarms.get(swarm)?.get(victim)?.connection).toBe(back.connection);
		// What it is given now is as old as what it brought.
		const once = world.connect();
		once.announce(swarm, victim, { shoal: { resume: proofOf(back) } });
		expect(back.link.closed).toEqual({ code: 1001, reason: 'replaced' });
	});

	test('an answer to an offer never made reaches nobody', () => {
		const { world, client } = withVictim();
		const stranger = world.connect();
		stranger.announce(swarm, anna);
		stranger.send(answerTo({ info_hash: swarm, peer_id: victim, offer_id: wireId('guess') }, anna));
		expect(client.link.answers).toEqual([]);
		expect(world.tracker.tally.answers).toEqual({ unmatched: 1 });
	});

	test('an offer can be answered only by the peer it was relayed to', () => {
		const { world, client } = withVictim();
		const offerer = world.connect();
		offerer.announce(swarm, anna, { offers: sampleOffers('o', 1) });
		const [offer = {}] = client.link.offers;
		const stranger = world.connect();
		stranger.announce(swarm, wireId('stranger'));
		stranger.send(answerTo(offer, wireId('stranger')));
		stranger.send(answerTo(offer, victim));
		expect(offerer.link.answers).toEqual([]);
		client.send(answerTo(offer, victim));
		expect(offerer.link.answers).toHaveLength(1);
	});

	test('an offer can no longer be answered after a minute', () => {
		const { world, client } = withVictim();
		const offerer = world.connect();
		offerer.announce(swarm, anna, { offers: sampleOffers('o', 1) });
		world.wait(60_001);
		client.send(answerTo(client.link.offers[0] ?? {}, victim));
		expect(offerer.link.answers).toEqual([]);
		expect(world.tracker.tally.answers).toEqual({ late: 1 });
	});

	test('an answer to a peer that just left costs the answerer nothing', () => {
		const { world, client } = withVictim();
		const offerer = world.connect();
		offerer.announce(swarm, anna, { offers: sampleOffers('o', 1) });
		offerer.leave();
		client.send(answerTo(client.link.offers[0] ?? {}, victim));
		expect(world.tracker.tally.answers).toEqual({ gone: 1 });
		expect(client.link.closed).toBeUndefined();
	});

	test('one connection has one peer id in a swarm', () => {
		const { world } = withVictim();
		const sybil = world.connect();
		for (let i = 0; i < 50; i++) sybil.announce(swarm, wireId(`sybil${i}`));
		expect(world.tracker.peerCount).toBe(2);
		expect([sybil.link.replies.length, sybil.link.failures.length]).toEqual([1, 49]);
		sybil.announce(swarm, wireId('sybil1'), { event: 'stopped' });
		expect(world.tracker.swarms.get(swarm)?.get(wireId('sybil0'))).toBeDefined();
		sybil.leave();
		expect(world.tracker.peerCount).toBe(1);
	});
});

describe('nothing is left behind', () => {
	test('a connection that is gone is not heard, and leaves once', () => {
		const { world, client } = withVictim();
		const gone = world.connect();
		gone.announce(swarm, anna);
		gone.leave();
		gone.announce(swarm, anna);
		gone.leave();
		expect(world.tracker.peerCount).toBe(1);
		expect(gone.link.replies).toHaveLength(1);
		client.leave();
		expect(world.tracker.peerCount).toBe(0);
	});

	test('five announces for a new torrent in one breath make one swarm of five', () => {
		const world = new FakeTracker();
		for (let i = 0; i < 5; i++) world.connect().announce(swarm, wireId(`peer${i}`));
		expect(world.tracker.swarms.get(swarm)?.size).toBe(5);
	});

	test('5,000 torrents whose peers have gone leave no swarm', () => {
		const world = new FakeTracker({ limits: { peersPerAddress: 1e6 } });
		const clients: FakeClient[] = [];
		for (let i = 0; i < 5_000; i++) {
			const client = world.connect();
			client.announce(wireId(`torrent${i}`), anna);
			clients.push(client);
		}
		expect(world.tracker.swarms.size).toBe(5_000);
		for (const client of clients) client.leave();
		expect(world.tracker.swarms.size).toBe(0);
		expect(world.tracker.connections.size).toBe(0);
	});

	test('what remembers a departed peer does not hold its connection', () => {
		const { world, client } = withVictim();
		const offerer = world.connect();
		offerer.announce(swarm, anna, { offers: sampleOffers('o', 1) });
		const peer = world.tracker.swarms.get(swarm)?.get(anna);
		offerer.leave();
		expect(client.connection.peers[0]?.ledger.size).toBe(1);
		expect(peer?.connection).toBeUndefined();
	});

	test('offers remembered for a peer are bounded, and forgotten in time', () => {
		const limits = {
			inboundOffersPerSecond: 1e6,
			inboundOfferBurst: 1e6,
			pairGapSmallMs: 0,
			announceGapMs: 0,
			messageBurst: 1e6,
		};
		const { world, client } = withVictim({ limits });
		const offerer = world.connect();
		for (let i = 0; i < 100; i++) {
			world.wait(1);
			offerer.announce(swarm, anna, { offers: sampleOffers(`o${i}-`, 1) });
		}
		const ledger = client.connection.peers[0]?.ledger;
		expect(ledger?.size).toBe(defaultLimits.pendingPerPeer);
		world.wait(60_000);
		client.announce(swarm, victim, { event: undefined });
		world.tracker.sweep(world.nowMs);
		expect(ledger?.size).toBe(0);
	});
});

describe('enumeration and foreign torrents', () => {
	test('a scrape of everything is refused', () => {
		const { world } = withVictim();
		for (const message of [
			{ action: 'scrape' },
			{ action: 'scrape', info_hash: [] },
			{ action: 'scrape', info_hash: null },
		]) {
			const stranger = world.connect();
			stranger.send(message);
			expect(stranger.link.sent).toEqual([]);
		}
		expect(world.tracker.tally.invalid).toEqual({ 'full-scrape': 3 });
	});

	test('a scrape names at most twenty torrents', () => {
		const { world } = withVictim();
		const stranger = world.connect();
		stranger.send({ action: 'scrape', info_hash: Array.from({ length: 21 }, () => swarm) });
		expect(stranger.link.sent).toEqual([]);
		expect(world.tracker.tally.invalid).toEqual({ scrape: 1 });
	});

	test('a torrent that is not allowed is refused, then the connection closed and its address banned', () => {
		const bans: [string, number][] = [];
		const world = new FakeTracker({
			admit: (hash) => (hash === swarm ? { role: undefined } : undefined),
			onBan: (key, untilMs) => bans.push([key, untilMs]),
		});
		const client = world.connect({ addressKey: '198.51.100.7' });
		client.announce(swarm, anna);
		for (let i = 0; i < 9; i++) client.announce(wireId(`foreign${i}`), anna);
		expect([client.link.closed, bans]).toEqual([undefined, []]);
		client.announce(wireId('foreign9'), anna);
		expect(client.link.failures[0]).toEqual({
			action: 'announce',
			info_hash: wireId('foreign0'),
			'failure reason': 'this tracker does not serve this torrent',
		});
		expect(client.link.closed).toEqual({ code: 1008, reason: 'forbidden' });
		expect(bans).toEqual([['198.51.100.7', world.nowMs + 180_000]]);
		expect(world.tracker.peerCount).toBe(0);
	});
});
