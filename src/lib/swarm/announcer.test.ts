import { expect, it, vi } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { Announcer, type AnnouncerHost } from './announcer.ts';
import { binaryStringOfHex } from './binary-id.ts';
import * as bounds from './bounds.ts';

const infoHash = 'ab'.repeat(20);
const peerId = 'cd'.repeat(20);
const other = binaryStringOfHex('ef'.repeat(20));

/** A WebSocket whose other end is the test. */
class ScriptedSocket {
	static all: ScriptedSocket[] = [];
	readonly sent: any[] = [];
	bufferedAmount = 0;
	closed = false;
	onopen: (() => void) | null = null;
	onmessage: ((event: { data: unknown }) => void) | null = null;
	onclose: ((event: { code: number; reason: string }) => void) | null = null;
	onerror: (() => void) | null = null;

	constructor() {
		ScriptedSocket.all.push(this);
	}
	send(frame: string): void {
		this.sent.push(JSON.parse(frame));
	}
	close(): void {
		this.closed = true;
	}
	say(fields: object): void {
		const frame = { action: 'announce', info_hash: binaryStringOfHex(infoHash), ...fields };
		this.onmessage?.({ data: JSON.stringify(frame) });
	}
	break(code = 1006): void {
		this.onclose?.({ code, reason: '' });
	}
}

function setUp(host: Partial<AnnouncerHost> = {}, random = () => 0.5) {
	ScriptedSocket.all = [];
	const clock = new FakeClock();
	let offerNumber = 0;
	const whole = {
		infoHash,
		peerId,
		left: 1 as const,
		takeOffers: vi.fn((most: number) =>
			Array.from({ length: most }, () => ({
				offerId: (++offerNumber).toString(16).padStart(40, '0'),
				sdp: 'v=0',
			})),
		),
		hasOffers: () => true,
		isMakingOffers: () => false,
		isEager: () => false,
		knowsAll: () => false,
		account: () => undefined,
		onState: vi.fn(),
		onIntroduction: vi.fn(),
		onAudience: vi.fn(),
		onNotRelayed: vi.fn(),
		...host,
	};
	const webSocket = ScriptedSocket as unknown as typeof WebSocket;
	const announcer = new Announcer('ws://tracker/', whole, { clock, random, webSocket });
	announcer.open();
	const socket = () => ScriptedSocket.all.at(-1)!;
	return { announcer, clock, host: whole, socket };
}

it('starts with its offers, and says goodbye', () => {
	const { announcer, socket } = setUp();
	socket().onopen?.();
	expect(socket().sent).toHaveLength(1);
	expect(socket().sent[0]).toMatchObject({ event: 'started', numwant: 4, left: 1 });
	announcer.close();
	expect(socket().sent[1]).toMatchObject({ event: 'stopped', numwant: 0, offers: [] });
	expect(socket().closed).toBe(true);
});

it('lets the first announce wait a moment for the first offers, but not for ever', () => {
	let ready = false;
	const { announcer, clock, socket } = setUp({
		hasOffers: () => ready,
		isMakingOffers: () => true,
	});
	socket().onopen?.();
	clock.advance(100);
	expect(socket().sent).toHaveLength(0);
	ready = true;
	announcer.evaluate();
	clock.advance(bounds.FIRST_OFFERS_MS);
	expect(socket().sent).toHaveLength(1);

	const slow = setUp({ hasOffers: () => false, isMakingOffers: () => true, takeOffers: () => [] });
	slow.socket().onopen?.();
	slow.clock.advance(bounds.FIRST_ANNOUNCE_MS);
	expect(slow.socket().sent[0]).toMatchObject({ event: 'started', offers: [] });
});

it('comes back for ever, with full jitter between 0.3 and 10 s', () => {
	for (const [jitter, least, most] of [
		[0, 300, 300],
		[1, 600, 10_000],
	] as const) {
		const { announcer, clock, socket } = setUp({}, () => jitter);
		const waits: number[] = [];
		for (let i = 0; i < 40; i++) {
			socket().break();
			expect(announcer.state).toMatchObject({ state: 'retrying', lastError: 'no connection' });
			waits.push(announcer.state.retryInMs ?? NaN);
			clock.advance((announcer.state.retryInMs ?? NaN) - 1);
			expect(announcer.state.state).toBe('retrying');
			clock.advance(1);
			expect(announcer.state.state).toBe('connecting');
		}
		expect(ScriptedSocket.all).toHaveLength(41);
		expect(waits[0]).toBe(least);
		expect(waits.at(-1)).toBe(most);
		announcer.close();
	}
});

