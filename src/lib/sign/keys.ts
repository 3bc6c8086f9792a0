import { channelOf, type Channel } from '../model/channel.ts';
import { ShoalError } from '../model/error.ts';
import { SIGNATURE_BYTES } from '../model/manifest.ts';

/** The right to broadcast on a channel. The private key stays where it is; only signatures come out. */
export interface ChannelKeys {
	readonly channel: Channel;
	/** Ed25519 signature of `bytes`, 64 bytes (RFC 8032). */
	sign(bytes: Uint8Array): Promise<Uint8Array>;
}

const ALGORITHM = 'Ed25519';

/** A fresh pair whose private half can sign and never be read; throws `no-signing` where Ed25519 is missing. */
export async function generateKeyPair(): Promise<CryptoKeyPair> {
	try {
		return await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
	} catch (cause) {
		throw new ShoalError('no-signing', 'this browser cannot make Ed25519 keys', { cause });
	}
}

/** The channel that a key pair speaks for; throws `bad-key` for keys that anybody could sign for. */
export async function keysOfPair(pair: CryptoKeyPair): Promise<ChannelKeys> {
	const publicKey = new Uint8Array(await exportRaw(pair.publicKey));
	const { privateKey } = pair;
	return {
		channel: channelOf(publicKey),
		async sign(bytes) {
			// WebCrypto takes no views of shared memory; this copy costs nothing beside the signature.
			const signature = new Uint8Array(
				await crypto.subtle.sign(ALGORITHM, privateKey, new Uint8Array(bytes)),
			);
			if (signature.length !== SIGNATURE_BYTES) {
				throw new ShoalError('no-signing', `a signature of ${signature.length} bytes`);
			}
			return signature;
		},
	};
}

async function exportRaw(key: CryptoKey): Promise<ArrayBuffer> {
	try {
		return await crypto.subtle.exportKey('raw', key);
	} catch (cause) {
		throw new ShoalError('no-signing', 'the public key cannot be read', { cause });
	}
}
