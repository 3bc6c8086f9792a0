import { expect, test } from 'vitest';

import { FakeTracker } from '../testing/fake-tracker.ts';
import { answerTo, sampleOffers, sampleSdp, wireId } from '../testing/messages.ts';

const swarm = wireId('swarm');
const anna = wireId('anna');
const bert = wireId('bert');

function pair(options: ConstructorParameters<typeof FakeTracker>[0] = {}) {
	const world = new FakeTracker(options);
	const a = world.connect();
	a.announce(swarm, anna, { left: 0 });
	world.wait(3_000);
	const b = world.connect();
	return { world, a, b };
}

test('an announce is answered with the counts and an interval around a minute', () => {
	const { a, b } = pair();
	b.announce(swarm, bert);
	expect(a.link.replies).toEqual([
		{
			action: 'announce',
			info_hash: swarm,
			interval: expect.any(Number),
			complete: 1,
			incomplete: 0,
		},
	]);
	const [reply] = b.link.replies;
	expect(reply).toMatchObject({ complete: 1, incomplete: 1 });
	expect(reply?.interval).toBeGreaterThanOrEqual(48);
	expect(reply?.interval).toBeLessThanOrEqual(72);
});

test('a large swarm is told to announce half as often', () => {
	const world = new FakeTracker({ limits: { largeSwarm: 10 } });
	for (let i = 0; i < 10; i++) world.connect().announce(swarm, wireId(`peer${i}`));
	const late = world.connect();
	late.announce(swarm, wireId('late'));
	expect(late.link.replies[0]?.interval).toBeGreaterThanOrEqual(96);
});

test('the interval differs from reply to reply', () => {
	const world = new FakeTracker();
	const told = new Set<unknown>();
	for (let i = 0; i < 20; i++) {
		const client = world.connect();
		client.announce(swarm, wireId(`peer${i}`));
		told.add(client.link.replies[0]?.interval);
	}
	expect(told.size).toBeGreaterThan(5);
});

test('each offer goes to one other peer, as exactly five fields', () => {
	const { a, b } = pair();
	b.announce(swarm, bert, { offers: sampleOffers('o', 5) });
	expect(a.link.offers).toEqual([
		{
			action: 'announce',
			info_hash: swarm,
			peer_id: bert,
			offer_id: wireId('o0'),
			offer: { type: 'offer', sdp: sampleSdp() },
		},
	]);
	expect(b.link.offers).toEqual([]);
});

test('numwant bounds what is relayed, and zero relays nothing', () => {
	const world = new FakeTracker();
	const others = Array.from({ length: 8 }, (_, i) => {
		const client = world.connect();
		client.announce(swarm, wireId(`peer${i}`));
		return client;
	});
	world.wait(3_000);
	world.connect().announce(swarm, anna, { numwant: 3, offers: sampleOffers('a', 5) });
	expect(others.flatMap(({ link }) => link.offers)).toHaveLength(3);
	world.connect().announce(swarm, bert, { numwant: 0, offers: sampleOffers('b', 5) });
	expect(others.flatMap(({ link }) => link.offers)).toHaveLength(3);
});

test('an answer goes back to the offerer once, and gets no reply', () => {
	const { a, b } = pair();
	b.announce(swarm, bert, { offers: sampleOffers('o', 1) });
	const before = a.link.sent.length;
	const [offer = {}] = a.link.offers;
	a.send(answerTo(offer, anna));
	a.send(answerTo(offer, anna));
	expect(b.link.answers).toEqual([
		{
			action: 'announce',
			info_hash: swarm,
			peer_id: anna,
			offer_id: wireId('o0'),
			answer: { type: 'answer', sdp: sampleSdp() },
		},
	]);
	expect(a.link.sent).toHaveLength(before);
});

test('fields nobody asked for are not passed on', () => {
	const { a, b } = pair();
	const [offer = {}] = sampleOffers('o', 1);
	b.announce(swarm, bert, {
		evil: 1,
		offers: [{ ...offer, evil: 2, offer: { type: 'offer', sdp: sampleSdp(), evil: 3 } }],
	});
	const [relayed = {}] = a.link.offers;
	a.send(answerTo(relayed, anna, { answer: { type: 'answer', sdp: sampleSdp(), evil: 4 } }));
	expect(JSON.stringify([...a.link.sent, ...b.link.sent])).not.toContain('evil');
});

test('stopped takes the peer out, and a swarm without peers is gone', () => {
	const { world, a, b } = pair();
	b.announce(swarm, bert);
	b.announce(swarm, bert, { event: 'stopped' });
	expect(world.tracker.peerCount).toBe(1);
	a.announce(swarm, anna, { event: 'stopped' });
	expect(world.tracker.swarms.size).toBe(0);
});