it('starts over with short waits after a connection that lived', () => {
	const { announcer, clock, socket } = setUp({}, () => 1);
	for (let i = 0; i < 8; i++) {
		socket().break();
		clock.advance(10_000);
	}
	socket().onopen?.();
	socket().say({ interval: 60 });
	clock.advance(bounds.GOOD_CONNECTION_MS);
	socket().break(1001);
	expect(announcer.state).toMatchObject({ lastError: 'closed (1001)', retryInMs: 600 });
});

it('announces itself anew on every connection', () => {
	const { clock, socket } = setUp();
	socket().onopen?.();
	socket().break();
	clock.advance(10_000);
	socket().onopen?.();
	expect(socket().sent[0]).toMatchObject({ event: 'started' });
});

it('gives up on a tracker that neither opens nor answers', () => {
	const { announcer, clock, socket } = setUp();
	clock.advance(bounds.TRACKER_OPEN_DEADLINE_MS);
	expect(announcer.state).toMatchObject({ state: 'retrying', lastError: 'no answer' });
	expect(ScriptedSocket.all[0]?.closed).toBe(true);
	clock.advance(600);
	socket().onopen?.();
	clock.advance(bounds.TRACKER_REPLY_DEADLINE_MS);
	expect(announcer.state).toMatchObject({ state: 'retrying', lastError: 'no answer' });
});

it('is no zombie: after close nothing opens, sends or waits', () => {
	for (const when of ['connecting', 'open', 'retrying']) {
		const { announcer, clock, socket } = setUp();
		if (when === 'open') socket().onopen?.();
		if (when === 'retrying') socket().break();
		announcer.close();
		announcer.evaluate();
		announcer.hurry();
		announcer.answer('aa'.repeat(20), 'bb'.repeat(20), 'v=0');
		const sent = socket().sent.length;
		clock.advance(3_600_000);
		expect(clock.pending, when).toBe(0);
		expect(ScriptedSocket.all, when).toHaveLength(1);
		expect(socket().sent, when).toHaveLength(sent);
	}
});

it("keeps to the tracker's interval within bounds", () => {
	for (const [seconds, expectedMs] of [
		[0, 10_000],
		[1e9, 300_000],
		[45, 45_000],
	] as const) {
		const { clock, socket } = setUp();
		socket().onopen?.();
		socket().say({ interval: seconds });
		clock.advance(expectedMs - 1);
		expect(socket().sent).toHaveLength(1);
		clock.advance(1);
		expect(socket().sent).toHaveLength(2);
		expect(socket().sent[1]).not.toHaveProperty('event');
	}
});

it('asks sooner while links are wanted, less and less often, and often again on new need', () => {
	const { announcer, clock, socket } = setUp({ isEager: () => true });
	socket().onopen?.();
	const times: number[] = [];
	const run = (ms: number) => {
		for (let end = clock.now() + ms; clock.now() < end;) {
			const before = socket().sent.length;
			clock.advance(500);
			if (socket().sent.length > before) {
				times.push(clock.now());
				socket().say({ interval: 300 });
			}
		}
	};
	run(120_000);
	expect(times).toEqual([5_500, 16_500, 38_500, 68_500, 98_500]);
	const sent = socket().sent.length;
	announcer.hurry();
	expect(socket().sent).toHaveLength(sent + 1);
});

it('leaves it at a few when everybody seems to be known', () => {
	const { clock, socket } = setUp({ isEager: () => true, knowsAll: () => true });
	socket().onopen?.();
	for (let i = 0; i < 290; i++) {
		clock.advance(1000);
		socket().say({ interval: 300 });
	}
	expect(socket().sent).toHaveLength(1 + bounds.PROMPTS_IN_DOUBT);
});

it('takes back the offers that it gave to a tracker that went away', () => {
	const { host, socket } = setUp();
	socket().onopen?.();
	socket().break();
	expect(host.onNotRelayed).toHaveBeenCalledExactlyOnceWith(
		[1, 2, 3, 4].map((n) => `${n}`.padStart(40, '0')),
	);
});

