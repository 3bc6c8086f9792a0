import { expect, test } from 'vitest';
import { openChannelKeys } from './key-store.ts';
import { generateKeyPair, keysOfPair } from './keys.ts';
import type { SignStorage } from './sign-storage.ts';

function storage(kept?: CryptoKeyPair): SignStorage {
	return {
		loadPair: async (make) => (kept ??= await make()),
		loadPlace: async () => undefined,
		savePlace: async () => undefined,
	};
}

test('a signature is checked with the key that the channel names', async () => {
	const keys = await keysOfPair(await generateKeyPair());
	const bytes = new TextEncoder().encode('a manifest');
	const signature = await keys.sign(bytes);
	const publicKey = await crypto.subtle.importKey('raw', keys.channel.publicKey, 'Ed25519', true, [
		'verify',
	]);
	const verify = (data: Uint8Array<ArrayBuffer>) =>
		crypto.subtle.verify('Ed25519', publicKey, new Uint8Array(signature), data);
	expect(await verify(bytes)).toBe(true);
	bytes[0]! ^= 1;
	expect(await verify(bytes)).toBe(false);
});

test('the private key cannot be read, not even by the page that made it', async () => {
	const pair = await generateKeyPair();
	await expect(crypto.subtle.exportKey('pkcs8', pair.privateKey)).rejects.toThrow();
});

test('the same storage gives the same channel, another one another', async () => {
	const mine = storage();
	const first = await openChannelKeys(mine);
	const second = await openChannelKeys(mine);
	const other = await openChannelKeys(storage());
	expect(second.channel.id).toBe(first.channel.id);
	expect(other.channel.id).not.toBe(first.channel.id);
});

test('a kept key of small order is refused', async () => {
	const pair = await generateKeyPair();
	const identity = new Uint8Array(32);
	identity[0] = 1;
	const publicKey = await crypto.subtle.importKey('raw', identity, 'Ed25519', true, ['verify']);
	const kept = storage({ publicKey, privateKey: pair.privateKey });
	await expect(openChannelKeys(kept)).rejects.toMatchObject({ code: 'bad-key' });
});