test('completed makes a seeder and is counted once', () => {
	const { a, b } = pair();
	b.announce(swarm, bert);
	b.announce(swarm, bert, { event: 'completed', left: 0 });
	b.announce(swarm, bert, { event: 'completed', left: 0 });
	a.send({ action: 'scrape', info_hash: swarm });
	expect(a.link.sent.at(-1)).toEqual({
		action: 'scrape',
		files: { [swarm]: { complete: 2, incomplete: 0, downloaded: 1 } },
	});
});

test('left may be absent or null: that is a leecher', () => {
	const world = new FakeTracker();
	const client = world.connect();
	client.announce(swarm, anna, { left: undefined });
	world.connect().announce(swarm, bert, { left: null });
	client.announce(swarm, anna, { event: undefined });
	expect(client.link.replies.at(-1)).toMatchObject({ complete: 0, incomplete: 2 });
});

test('a scrape of several named torrents is answered for each, unknown ones with zeros', () => {
	const { a } = pair();
	a.send({ action: 'scrape', info_hash: [swarm, wireId('nobody')] });
	expect(a.link.sent.at(-1)).toEqual({
		action: 'scrape',
		files: {
			[swarm]: { complete: 1, incomplete: 0, downloaded: 0 },
			[wireId('nobody')]: { complete: 0, incomplete: 0, downloaded: 0 },
		},
	});
});

test('a scrape can be kept to the torrents one is in, or refused', () => {
	const joined = pair({ scrape: 'joined' });
	joined.b.send({ action: 'scrape', info_hash: swarm });
	expect(joined.b.link.sent.at(-1)).toMatchObject({ files: { [swarm]: { complete: 0 } } });
	joined.a.send({ action: 'scrape', info_hash: swarm });
	expect(joined.a.link.sent.at(-1)).toMatchObject({ files: { [swarm]: { complete: 1 } } });

	const off = pair({ scrape: 'off' });
	off.a.send({ action: 'scrape', info_hash: swarm });
	expect(off.a.link.sent.at(-1)).toEqual({
		action: 'scrape',
		info_hash: swarm,
		'failure reason': 'scrape is off here',
	});
});

test('one connection may be in several swarms with a peer id for each', () => {
	const world = new FakeTracker();
	const client = world.connect();
	client.announce(swarm, anna);
	client.announce(wireId('other'), bert);
	expect(world.tracker.swarms.size).toBe(2);
	client.leave();
	expect(world.tracker.swarms.size).toBe(0);
	expect(world.tracker.peerCount).toBe(0);
});

test('only a client that sends shoal is told more than the stock fields', () => {
	const { world, b } = pair();
	b.announce(swarm, bert, { offers: sampleOffers('o', 5), shoal: { hop: 2, slots: 3 } });
	expect(b.link.replies[0]?.shoal).toEqual({ now: world.nowMs, relayed: 1 });
	expect(Object.keys(b.link.replies[0] ?? {})).toEqual([
		'action',
		'info_hash',
		'interval',
		'complete',
		'incomplete',
		'shoal',
	]);
});

test('hints are clamped, and those of the wrong kind count as absent', () => {
	const { world, b } = pair();
	b.announce(swarm, bert, { shoal: { hop: 1e9, slots: -4, starving: 'yes', uploadKbps: NaN } });
	const peer = world.tracker.swarms.get(swarm)?.get(bert);
	expect(peer).toMatchObject({ hop: 64, slots: 0, starving: false });
	b.announce(swarm, bert, { event: undefined, shoal: { hop: '3' } });
	expect(peer).toMatchObject({ hop: undefined, slots: undefined });
});

test('a peer whose offers all went unplaced is asked to come back soon', () => {
	const { world, a, b } = pair();
	a.link.queuedBytes = 1e6;
	b.announce(swarm, bert, { offers: sampleOffers('o', 5) });
	expect(b.link.replies[0]?.interval).toBeLessThanOrEqual(15);
	a.link.queuedBytes = 0;
	world.wait(12_000);
	b.announce(swarm, bert, { event: undefined, offers: sampleOffers('p', 5) });
	expect(b.link.replies[1]?.interval).toBeGreaterThanOrEqual(48);
});

test('a peer that stops announcing is forgotten after 2.2 intervals', () => {
	const { world } = pair();
	world.wait(125_000);
	world.tracker.sweep(world.nowMs);
	expect(world.tracker.peerCount).toBe(1);
	world.wait(10_000);
	world.tracker.sweep(world.nowMs);
	expect(world.tracker.peerCount).toBe(0);
});

test('the time from offer to answer is measured', () => {
	const { world, a, b } = pair();
	b.announce(swarm, bert, { offers: sampleOffers('o', 1) });
	world.wait(700);
	a.send(answerTo(a.link.offers[0] ?? {}, anna));
	const { offerAnswer } = world.tracker.tally;
	expect(offerAnswer.count).toBe(1);
	expect(offerAnswer.sum).toBeCloseTo(0.7);
	expect(offerAnswer.quantile(0.5)).toBe(1);
});
