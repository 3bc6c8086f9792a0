import { expect, test } from 'vitest';
import type { SiteConfig } from './config.ts';
import type { EncodedSegment } from './model/segment.ts';
import { ChannelPeer } from './peer.ts';
import { Publisher } from './publisher.ts';
import { generateKeyPair, keysOfPair } from './sign/keys.ts';
import { openPlace } from './sign/place.ts';
import type { SignStorage, StoredPlace } from './sign/sign-storage.ts';
import { webProofs } from './sign/web-proofs.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { linkPair } from './testing/link-pair.ts';
import { toHex } from './util/bytes.ts';

const NOBODY: SiteConfig = { trackers: [], iceServers: [] };
const TRACKED: SiteConfig = { trackers: ['ws://127.0.0.1:9/announce'], iceServers: [] };

/** A channel of its own, and where it goes on. */
async function channel() {
	const keys = await keysOfPair(await generateKeyPair());
	let kept: StoredPlace | undefined;
	const storage: SignStorage = {
		loadPair: () => Promise.reject(new Error('not asked for')),
		loadPlace: async () => kept,
		savePlace: async (_, place) => void (kept = place),
	};
	return { keys, openPlace: () => openPlace(keys.channel, storage) };
}

test.each([
	['is missing', undefined],
	[
		'is forbidden',
		class {
			constructor() {
				throw new Error('forbidden');
			}
		},
	],
])('where WebRTC %s nothing goes on air', async (_, webrtc) => {
	const { keys, openPlace } = await channel();
	const opened = Publisher.open({
		config: TRACKED,
		keys,
		place: await openPlace(),
		webrtc: webrtc as unknown as typeof RTCPeerConnection,
		// Connects to nobody.
		webSocket: class {
			close() {}
		} as unknown as typeof WebSocket,
	});
	await expect(opened).rejects.toMatchObject({ code: 'no-webrtc' });
});

/** A broadcast, a segment for it, and what its one viewer is told. */
async function broadcast() {
	const { keys, openPlace } = await channel();
	const clock = new FakeClock();
	const webrtc = class {} as unknown as typeof RTCPeerConnection;
	const place = await openPlace();
	const publisher = await Publisher.open({ config: NOBODY, keys, place, webrtc, clock });
	const viewerId = new Uint8Array(20).fill(0xbb);
	const viewer = new ChannelPeer({
		...{ channel: keys.channel, role: 'viewer', peerId: viewerId, clock },
		...{ random: () => 0.5, proofs: webProofs() },
	});
	const seen: string[] = [];
	viewer.on('manifest', ({ manifest: { epoch, sequence, status, startUs } }) => {
		const run = epoch === place.place.epoch ? 'first' : 'second';
		seen.push(`${run} run, ${sequence}: ${status} at ${startUs / 1e6} s`);
	});
	const { peer, swarm } = publisher.session;
	const peerIds = [toHex(swarm.peerId), toHex(viewerId)] as const;
	const [toViewer, toBroadcaster] = linkPair({ clock, delayMs: 5, peerIds });
	peer.addLink(toViewer);
	viewer.addLink(toBroadcaster);
	const init = { bytes: new Uint8Array(1000).fill(1), mime: 'video/mp4' };
	const segment = (startUs: number): EncodedSegment => ({
		...{ init, startUs, durationUs: 500_000, sinceKeyFrame: 0, discontinuity: false },
		bytes: new Uint8Array(20_000).fill(7),
	});
	/** Lets time pass until work is over, and 50 ms more. */
	const over = async (work: Promise<void>) => {
		let restMs = Infinity;
		void work.then(() => (restMs = 50));
		for (; restMs > 0; restMs -= 5) {
			await new Promise((resolve) => setTimeout(resolve, 1));
			clock.advance(5);
		}
	};
	return { publisher, openPlace, segment, seen, over };
}

test('an end is signed behind the last segment, also behind one that is still being signed', async () => {
	const { publisher, segment, seen, over } = await broadcast();
	void publisher.publish(segment(0));
	await over(publisher.end());
	expect(seen).toEqual(['first run, 0: live at 0 s', 'first run, 1: ended at 0.5 s']);
});

test('a run that has no segment yet leaves the end to the run before', async () => {
	const { publisher, openPlace, segment, seen, over } = await broadcast();
	await over(publisher.publish(segment(0)));
	publisher.beginRun(await openPlace());
	await over(publisher.end());
	expect(seen).toEqual(['first run, 0: live at 0 s', 'first run, 1: ended at 0.5 s']);
});

test('a run begins with its first segment, and ends in itself', async () => {
	const { publisher, openPlace, segment, seen, over } = await broadcast();
	await over(publisher.publish(segment(0)));
	publisher.beginRun(await openPlace());
	await over(publisher.publish(segment(0)));
	await over(publisher.end());
	expect(seen).toEqual([
		'first run, 0: live at 0 s',
		'second run, 0: live at 0 s',
		'second run, 1: ended at 0.5 s',
	]);
});

test('a broadcast without a segment has no end to sign', async () => {
	const { publisher, seen, over } = await broadcast();
	await over(publisher.end());
	expect(seen).toEqual([]);
});

test('nothing is published behind the end, which is signed once', async () => {
	const { publisher, segment, seen, over } = await broadcast();
	await over(publisher.publish(segment(0)));
	const ends = Promise.all([publisher.end(), publisher.end()]);
	await expect(publisher.publish(segment(500_000))).rejects.toMatchObject({ code: 'closed' });
	await over(ends.then(() => publisher.end()));
	expect(seen).toEqual(['first run, 0: live at 0 s', 'first run, 1: ended at 0.5 s']);
});
