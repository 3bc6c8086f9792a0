import { expect, test } from 'vitest';
import type { SiteConfig } from './config.ts';
import { Publisher } from './publisher.ts';
import { generateKeyPair, keysOfPair } from './sign/keys.ts';
import { openPlace } from './sign/place.ts';
import type { SignStorage, StoredPlace } from './sign/sign-storage.ts';

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
