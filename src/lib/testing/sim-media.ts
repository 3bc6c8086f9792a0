import { concatBytes, equalBytes, utf8 } from '../util/bytes.ts';
import type { Proofs, Sign } from '../model/proofs.ts';
import { decodeManifest, encodeManifest, type Manifest } from '../model/manifest.ts';
import type { SignedManifest } from '../model/manifest-delta.ts';
import { pieceLengthFor } from '../model/segment.ts';
import type { ReadManifest } from '../sign/manifest-intake.ts';
import { signedBytes } from '../sign/manifest-signer.ts';
import { segmentInfoDict } from '../store/segment-torrent.ts';

/** Manifests that are known by their bytes, at most; older ones are read anew. */
const MOST_LATEST = 32;
const KEY = new Uint8Array(32).fill(0x42);

/**
 * Media and proofs for thousands of peers in one process: every segment is a view of one buffer, a genuine piece is
 * known by where it lies, and digests of all else are a cheap checksum. The engine's own code can't tell.
 */
export class SimMedia {
	readonly channelKey = KEY;
	readonly init = utf8('simulated init segment');
	readonly initSha256: Uint8Array;
	readonly segmentMs: number;
	readonly #buffer: Uint8Array<ArrayBuffer>;
	readonly #digests = new Map<number, Uint8Array>();
	readonly #wholeDigest = new Uint8Array(32).fill(0x77);
	readonly #session = new Uint8Array(16).fill(1);
	/** The latest manifests, newest first. */
	readonly #latest: SignedManifest[] = [];
	#epoch = 1_800_000_000_000;
	#sequence = 0;
	#nextPiece = 0;
	#previous: Uint8Array = new Uint8Array(32);
	/** Segments between key frames; 1 when each starts with one. */
	readonly #segmentsPerKeyFrame: number;

	constructor(options: { streamBps: number; segmentMs: number; segmentsPerKeyFrame?: number }) {
		this.segmentMs = options.segmentMs;
		this.#buffer = new Uint8Array(Math.round((options.streamBps * options.segmentMs) / 8000));
		this.#segmentsPerKeyFrame = options.segmentsPerKeyFrame ?? 1;
		this.initSha256 = checksum(this.init, 32);
	}

	/** Bytes of every segment. */
	get segmentBytes(): Uint8Array<ArrayBuffer> {
		return this.#buffer;
	}

	/** Whether these are genuine bytes of a segment: a piece or a block of one. */
	isGenuine(bytes: Uint8Array): boolean {
		return bytes.buffer === this.#buffer.buffer;
	}

	/** The info dictionary that a manifest's infohash is of. */
	infoDict(manifest: Manifest): Uint8Array<ArrayBuffer> {
		return segmentInfoDict(manifest);
	}

	/** Begins a new run, as after a reload. */
	newEpoch(epoch: number): void {
		this.#epoch = epoch;
		this.#sequence = 0;
		this.#previous = new Uint8Array(32);
	}

	/** The next segment's signed manifest. */
	next(wallNowMs: number): SignedManifest {
		return this.#next(wallNowMs, this.#buffer.length);
	}

	/** The signed manifest that ends the run; there are no bytes to it. */
	end(wallNowMs: number): SignedManifest {
		return this.#next(wallNowMs, 0);
	}

	#next(wallNowMs: number, length: number): SignedManifest {
		const pieceLength = pieceLengthFor(length);
		const count = Math.ceil(length / pieceLength);
		const hashes = Array.from({ length: count }, (_, i) =>
			this.#pieceDigest(i * pieceLength, Math.min(pieceLength, length - i * pieceLength)),
		);
		const pieceHashes = concatBytes(...hashes);
		const infoHash = checksum(segmentInfoDict({ length, pieceLength, pieceHashes }), 20);
		const manifest: Manifest = {
			channel: KEY,
			epoch: this.#epoch,
			session: this.#session,
			rendition: 0,
			sequence: this.#sequence,
			signedAtMs: Math.round(wallNowMs),
			previous: this.#previous,
			infoHash,
			sha256: this.#wholeDigest,
			length,
			pieceLength,
			pieceHashes,
			firstPiece: this.#nextPiece,
			initSha256: this.initSha256,
			mime: 'video/mp4; codecs="avc1.42001f,opus"',
			startUs: this.#sequence * this.segmentMs * 1000,
			durationUs: length > 0 ? this.segmentMs * 1000 : 0,
			discontinuity: false,
			sinceKeyFrame: this.#sequence % this.#segmentsPerKeyFrame,
			nextAtMs: Math.round(wallNowMs) + this.segmentMs,
			status: length > 0 ? 'live' : 'ended',
			title: '',
			encryption: new Uint8Array(),
		};
		const dict = encodeManifest(manifest);
		const bytes = signedBytes(dict);
		const signed = { manifest, dict, signature: checksum(bytes, 64), sha256: checksum(bytes, 32) };
		this.#latest.unshift(signed);
		if (this.#latest.length > MOST_LATEST) this.#latest.pop();
		this.#sequence++;
		this.#nextPiece += count;
		this.#previous = signed.sha256;
		return signed;
	}

	/** Joins pieces without a copy when they are the genuine ones. */
	readonly assemble = (pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
		const genuine = pieces.every((piece) => piece.buffer === this.#buffer.buffer);
		return genuine ? this.#buffer : concatBytes(...pieces);
	};

	/** A genuine manifest is known by its bytes: the same one for all who read it. */
	readonly readManifest: ReadManifest = (dict) =>
		this.#latest.find((signed) => equalBytes(signed.dict, dict)) ?? {
			dict,
			manifest: decodeManifest(dict),
		};

	readonly proofs: Proofs = {
		sha1: (bytes, done) =>
			done(
				bytes.buffer === this.#buffer.buffer
					? this.#pieceDigest(bytes.byteOffset, bytes.length)
					: checksum(bytes, 20),
			),
		sha256: (bytes, done) => done(bytes === this.#buffer ? this.#wholeDigest : checksum(bytes, 32)),
		verify: (_, signature, bytes, done) => done(equalBytes(checksum(bytes, 64), signature)),
	};

	/** The broadcaster's signature, as `proofs` knows it. */
	readonly sign: Sign = (bytes, done) => done(checksum(bytes, 64));

	#pieceDigest(offset: number, length: number): Uint8Array {
		let digest = this.#digests.get(offset);
		if (!digest) {
			digest = checksum(utf8(`piece at ${offset} of ${length}`), 20);
			this.#digests.set(offset, digest);
		}
		return digest;
	}
}

/** FNV-1a, spread over as many bytes as asked for. Not for anything outside a simulation. */
function checksum(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
	let hash = 0x811c9dc5;
	for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
	const digest = new Uint8Array(length);
	for (let i = 0; i < length; i++) {
		hash = Math.imul(hash ^ i, 0x01000193);
		digest[i] = hash >>> 24;
	}
	return digest;
}