it('hands on introductions and counts, and says which offers reached nobody', () => {
	const { host, socket } = setUp();
	socket().onopen?.();
	socket().say({ complete: 1, incomplete: 41, interval: 60, shoal: { relayed: 0 } });
	expect(host.onAudience).toHaveBeenCalledWith(1, 41);
	expect(host.onNotRelayed).toHaveBeenCalledWith([1, 2, 3, 4].map((n) => `${n}`.padStart(40, '0')));
	socket().say({ peer_id: other, offer_id: other, offer: { type: 'offer', sdp: 'o' } });
	expect(host.onIntroduction).toHaveBeenCalledExactlyOnceWith(
		expect.objectContaining({ type: 'offer', peerId: 'ef'.repeat(20), sdp: 'o' }),
		expect.any(Announcer),
	);
});

it("gives back the tracker's proof on the next connection", () => {
	const { clock, socket } = setUp({
		account: () => ({ hop: 1, slots: 2, starving: true, uplinkKbps: 0 }),
	});
	socket().onopen?.();
	socket().say({ interval: 60, shoal: { resume: 'ticket' } });
	socket().break();
	clock.advance(10_000);
	socket().onopen?.();
	expect(socket().sent[0]?.shoal).toEqual({
		hop: 1,
		slots: 2,
		starving: true,
		uploadKbps: 0,
		resume: 'ticket',
	});
});

it("keeps a refusal's reason until the tracker answers well", () => {
	const { announcer, clock, socket } = setUp();
	socket().onopen?.();
	socket().say({ 'failure reason': 'not allowed here' });
	expect(announcer.state).toEqual({
		url: 'ws://tracker/',
		state: 'open',
		lastError: 'not allowed here',
	});
	clock.advance(bounds.ANNOUNCE_DEFAULT_MS);
	socket().say({ interval: 60 });
	expect(announcer.state).toEqual({ url: 'ws://tracker/', state: 'open' });
});

it('a tracker that is open has no reason but that of a refusal', () => {
	const { announcer, clock, socket } = setUp();
	socket().break();
	expect(announcer.state).toMatchObject({ state: 'retrying', lastError: 'no connection' });
	clock.advance(bounds.RETRY_MOST_MS);
	expect(announcer.state).toMatchObject({ state: 'connecting', lastError: 'no connection' });
	socket().onopen?.();
	expect(announcer.state).toEqual({ url: 'ws://tracker/', state: 'open' });
});

it('reads a bounded number of bounded messages, and leaves a tracker that floods', () => {
	const { announcer, host, socket } = setUp();
	socket().onopen?.();
	const first = socket();
	const offer = { peer_id: other, offer_id: other, offer: { type: 'offer', sdp: 'o' } };
	first.say({ ...offer, pad: 'x'.repeat(bounds.MAX_TRACKER_FRAME_CHARS) });
	first.onmessage?.({ data: new ArrayBuffer(8) });
	first.onmessage?.({ data: '{' });
	expect(host.onIntroduction).not.toHaveBeenCalled();
	for (let i = 0; i < 2000; i++) first.say(offer);
	expect(host.onIntroduction).toHaveBeenCalledTimes(bounds.TRACKER_FRAMES_BURST - 3);
	expect(announcer.state).toMatchObject({ state: 'retrying', lastError: 'too many messages' });
	expect(first.closed).toBe(true);
});

it('sends nothing to a tracker that reads nothing', () => {
	const { announcer, socket } = setUp();
	socket().onopen?.();
	socket().bufferedAmount = bounds.MAX_TRACKER_BUFFERED_BYTES + 1;
	announcer.answer('aa'.repeat(20), 'bb'.repeat(20), 'v=0');
	expect(socket().sent).toHaveLength(1);
});

it('goes on when the browser refuses the address', () => {
	const clock = new FakeClock();
	let tries = 0;
	const webSocket = class {
		constructor() {
			tries++;
			throw new Error('mixed content');
		}
	} as unknown as typeof WebSocket;
	const { host } = setUp();
	const announcer = new Announcer('ws://x/', host, { clock, random: () => 1, webSocket });
	announcer.open();
	expect(announcer.state).toMatchObject({ state: 'retrying', lastError: 'mixed content' });
	clock.advance(60_000);
	expect(tries).toBeGreaterThan(5);
	announcer.close();
});
