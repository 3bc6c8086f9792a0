import { equalBytes } from '../util/bytes.ts';
import { decodeBencode, encodeBencode, type Bencoded, type BencodedDict } from './bencode.ts';
import { ShoalError } from './error.ts';
import { manifestDict, pieceCount, type Manifest } from './manifest.ts';

/** A manifest that was verified, with what later ones are told from. */
export interface SignedManifest {
	readonly manifest: Manifest;
	/** Ed25519 over the domain separator and `dict`, 64 bytes. */
	readonly signature: Uint8Array;
	/** Canonical bencoding of the manifest. */
	readonly dict: Uint8Array;
	/** SHA-256 of the signed bytes (separator and `dict`); what the next manifest's `previous` must be. */
	readonly sha256: Uint8Array;
}

/** What a receiver of `base` would guess the next manifest to be; all keys that guess right need not travel. */
function foretell({ manifest, sha256 }: SignedManifest, signedAtMs: number): BencodedDict {
	return manifestDict({
		...manifest,
		sequence: manifest.sequence + 1,
		signedAtMs,
		previous: sha256,
		firstPiece: manifest.firstPiece + pieceCount(manifest),
		startUs: manifest.startUs + manifest.durationUs,
		nextAtMs: signedAtMs + manifest.nextAtMs - manifest.signedAtMs,
		discontinuity: false,
	});
}

/** The bencoded keys in which `next` differs from what `base` foretells; an empty string takes a key away. */
export function manifestChanges(base: SignedManifest, next: Manifest): Uint8Array<ArrayBuffer> {
	const guess = foretell(base, next.signedAtMs);
	const truth = manifestDict(next);
	const changes: BencodedDict = new Map<string, Bencoded>([['ts', next.signedAtMs]]);
	for (const [key, value] of truth) {
		const guessed = guess.get(key);
		if (guessed === undefined || !sameScalar(guessed, value)) changes.set(key, value);
	}
	for (const key of guess.keys()) if (!truth.has(key)) changes.set(key, new Uint8Array());
	return encodeBencode(changes);
}

/** The canonical dictionary of a manifest told as changes to `base`; throws `protocol`. Not yet verified. */
export function applyManifestChanges(
	base: SignedManifest,
	changes: Uint8Array,
): Uint8Array<ArrayBuffer> {
	const decoded = decodeBencode(changes, { maxDepth: 1, maxTokens: 64 });
	const signedAtMs = decoded instanceof Map ? decoded.get('ts') : undefined;
	if (!(decoded instanceof Map) || typeof signedAtMs !== 'number') {
		throw new ShoalError('protocol', 'manifest delta without a time');
	}
	const dict = foretell(base, signedAtMs);
	for (const [key, value] of decoded) {
		if (value instanceof Uint8Array && value.length === 0 && (key === 'ti' || key === 'en')) {
			dict.delete(key);
		} else {
			dict.set(key, value);
		}
	}
	return encodeBencode(dict);
}

function sameScalar(a: Bencoded, b: Bencoded): boolean {
	if (a instanceof Uint8Array && b instanceof Uint8Array) return equalBytes(a, b);
	return a === b;
}
