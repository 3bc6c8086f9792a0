import { describe, expect, test } from 'vitest';

import { FakeTracker } from '../testing/fake-tracker.ts';
import type { FakeClient } from '../testing/fake-tracker.ts';
import { sampleOffers, wireId } from '../testing/messages.ts';
import type { Json } from '../testing/raw-client.ts';
import type { Origin } from './connection.ts';

const swarm = wireId('swarm');

interface Crowd {
	readonly world: FakeTracker;
	readonly members: FakeClient[];
}

/** A swarm of settled peers; `describePeer` says what each reports and where it is. */
function crowd(
	size: number,
	describePeer: (i: number) => { shoal?: Json; origin?: Partial<Origin> } = () => ({}),
	options: ConstructorParameters<typeof FakeTracker>[0] = {},
): Crowd {
	const world = new FakeTracker({ limits: { peersPerAddress: 1e6 }, ...options });
	const members = Array.from({ length: size }, (_, i) => {
		const { shoal, origin } = describePeer(i);
		const client = world.connect(origin);
		client.announce(swarm, wireId(`peer${i}-`), { shoal });
		return client;
	});
	world.wait(5_000);
	return { world, members };
}

/** Which members get the five offers of a newcomer. */
function chosenBy(
	{ world, members }: Crowd,
	name: string,
	fields: Json = {},
	origin?: Partial<Origin>,
) {
	for (const { link } of members) link.sent.length = 0;
	const asker = world.connect(origin);
	asker.announce(swarm, wireId(name), { offers: sampleOffers(name, 5), ...fields });
	asker.leave();
	return members.flatMap(({ link }, i) => (link.offers.length > 0 ? [i] : []));
}

