import { equalBytes, fromUtf8, utf8 } from '../util/bytes.ts';
import { decodeBencode, encodeBencode, type Bencoded, type BencodedDict } from './bencode.ts';
import { ShoalError } from './error.ts';
import {
	MAX_PIECES_PER_SEGMENT,
	MAX_SEGMENT_BYTES,
	MAX_SEGMENT_DURATION_US,
	PIECE_LENGTHS,
} from './segment.ts';

/** Version of the manifest format that this code writes and reads. */
export const MANIFEST_VERSION = 1;
/** Signature and signed bytes together, at most. */
export const MAX_MANIFEST_BYTES = 2048;
/** Ed25519 signature (RFC 8032). */
export const SIGNATURE_BYTES = 64;
/** The last moment that a `Date` can tell, milliseconds since 1970 (ECMA-262, 21.4.1.1). */
const MAX_TIME_MS = 8.64e15;
/** Title of a broadcast, UTF-8 bytes, at most. */
export const MAX_TITLE_BYTES = 120;
/** Piece indexes are at most this, so that they fit BEP 3's 32-bit field as a signed number. */
export const MAX_PIECE_INDEX = 2 ** 31 - 1;

/** Where the broadcast stands with this segment. `ended` is final for its epoch. */
export type BroadcastStatus = 'live' | 'paused' | 'ended';

/** The signed record of one segment. See PROTOCOL.md, "Manifest". All byte arrays are to be left unchanged. */
export interface Manifest {
	/** The channel's public key, 32 bytes. */
	readonly channel: Uint8Array;
	/** One run of a broadcast: milliseconds since 1970 when it began, strictly rising per channel. */
	readonly epoch: number;
	/** 16 random bytes per run; tells two devices with one key apart. */
	readonly session: Uint8Array;
	/** Which rendition; 0 is the only one so far. */
	readonly rendition: number;
	/** Number of the segment in its epoch, from 0. */
	readonly sequence: number;
	/** Signing time, milliseconds since 1970 by the broadcaster's clock. */
	readonly signedAtMs: number;
	/** SHA-256 of the signed bytes of the manifest before; 32 zero bytes on the first of an epoch. */
	readonly previous: Uint8Array;
	/** Name of the segment: SHA-1 of its BitTorrent v1 info dictionary (BEP 3). */
	readonly infoHash: Uint8Array;
	/** SHA-256 of the segment's bytes. */
	readonly sha256: Uint8Array;
	/** Bytes in the segment; 0 only when `status` is not `live`. */
	readonly length: number;
	/** Bytes in each piece but the last. */
	readonly pieceLength: number;
	/** SHA-1 of each piece, 20 bytes each, joined: the `pieces` of the info dictionary. */
	readonly pieceHashes: Uint8Array;
	/** Index of the segment's first piece on the channel; pieces are numbered on through the channel's life. */
	readonly firstPiece: number;
	/** SHA-256 of the init segment, 32 bytes. */
	readonly initSha256: Uint8Array;
	/** MIME type with codecs. */
	readonly mime: string;
	/** Media time of the first sample, microseconds in the epoch. */
	readonly startUs: number;
	/** Media length, microseconds. */
	readonly durationUs: number;
	/** Whether the media time doesn't continue the segment before. */
	readonly discontinuity: boolean;
	/** Segments since the last that starts with a key frame; 0 when this one does. */
	readonly sinceKeyFrame: number;
	/** When the next manifest is due, milliseconds since 1970; past it the stream may be stale. */
	readonly nextAtMs: number;
	readonly status: BroadcastStatus;
	/** Title of the broadcast, plain text. */
	readonly title: string;
	/** Reserved: key id of an encrypted segment; empty when in the clear. */
	readonly encryption: Uint8Array;
}

const STATUSES: readonly BroadcastStatus[] = ['live', 'paused', 'ended'];
const MIME_PATTERN = /^[A-Za-z0-9.;=,"/ +-]{1,80}$/;
const MAX_ENCRYPTION_BYTES = 32;

/** Pieces in the segment. */
export function pieceCount(manifest: Manifest): number {
	return manifest.pieceHashes.length / 20;
}

/** Bytes in piece `offset` (0-based in its segment). */
export function pieceBytes(manifest: Manifest, offset: number): number {
	const start = offset * manifest.pieceLength;
	return Math.min(manifest.pieceLength, manifest.length - start);
}

/** The 20-byte SHA-1 that piece `offset` must have; a view. */
export function pieceHash(manifest: Manifest, offset: number): Uint8Array {
	return manifest.pieceHashes.subarray(offset * 20, offset * 20 + 20);
}

/** The domain separator in front of the dictionary in the bytes that are signed. */
export const MANIFEST_DOMAIN = utf8('shoal/manifest/1\0');

/** The canonical dictionary of a manifest. */
export function manifestDict(manifest: Manifest): BencodedDict {
	const dict: BencodedDict = new Map<string, Bencoded>([
		['v', MANIFEST_VERSION],
		['ch', manifest.channel],
		['ep', manifest.epoch],
		['sid', manifest.session],
		['tr', manifest.rendition],
		['sq', manifest.sequence],
		['ts', manifest.signedAtMs],
		['pv', manifest.previous],
		['ih', manifest.infoHash],
		['h', manifest.sha256],
		['ln', manifest.length],
		['pl', manifest.pieceLength],
		['ps', manifest.pieceHashes],
		['pi', manifest.firstPiece],
		['in', manifest.initSha256],
		['cd', utf8(manifest.mime)],
		['t0', manifest.startUs],
		['du', manifest.durationUs],
		['dc', manifest.discontinuity ? 1 : 0],
		['kf', manifest.sinceKeyFrame],
		['nx', manifest.nextAtMs],
		['st', STATUSES.indexOf(manifest.status)],
	]);
	if (manifest.title !== '') dict.set('ti', utf8(manifest.title));
	if (manifest.encryption.length > 0) dict.set('en', manifest.encryption);
	return dict;
}

/** The manifest's canonical bencoding, without domain separator and signature. */
export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
	const bytes = encodeBencode(manifestDict(manifest));
	if (bytes.length + SIGNATURE_BYTES > MAX_MANIFEST_BYTES) {
		throw new ShoalError('protocol', `a manifest of ${bytes.length} bytes is too long`);
	}
	return bytes;
}

