import { expect, it, vi } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import type { AttemptsHost } from './attempt.ts';
import { Attempts } from './attempts.ts';

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

function attemptsOf(peerId: string): Attempts {
	FakeConnection.made = [];
	return new Attempts({
		infoHash: new Uint8Array(20),
		peerId,
		wire: () => ({ start: () => [], receive: () => undefined, encode: () => new Uint8Array() }),
		connection: {
			webrtc: FakeConnection,
			iceServers: [],
			iceTransportPolicy: 'all',
			clock: new FakeClock(),
		},
		rules: { allowLoopback: true },
		links: new Map(),
		isShunned: () => false,
		canAnnounce: () => true,
		onOffers: () => undefined,
		onLink: () => undefined,
		onEnd: () => undefined,
		onUnavailable: () => undefined,
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