describe('choosing peers', () => {
	test('five offers go to five different peers, never to the asker', () => {
		const everyone = crowd(200);
		for (let i = 0; i < 20; i++) expect(chosenBy(everyone, `asker${i}`)).toHaveLength(5);
	});

	test('a client that reports nothing gets every peer equally often', () => {
		const everyone = crowd(100, (i) => ({ shoal: { hop: i % 10, slots: 3 } }));
		const hits = Array.from({ length: 100 }, () => 0);
		for (let i = 0; i < 400; i++) {
			everyone.world.wait(1_000);
			for (const member of chosenBy(everyone, `a${i}`)) hits[member] = (hits[member] ?? 0) + 1;
		}
		const near = hits.filter((_, i) => i % 10 < 2).reduce((sum, n) => sum + n, 0);
		// 20 % of the peers get 20 % of 2,000 offers; five standard deviations are 90.
		expect(Math.abs(near - 400)).toBeLessThan(90);
		expect(Math.min(...hits)).toBeGreaterThan(0);
	});

	test('a client that reports its hop gets two of the best of eight upstream', () => {
		const everyone = crowd(400, (i) => ({ shoal: { hop: 1 + (i % 10), slots: 2 } }));
		let near = 0;
		for (let i = 0; i < 100; i++) {
			everyone.world.wait(1_000);
			const chosen = chosenBy(everyone, `a${i}`, { shoal: { hop: 5, slots: 1 } });
			near += chosen.filter((member) => member % 10 < 2).length;
		}
		// The best of eight has hop 1 or 2 with 83 %; random peers have it with 20 %.
		expect(near).toBeGreaterThan(180);
		expect(near).toBeLessThan(290);
	});

	test('a peer without a free slot is chosen last', () => {
		const everyone = crowd(40, (i) => ({ shoal: { hop: 1, slots: i < 20 ? 0 : 3 } }));
		for (let i = 0; i < 8; i++) {
			everyone.world.wait(5_000);
			const chosen = chosenBy(everyone, `a${i}`, { shoal: { hop: 3, slots: 1 } });
			expect(chosen.filter((member) => member < 20)).toEqual([]);
		}
		const full = crowd(3, () => ({ shoal: { hop: 1, slots: 0 } }));
		expect(chosenBy(full, 'late', { shoal: { hop: 3 } })).toHaveLength(3);
	});

	test('a peer that just joined is chosen last', () => {
		const everyone = crowd(20);
		const fresh = everyone.world.connect();
		fresh.announce(swarm, wireId('fresh'));
		for (let i = 0; i < 10; i++) chosenBy(everyone, `a${i}`);
		expect(fresh.link.offers).toEqual([]);
	});

	test('a peer that never answers is chosen last', () => {
		const everyone = crowd(60, undefined, { limits: { smallSwarm: 1 } });
		const [deaf] = everyone.members;
		const peer = deaf?.connection.peers[0];
		if (peer) peer.unanswered = 8;
		for (let i = 0; i < 40; i++) {
			everyone.world.wait(1_000);
			chosenBy(everyone, `a${i}`);
		}
		expect(deaf?.link.offers).toEqual([]);
	});

	test('at most two of five are of one /24, while others can be had', () => {
		const everyone = crowd(100, (i) => ({
			origin: { subnet: i < 60 ? '198.51.100' : `203.0.${i}` },
		}));
		for (let i = 0; i < 20; i++) {
			everyone.world.wait(5_000);
			const chosen = chosenBy(everyone, `a${i}`);
			const outside = chosen.filter((member) => member >= 60).length;
			expect(chosen).toHaveLength(5);
			expect(outside).toBeGreaterThanOrEqual(3);
		}
	});

	test('all of one network still meet', () => {
		const everyone = crowd(10, () => ({ origin: { subnet: '198.51.100' } }));
		expect(chosenBy(everyone, 'asker')).toHaveLength(5);
	});

	test('one of five is of the same region in a large swarm', () => {
		const everyone = crowd(500, (i) => ({ origin: { region: i < 5 ? 'IS' : 'US' } }));
		let near = 0;
		for (let i = 0; i < 20; i++) {
			everyone.world.wait(10_000);
			near += chosenBy(everyone, `a${i}`, {}, { region: 'IS' }).filter(
				(member) => member < 5,
			).length;
		}
		// By chance it would be 1 in 20 announces.
		expect(near).toBeGreaterThanOrEqual(18);
	});

	test('starving peers are met first by those who could help', () => {
		const everyone = crowd(300, (i) => ({ shoal: { hop: 3, starving: i === 7 } }));
		const chosen = chosenBy(everyone, 'helper', { shoal: { hop: 1, slots: 4 } });
		expect(chosen).toContain(7);
	});

	test('a starving peer and the first joiners meet a source the operator signed for', () => {
		const admit = (_: string, token: string | undefined) => ({
			role: token === 'signed' ? ('source' as const) : undefined,
		});
		const everyone = crowd(300, (i) => ({ origin: { token: i === 9 ? 'signed' : undefined } }), {
			admit,
		});
		expect(chosenBy(everyone, 'hungry', { shoal: { hop: 4, starving: true } })).toContain(9);
		const few = crowd(12, (i) => ({ origin: { token: i === 9 ? 'signed' : undefined } }), {
			admit,
		});
		expect(chosenBy(few, 'early')).toContain(9);
	});

	test('a self-declared role means nothing', () => {
		const everyone = crowd(300, () => ({ shoal: { role: 'source' } }));
		expect(everyone.world.tracker.swarms.get(swarm)?.helpers.size).toBe(0);
	});

	test('a peer on the same connection is not introduced to itself', () => {
		const world = new FakeTracker();
		const client = world.connect();
		client.announce(swarm, wireId('one'), { offers: sampleOffers('o', 5) });
		world.wait(6_000);
		client.announce(swarm, wireId('one'), { event: undefined, offers: sampleOffers('p', 5) });
		expect(client.link.offers).toEqual([]);
		expect(world.tracker.tally.offers).toEqual({ no_peer: 10 });
	});

	test('a flash crowd of 300 into a swarm of one leaves nobody with more than its budget', () => {
		const everyone = crowd(1);
		const { world, members } = everyone;
		for (let i = 0; i < 300; i++) {
			const client = world.connect();
			client.announce(swarm, wireId(`flash${i}`), { offers: sampleOffers(`f${i}-`, 5) });
			members.push(client);
		}
		expect(Math.max(...members.map(({ link }) => link.offers.length))).toBeLessThanOrEqual(10);
		const unmet = members.slice(1).filter(({ link }) => link.replies[0]?.interval === undefined);
		expect(unmet).toEqual([]);
	});
});