/** Whether this is a manifest of another format version, which is passed over without blame. */
export function isForeignVersion(bytes: Uint8Array): boolean {
	try {
		const dict = decodeBencode(bytes);
		return dict instanceof Map && dict.get('v') !== MANIFEST_VERSION;
	} catch {
		return false;
	}
}

/** Reads and validates a manifest's canonical bencoding; throws `protocol`. Byte fields are views of `bytes`. */
export function decodeManifest(bytes: Uint8Array): Manifest {
	if (bytes.length + SIGNATURE_BYTES > MAX_MANIFEST_BYTES) fail('too long');
	const dict = decodeBencode(bytes);
	if (!(dict instanceof Map)) fail('not a dictionary');
	const take = new FieldReader(dict);
	take.integer('v', MANIFEST_VERSION, MANIFEST_VERSION);
	const status = STATUSES[take.integer('st', 0, 2)] ?? fail('status');
	const length = take.integer('ln', 0, MAX_SEGMENT_BYTES);
	const pieceLength = take.integer('pl', 0, MAX_SEGMENT_BYTES);
	if (!PIECE_LENGTHS.includes(pieceLength)) fail('piece length');
	const pieces = Math.ceil(length / pieceLength);
	if (pieces > MAX_PIECES_PER_SEGMENT) fail('too many pieces');
	if (length === 0 && status === 'live') fail('empty segment');
	const manifest: Manifest = {
		channel: take.bytes('ch', 32),
		epoch: take.integer('ep', 0, MAX_TIME_MS),
		session: take.bytes('sid', 16),
		rendition: take.integer('tr', 0, 15),
		sequence: take.integer('sq', 0),
		signedAtMs: take.integer('ts', 0, MAX_TIME_MS),
		previous: take.bytes('pv', 32),
		infoHash: take.bytes('ih', 20),
		sha256: take.bytes('h', 32),
		length,
		pieceLength,
		pieceHashes: take.bytes('ps', pieces * 20),
		firstPiece: take.integer('pi', 0, MAX_PIECE_INDEX - pieces),
		initSha256: take.bytes('in', 32),
		mime: take.text('cd', 80),
		startUs: take.integer('t0', 0),
		durationUs: take.integer('du', status === 'live' ? 1 : 0, MAX_SEGMENT_DURATION_US),
		discontinuity: take.integer('dc', 0, 1) === 1,
		sinceKeyFrame: take.integer('kf', 0, 1000),
		nextAtMs: take.integer('nx', 0, MAX_TIME_MS),
		status,
		title: dict.has('ti') ? take.text('ti', MAX_TITLE_BYTES) : '',
		encryption: dict.has('en') ? take.bytesUpTo('en', MAX_ENCRYPTION_BYTES) : new Uint8Array(),
	};
	if (!MIME_PATTERN.test(manifest.mime)) fail('mime type');
	// Unknown keys and non-canonical forms would make two encodings of one manifest.
	if (!equalBytes(encodeManifest(manifest), bytes)) fail('not canonical');
	return manifest;
}

function fail(what: string): never {
	throw new ShoalError('protocol', `manifest: ${what}`);
}

class FieldReader {
	readonly #dict: BencodedDict;

	constructor(dict: BencodedDict) {
		this.#dict = dict;
	}

	integer(key: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
		const value = this.#dict.get(key);
		if (typeof value !== 'number' || value < least || value > most) fail(`bad ${key}`);
		return value;
	}

	bytes(key: string, length: number): Uint8Array {
		const value = this.#dict.get(key);
		if (!(value instanceof Uint8Array) || value.length !== length) fail(`bad ${key}`);
		return value;
	}

	bytesUpTo(key: string, most: number): Uint8Array {
		const value = this.#dict.get(key);
		if (!(value instanceof Uint8Array) || value.length === 0 || value.length > most)
			fail(`bad ${key}`);
		return value;
	}

	text(key: string, mostBytes: number): string {
		try {
			return fromUtf8(this.bytesUpTo(key, mostBytes));
		} catch {
			fail(`bad ${key}`);
		}
	}
}
