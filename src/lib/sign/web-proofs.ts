import type { Proofs } from '../model/proofs.ts';

const KEYS_KEPT = 16;

/** Proofs by WebCrypto, in browsers and in Node. */
export function webProofs(): Proofs {
	const keys = new Map<Uint8Array, Promise<CryptoKey>>();

	function keyOf(publicKey: Uint8Array): Promise<CryptoKey> {
		let key = keys.get(publicKey);
		if (!key) {
			key = crypto.subtle.importKey('raw', owned(publicKey), { name: 'Ed25519' }, false, [
				'verify',
			]);
			if (keys.size >= KEYS_KEPT) keys.clear();
			keys.set(publicKey, key);
		}
		return key;
	}

	return {
		sha1: (bytes, done) => digest('SHA-1', bytes, done),
		sha256: (bytes, done) => digest('SHA-256', bytes, done),
		verify(publicKey, signature, bytes, done) {
			keyOf(publicKey)
				.then((key) =>
					crypto.subtle.verify({ name: 'Ed25519' }, key, owned(signature), owned(bytes)),
				)
				.then(done, () => done(false));
		},
	};
}

function digest(name: string, bytes: Uint8Array, done: (digest: Uint8Array) => void): void {
	void crypto.subtle.digest(name, owned(bytes)).then((buffer) => done(new Uint8Array(buffer)));
}

/** WebCrypto refuses views of shared memory in its types; nothing here is ever shared. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
	return bytes as Uint8Array<ArrayBuffer>;
}

/** SHA-256 as a promise, for whoever isn't driven by callbacks. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
	return new Uint8Array(await crypto.subtle.digest('SHA-256', owned(bytes)));
}
