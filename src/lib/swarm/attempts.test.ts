import { expect, it, vi } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import type { Wire } from '../model/wire.ts';
import type { AttemptsHost } from './attempt.ts';
import { Attempts } from './attempts.ts';
import {
	FIRST_LINK_MS,
	INBOUND_OFFERS_BURST,
	MAX_ATTEMPTS,
	MAX_CONNECTIONS,
	MAX_EXCHANGE_ATTEMPTS,
	MAX_OPEN_OFFERS,
	SPARE_ATTEMPTS,
	STALE_ATTEMPT_MS,
} from './bounds.ts';
import type { WireLink } from './wire-link.ts';

const SDP = [
	...['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0'],
	...['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:abcd'],
	...['a=ice-pwd:abcdefghijklmnopqrstuvwx', 'a=fingerprint:sha-256 AA:BB', 'a=setup:actpass'],
	...['a=mid:0', 'a=sctp-port:5000', ''],
].join('\r\n');

/** A connection whose network is silent. */
class FakeConnection {
	static made: FakeConnection[] = [];
	iceGatheringState = 'complete';
	localDescription = { sdp: SDP };
	closed = false;
	onicegatheringstatechange: (() => void) | undefined;
	readonly setRemoteDescription = vi.fn(() => Promise.resolve());
	constructor() {
		FakeConnection.made.push(this);
	}
	createDataChannel = () => ({ close: () => undefined });
	createOffer = () => Promise.resolve({});
	createAnswer = () => Promise.resolve({});
	setLocalDescription = () => Promise.resolve(this.onicegatheringstatechange?.());
	close = () => void (this.closed = true);
}

