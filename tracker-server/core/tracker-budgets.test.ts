import { describe, expect, test } from 'vitest';

import { FakeTracker } from '../testing/fake-tracker.ts';
import { answerTo, sampleOffers, wireId } from '../testing/messages.ts';
import { anna, swarm, victim, withVictim } from '../testing/victim.ts';
import { defaultLimits } from './limits.ts';

describe('budgets', () => {
	test('at most ten offers of one announce are looked at', () => {
		const world = new FakeTracker();
		const others = Array.from({ length: 20 }, (_, i) => {
			const client = world.connect();
			client.announce(swarm, wireId(`peer${i}`));
			return client;
		});
		world.wait(3_000);
		world.connect().announce(swarm, anna, { numwant: 50, offers: sampleOffers('o', 20) });
		expect(others.flatMap(({ link }) => link.offers)).toHaveLength(10);
	});

	test('a peer receives ten offers at once, then two a second', () => {
		const { world, client } = withVictim();
		const flood = (name: string) => {
			for (let i = 0; i < 30; i++) {
				const stranger = world.connect();
				stranger.announce(swarm, wireId(`${name}${i}`), { offers: sampleOffers(`${name}${i}`, 1) });
				stranger.leave();
			}
		};
		flood('a');
		expect(client.link.offers).toHaveLength(10);
		world.wait(2_000);
		flood('b');
		expect(client.link.offers).toHaveLength(14);
		expect(world.tracker.tally.offers.budget).toBe(46);
	});

	test('the same two peers are not introduced twice within a minute in a large swarm', () => {
		const { world, client } = withVictim({ limits: { smallSwarm: 1 } });
		const offerer = world.connect();
		offerer.announce(swarm, anna, { offers: sampleOffers('o', 1) });
		world.wait(30_000);
		offerer.announce(swarm, anna, { event: undefined, offers: sampleOffers('p', 1) });
		client.announce(swarm, victim, { event: undefined, offers: sampleOffers('q', 1) });
		expect(client.link.offers).toHaveLength(1);
		expect(offerer.link.offers).toHaveLength(0);
		expect(world.tracker.tally.offers).toEqual({ relayed: 1, duplicate: 2 });
		world.wait(31_000);
		offerer.announce(swarm, anna, { event: undefined, offers: sampleOffers('r', 1) });
		expect(client.link.offers).toHaveLength(2);
	});

	test('in a small swarm the next announce mends a link that failed', () => {
		const { world, client } = withVictim();
		const offerer = world.connect();
		offerer.announce(swarm, anna, { offers: sampleOffers('o', 1) });
		world.wait(defaultLimits.announceGapMs + 500);
		offerer.announce(swarm, anna, { event: undefined, offers: sampleOffers('p', 1) });
		expect(client.link.offers).toHaveLength(2);
	});

	test('offers sooner than five seconds after the last are not relayed, but answered', () => {
		const { world, client } = withVictim({ limits: { pairGapSmallMs: 0 } });
		const offerer = world.connect();
		offerer.announce(swarm, anna, { offers: sampleOffers('o', 1) });
		offerer.announce(swarm, anna, { event: 'started', offers: sampleOffers('p', 1) });
		expect(client.link.offers).toHaveLength(1);
		expect(offerer.link.replies).toHaveLength(2);
		expect(world.tracker.tally.offers.early).toBe(1);
	});

	test('a slow reader gets no offers', () => {
		const { world, client } = withVictim();
		client.link.queuedBytes = 65 * 1024;
		world.connect().announce(swarm, anna, { offers: sampleOffers('o', 1) });
		expect(client.link.offers).toEqual([]);
		expect(world.tracker.tally.offers).toEqual({ slow: 1 });
	});

	test('beyond its message budget a connection is not read, and who goes on is closed', () => {
		const { world } = withVictim();
		const flooder = world.connect();
		for (let i = 0; i < 60; i++) flooder.announce(swarm, anna);
		expect(flooder.link.replies).toHaveLength(60);
		flooder.announce(swarm, anna);
		expect(flooder.link.replies).toHaveLength(60);
		expect(flooder.link.closed).toBeUndefined();
		for (let i = 0; i < 60; i++) flooder.announce(swarm, anna);
		expect(flooder.link.closed).toEqual({ code: 1008, reason: 'flood' });
		expect(world.tracker.peerCount).toBe(1);
	});

	test('answers to relayed offers cost no budget, other answers do', () => {
		const { world, client } = withVictim();
		const offerer = world.connect();
		offerer.announce(swarm, anna, { offers: sampleOffers('o', 1) });
		const [offer = {}] = client.link.offers;
		client.send(answerTo({ ...offer, offer_id: wireId('guess') }, victim));
		const before = client.connection.messages.tokens;
		client.send(answerTo(offer, victim));
		expect(client.connection.messages.tokens).toBe(before);
		client.send(answerTo(offer, victim));
		expect(client.connection.messages.tokens).toBe(before - 1);
	});

	test('three bad messages in a row close the connection; old ones are forgiven', () => {
		const { world } = withVictim();
		const careless = world.connect();
		for (let i = 0; i < 5; i++) {
			careless.send('{');
			world.wait(10_000);
		}
		expect(careless.link.closed).toBeUndefined();
		const hostile = world.connect();
		for (let i = 0; i < 3; i++) hostile.send('{');
		expect(hostile.link.closed).toEqual({ code: 1008, reason: 'bad-messages' });
		expect(world.tracker.connections.has(hostile.connection)).toBe(false);
	});

	test('a binary message closes the connection', () => {
		const { world } = withVictim();
		const client = world.connect();
		world.tracker.receiveBinary(client.connection, world.nowMs);
		expect(client.link.closed).toEqual({ code: 1003, reason: 'binary' });
	});

	test.each<[string, object, string, number]>([
		[
			'swarms of one connection',
			{ swarmsPerConnection: 3 },
			'too many torrents on one connection',
			4,
		],
		['swarms in all', { swarms: 4 }, 'this tracker is full', 4],
		['peers of one address', { peersPerAddress: 4 }, 'too many peers from your address', 4],
	])('%s are bounded', (_, limits, refusal, most) => {
		const { world, client } = withVictim({ limits });
		const greedy = world.connect();
		for (let i = 0; i < 6; i++) greedy.announce(wireId(`torrent${i}`), anna);
		expect(greedy.link.failures[0]).toMatchObject({ 'failure reason': refusal });
		expect(world.tracker.peerCount).toBe(most);
		expect(greedy.link.closed).toBeUndefined();
		expect(client.link.failures).toEqual([]);
	});

	test('peers of one swarm are bounded', () => {
		const { world } = withVictim({ limits: { peersPerSwarm: 2 } });
		world.connect().announce(swarm, anna);
		const third = world.connect();
		third.announce(swarm, wireId('third'));
		expect(third.link.failures).toHaveLength(1);
		expect(world.tracker.peerCount).toBe(2);
	});

	test('who leaves gives back its own part of the address budget, and of no other', () => {
		const world = new FakeTracker({ limits: { peersPerAddress: 2 } });
		const join = (name: string, addressKey = '192.0.2.1') => {
			const client = world.connect({ addressKey });
			client.announce(swarm, wireId(name));
			return client;
		};
		const first = join('one');
		join('two');
		first.leave();
		expect(join('three').link.failures).toEqual([]);
		expect(join('four').link.failures).toHaveLength(1);
		expect(join('five', '192.0.2.2').link.failures).toEqual([]);
	});

	test('an announce without offers does not hold up the next one’s', () => {
		const { world, client } = withVictim();
		const offerer = world.connect();
		offerer.announce(swarm, anna);
		offerer.announce(swarm, anna, { event: undefined, offers: sampleOffers('o', 1) });
		expect(client.link.offers).toHaveLength(1);
	});

	test('the address budget is given back when peers leave', () => {
		const world = new FakeTracker({ limits: { peersPerAddress: 1 } });
		for (let i = 0; i < 5; i++) {
			const client = world.connect();
			client.announce(swarm, wireId(`peer${i}`));
			expect(client.link.failures).toEqual([]);
			client.leave();
		}
	});
});
