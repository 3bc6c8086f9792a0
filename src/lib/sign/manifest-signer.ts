import { concatBytes } from '../util/bytes.ts';
import { encodeManifest, MANIFEST_DOMAIN, type Manifest } from '../model/manifest.ts';
import type { SignedManifest } from '../model/manifest-delta.ts';
import { sha256 } from './web-proofs.ts';

/** The bytes that a manifest's signature covers. */
export function signedBytes(dict: Uint8Array): Uint8Array<ArrayBuffer> {
	return concatBytes(MANIFEST_DOMAIN, dict);
}

/** Signs a manifest with the channel's key. `sign` is Ed25519 over whatever it is given. */
export async function signManifest(
	manifest: Manifest,
	sign: (bytes: Uint8Array) => Promise<Uint8Array>,
): Promise<SignedManifest> {
	const dict = encodeManifest(manifest);
	const bytes = signedBytes(dict);
	const [signature, digest] = await Promise.all([sign(bytes), sha256(bytes)]);
	return { manifest, signature, dict, sha256: digest };
}