function attemptsOf(
	peerId: string,
	{ clock = new FakeClock(), ...host }: Partial<AttemptsHost> & { clock?: FakeClock } = {},
): Attempts {
	FakeConnection.made = [];
	return new Attempts({
		infoHash: new Uint8Array(20),
		peerId,
		wire: () => ({ start: () => [], receive: () => undefined, encode: () => new Uint8Array() }),
		connection: {
			webrtc: FakeConnection,
			iceServers: [],
			iceTransportPolicy: 'all',
			clock,
		},
		rules: { allowLoopback: true },
		links: new Map(),
		isShunned: () => false,
		canAnnounce: () => true,
		onOffers: () => undefined,
		onLink: () => undefined,
		onEnd: () => undefined,
		onUnavailable: () => undefined,
		...host,
	} as unknown as AttemptsHost);
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

it.each([
	['aa', 'bb'],
	['bb', 'aa'],
])('of two offers of %s to %s the one that was answered stays', async (near, far) => {
	const attempts = attemptsOf(near.repeat(20));
	attempts.setWanted(1, 4);
	await settle();
	const [offer] = attempts.takeOffers(1);
	const announced = FakeConnection.made.slice();
	// Nobody knows yet who takes what the tracker hands out; a neighbour introduces the same peer meanwhile.
	void attempts.meet(far.repeat(20), () => undefined);
	await settle();
	const introduced = FakeConnection.made.at(-1);
	expect(announced).not.toContain(introduced);
	attempts.takeAnswer('tracker', far.repeat(20), offer?.offerId ?? '', SDP);
	const answered = announced.filter(
		({ setRemoteDescription }) => setRemoteDescription.mock.calls.length > 0,
	);
	expect(answered.map(({ closed }) => closed)).toEqual([false]);
	expect(introduced?.closed).toBe(true);
	expect(attempts.connecting).toBe(1);
});

const SELF = 'aa'.repeat(20);
const peer = (i: number) => i.toString(16).padStart(40, 'b');
const ignore = () => undefined;

it('takes no offer of its own, of a neighbour, of who is shunned, of no description, or without room', () => {
	const attempts = attemptsOf(SELF, {
		links: new Map([[peer(1), {}]]) as unknown as AttemptsHost['links'],
		isShunned: (peerId, origin) => peerId === peer(2) && origin === 'tracker',
	});
	const offer = (peerId: string, sdp = SDP) =>
		attempts.takeOffer('tracker', peerId, 'id', sdp, ignore);
	offer(peer(9));
	attempts.setWanted(0, 4);
	for (const peerId of [SELF, peer(1), peer(2)]) offer(peerId);
	offer(peer(3), 'v=0');
	expect(attempts.size).toBe(0);
	offer(peer(4));
	offer(peer(4));
	attempts.takeOffer('exchange', peer(2), 'id', SDP, ignore);
	expect(attempts.counts).toMatchObject({
		offersTaken: 2,
		offersRefused: { unwanted: 1, duplicate: 2, shunned: 1, bad: 1, budget: 0, full: 0 },
	});
	expect(attempts.connecting).toBe(2);
});

it('takes so many offers at once by trackers, a budget that neighbours have of their own, and so many attempts in all', () => {
	const clock = new FakeClock();
	const attempts = attemptsOf(SELF, { clock });
	attempts.setWanted(0, 30);
	for (let i = 0; i <= INBOUND_OFFERS_BURST; i++)
		attempts.takeOffer('tracker', peer(i), 'id', SDP, ignore);
	expect(attempts.counts.offersRefused).toMatchObject({ budget: 1, full: 0 });
	expect(attempts.size).toBe(MAX_ATTEMPTS);
	attempts.takeOffer('exchange', peer(30), 'id', SDP, ignore);
	expect(attempts.counts.offersRefused).toMatchObject({ budget: 1, full: 1 });
	clock.advance(STALE_ATTEMPT_MS);
	attempts.takeOffer('exchange', peer(31), 'id', SDP, ignore);
	expect(attempts.counts.offersTaken).toBe(MAX_ATTEMPTS + 1);
	expect(attempts.size).toBe(MAX_ATTEMPTS);
});

it('connects to few more than there is room for, until an attempt takes too long', () => {
	const clock = new FakeClock();
	const attempts = attemptsOf(SELF, { clock });
	attempts.setWanted(0, 1);
	for (let i = 0; i < 4; i++) attempts.takeOffer('tracker', peer(i), 'id', SDP, ignore);
	expect(attempts.connecting).toBe(1 + SPARE_ATTEMPTS);
	expect(attempts.counts.offersRefused.unwanted).toBe(1);
	clock.advance(STALE_ATTEMPT_MS - 1);
	attempts.takeOffer('tracker', peer(5), 'id', SDP, ignore);
	expect(attempts.counts.offersTaken).toBe(1 + SPARE_ATTEMPTS);
	clock.advance(1);
	attempts.takeOffer('tracker', peer(5), 'id', SDP, ignore);
	expect(attempts.counts.offersTaken).toBe(2 + SPARE_ATTEMPTS);
	expect(attempts.connecting).toBe(1 + SPARE_ATTEMPTS);
});

it('takes an answer once, to an offer it made, the way it went out, of who may answer', async () => {
	const attempts = attemptsOf(SELF, { isShunned: (peerId) => peerId === peer(2) });
	attempts.setWanted(1, 4);
	await settle();
	const [offer] = attempts.takeOffers(1);
	let met = '';
	await attempts.meet(peer(5), (offerId) => (met = offerId));
	const open = offer?.offerId ?? '';
	attempts.takeAnswer('tracker', peer(1), 'ff'.repeat(20), SDP);
	attempts.takeAnswer('exchange', peer(1), open, SDP);
	attempts.takeAnswer('tracker', peer(2), open, SDP);
	attempts.takeAnswer('tracker', peer(1), open, 'v=0');
	attempts.takeAnswer('exchange', peer(1), met, SDP);
	expect(attempts.counts).toMatchObject({ answersTaken: 0, answersRefused: 5 });
	attempts.takeAnswer('tracker', peer(1), open, SDP);
	attempts.takeAnswer('tracker', peer(3), open, SDP);
	attempts.takeAnswer('exchange', peer(5), met, SDP);
	expect(attempts.counts).toMatchObject({ answersTaken: 2, answersRefused: 6 });
	expect(attempts.connecting).toBe(2);
});

it('meets few at a time by neighbours, nobody twice, and not itself, a neighbour or who is shunned', async () => {
	const attempts = attemptsOf(SELF, {
		links: new Map([[peer(1), {}]]) as unknown as AttemptsHost['links'],
		isShunned: (peerId, origin) => peerId === peer(2) && origin === 'exchange',
	});
	const offered: string[] = [];
	const meet = (peerId: string) => attempts.meet(peerId, () => offered.push(peerId));
	await Promise.all([SELF, peer(1), peer(2), peer(3), peer(3)].map(meet));
	expect(offered).toEqual([peer(3)]);
	await Promise.all([4, 5, 6, 7].map((i) => meet(peer(i))));
	expect(offered.length).toBe(MAX_EXCHANGE_ATTEMPTS);
	void attempts.close();
	await meet(peer(8));
	expect(attempts.size).toBe(0);
});

it('keeps one offer more than it wants links, within its bound, and withdraws them when it wants none', async () => {
	const attempts = attemptsOf(SELF);
	attempts.setWanted(2, 4);
	await settle();
	expect([attempts.openOffers, attempts.takeOffers(9).length]).toEqual([3, 3]);
	// Announced a moment ago: they may be answered.
	expect(attempts.takeOffers(9)).toEqual([]);
	attempts.setWanted(20, 20);
	await settle();
	expect(attempts.openOffers).toBe(MAX_OPEN_OFFERS);
	attempts.setWanted(0, 4);
	expect(attempts.openOffers).toBe(3);
});

it.each([
	['cc', true],
	['aa', false],
])('of two offers that cross, the one of the smaller id stays, seen from %s', async (id, taken) => {
	const attempts = attemptsOf(id.repeat(20));
	const far = 'bb'.repeat(20);
	await attempts.meet(far, ignore);
	attempts.setWanted(0, 4);
	attempts.takeOffer('exchange', far, 'id', SDP, ignore);
	expect([attempts.counts.offersTaken, attempts.size]).toEqual([Number(taken), 1]);
	expect(FakeConnection.made[0]?.closed).toBe(taken);
	expect(attempts.counts.offersRefused.duplicate).toBe(Number(!taken));
});

it('offers by neighbours do not count among those it makes by them', async () => {
	const attempts = attemptsOf(SELF);
	attempts.setWanted(0, 8);
	for (let i = 0; i < MAX_EXCHANGE_ATTEMPTS; i++)
		attempts.takeOffer('exchange', peer(i), 'id', SDP, ignore);
	let met = false;
	await attempts.meet(peer(20), () => (met = true));
	expect(met).toBe(true);
});

it('answers an offer under its id, but not once it gave up', async () => {
	const attempts = attemptsOf(SELF);
	attempts.setWanted(0, 4);
	const answered: string[] = [];
	const offer = (i: number) =>
		attempts.takeOffer('tracker', peer(i), `offer ${i}`, SDP, (id) => answered.push(id));
	offer(1);
	await settle();
	expect(answered).toEqual(['offer 1']);
	offer(2);
	await attempts.close();
	await settle();
	expect(answered).toEqual(['offer 1']);
	expect([attempts.size, attempts.connections]).toEqual([0, 0]);
	offer(3);
	expect(attempts.counts.offersTaken).toBe(2);
});

it('makes no offers while no tracker hears them, nor while its first link is coming', async () => {
	const deaf = attemptsOf(SELF, { canAnnounce: () => false });
	deaf.setWanted(3, 8);
	expect(deaf.openOffers).toBe(0);
	const clock = new FakeClock();
	const attempts = attemptsOf(SELF, { clock });
	attempts.setWanted(0, 8);
	attempts.takeOffer('tracker', peer(1), 'id', SDP, ignore);
	attempts.setWanted(3, 8);
	expect(attempts.openOffers).toBe(0);
	clock.advance(FIRST_LINK_MS);
	expect(attempts.openOffers).toBe(3);
});

it('announces offers again that reached nobody, and gives up one that a neighbour answers', async () => {
	const links = new Map<string, unknown>();
	const attempts = attemptsOf(SELF, { links: links as AttemptsHost['links'] });
	attempts.setWanted(1, 4);
	await settle();
	const [offer] = attempts.takeOffers(1);
	expect(attempts.takeOffers(9).length).toBe(1);
	attempts.releaseOffers([offer?.offerId ?? '']);
	const again = attempts.takeOffers(9);
	expect(again.map(({ sdp }) => sdp)).toEqual([offer?.sdp]);
	links.set(peer(1), {});
	attempts.takeAnswer('tracker', peer(1), again[0]?.offerId ?? '', SDP);
	expect([attempts.counts.answersTaken, attempts.connecting]).toEqual([1, 0]);
});

it('takes no offer beyond so many connections, links included', () => {
	const clock = new FakeClock();
	const links = new Map<string, WireLink>();
	const wires: Wire[] = [];
	const attempts = attemptsOf(SELF, {
		clock,
		links,
		onLink: (link) => links.set(link.peerId, link),
		wire: () => {
			const wire = { start: () => [], receive: ignore, encode: () => new Uint8Array() };
			wires.push(wire as unknown as Wire);
			return wire as unknown as Wire;
		},
	});
	attempts.setWanted(0, 50);
	for (let i = 0; i < 40; i++) {
		// By then the budgets of offers are used up, and both give one a second.
		if (i >= 2 * INBOUND_OFFERS_BURST) clock.advance(i === 2 * INBOUND_OFFERS_BURST ? 1000 : 500);
		attempts.takeOffer(i % 2 ? 'tracker' : 'exchange', peer(i), 'id', SDP, ignore);
		wires[i]?.onReady(peer(i));
	}
	expect([attempts.size, links.size, attempts.connections]).toEqual([0, 34, MAX_CONNECTIONS]);
	expect(attempts.counts.offersRefused.full).toBe(6);
});
