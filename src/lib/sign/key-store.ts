import { generateKeyPair, keysOfPair, type ChannelKeys } from './keys.ts';
import type { SignStorage } from './sign-storage.ts';

/**
 * The keys of this browser's channel: made on the first visit, the same ever after.
 * Rejects with `no-signing`, `storage-failed` or `bad-key`.
 */
export async function openChannelKeys(storage: SignStorage): Promise<ChannelKeys> {
	const pair = await storage.loadPair(generateKeyPair);
	return keysOfPair(pair);
}
