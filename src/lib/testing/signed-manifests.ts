import { encodeManifest, type Manifest } from '../model/manifest.ts';
import type { SignedManifest } from '../model/manifest-delta.ts';

/** A manifest with sound values everywhere; `changes` make it what a test needs. */
export function sampleManifest(changes: Partial<Manifest> = {}): Manifest {
	return {
		channel: new Uint8Array(32).fill(3),
		epoch: 1_790_000_000_000,
		session: new Uint8Array(16).fill(1),
		rendition: 0,
		sequence: 0,
		signedAtMs: 1_790_000_000_500,
		previous: new Uint8Array(32),
		infoHash: new Uint8Array(20).fill(4),
		sha256: new Uint8Array(32).fill(5),
		length: 40_000,
		pieceLength: 16_384,
		pieceHashes: new Uint8Array(60).fill(6),
		firstPiece: 100,
		initSha256: new Uint8Array(32).fill(7),
		mime: 'video/mp4; codecs="avc1.64001f,opus"',
		startUs: 0,
		durationUs: 500_000,
		discontinuity: false,
		sinceKeyFrame: 0,
		nextAtMs: 1_790_000_001_000,
		status: 'live',
		title: '',
		encryption: new Uint8Array(),
		...changes,
	};
}

/** A manifest as if it were verified: for rules that come after the signature. Its hash is a stand-in that differs with content. */
export function asSigned(manifest: Manifest): SignedManifest {
	const dict = encodeManifest(manifest);
	const sha256 = new Uint8Array(32);
	dict.forEach((byte, i) => {
		sha256[i % 32] = ((sha256[i % 32] ?? 0) * 31 + byte + i) & 255;
	});
	return { manifest, dict, signature: new Uint8Array(64), sha256 };
}

/** A broadcast's first `count` manifests, each linked to the one before. */
export function sampleRun(count: number, changes: Partial<Manifest> = {}): SignedManifest[] {
	const run: SignedManifest[] = [];
	for (let sequence = 0; sequence < count; sequence++) {
		const before = run[sequence - 1];
		run.push(
			asSigned(
				sampleManifest({
					...changes,
					sequence,
					previous: before?.sha256 ?? new Uint8Array(32),
					firstPiece: 100 + sequence * 3,
					startUs: sequence * 500_000,
					signedAtMs: 1_790_000_000_500 + sequence * 500,
					nextAtMs: 1_790_000_001_000 + sequence * 500,
				}),
			),
		);
	}
	return run;
}
