import { expect, test } from 'vitest';
import { ChannelSession } from './channel-session.ts';
import { channelOf, infoHashInput } from './model/channel.ts';
import { sha256 } from './sign/web-proofs.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { concatBytes } from './util/bytes.ts';
import { createWire } from './wire/wire.ts';

const SDP = [
	...['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0'],
	...['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:abcd'],
	...['a=ice-pwd:abcdefghijklmnopqrstuvwx', 'a=fingerprint:sha-256 AA:BB', 'a=setup:actpass'],
	...['a=mid:0', 'a=sctp-port:5000', ''],
].join('\r\n');

/** A connection that the test opens. */
class FakeConnection {
	static made: FakeConnection[] = [];
	iceGatheringState = 'complete';
	localDescription = { sdp: SDP };
	closed = false;
	ondatachannel: ((event: unknown) => void) | undefined;
	onicegatheringstatechange: (() => void) | undefined;
	constructor() {
		FakeConnection.made.push(this);
	}
	createDataChannel = () => ({ close: () => undefined });
	createOffer = () => Promise.resolve({});
	createAnswer = () => Promise.resolve({});
	setLocalDescription = () => Promise.resolve(this.onicegatheringstatechange?.());
	setRemoteDescription = () => Promise.resolve();
	close = () => void (this.closed = true);
}

test.each([
	['a page that goes away closes its connections within the call', true],
	['others give what was sent the time to leave', false],
])('%s', async (_, atOnce) => {
	FakeConnection.made = [];
	const channel = channelOf(new Uint8Array(32).fill(0x42));
	const session = await ChannelSession.join({
		channel,
		role: 'viewer',
		clock: new FakeClock(),
		config: { trackers: [], iceServers: [] },
		webrtc: FakeConnection as unknown as typeof RTCPeerConnection,
	});
	session.open();
	const from = new Uint8Array(20).fill(1);
	const offerId = new Uint8Array(20).fill(2);
	const to = session.swarm.peerId;
	session.swarm.onSignal(
		{ type: 'signal', to, from, kind: 'offer', offerId, sdp: SDP },
		() => undefined,
	);
	const answering = await expect
		.poll(() => FakeConnection.made.find(({ ondatachannel }) => ondatachannel))
		.toBeDefined()
		.then(() => FakeConnection.made.find(({ ondatachannel }) => ondatachannel));
	let saidLast: Uint8Array | undefined;
	const data = {
		readyState: 'open',
		bufferedAmount: 1,
		send: (bytes: Uint8Array) => void (saidLast = bytes.slice()),
		close: () => undefined,
		onmessage: (_event: { data: ArrayBuffer }) => undefined,
	};
	answering?.ondatachannel?.({ channel: data });
	const infoHash = (await sha256(infoHashInput(channel))).slice(0, 20);
	const wire = createWire({ infoHash, peerId: from, initiator: true, now: () => 0 });
	data.onmessage({ data: concatBytes(...wire.start()).buffer });
	expect(session.swarm.stats.links).toBe(1);
	void session.close({ atOnce });
	expect(answering?.closed).toBe(atOnce);
	// Either way the goodbye went out first: extended message, live extension, kind 14.
	expect(saidLast?.at(-1)).toBe(14);
});
