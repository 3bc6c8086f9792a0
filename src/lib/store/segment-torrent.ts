import { concatBytes, utf8 } from '../util/bytes.ts';
import { encodeBencode, type Bencoded } from '../model/bencode.ts';
import type { Manifest } from '../model/manifest.ts';
import { pieceLengthFor } from '../model/segment.ts';

/** A segment as a BitTorrent v1 torrent (BEP 3): everything about it that follows from its bytes. */
export interface SegmentTorrent {
	readonly infoHash: Uint8Array<ArrayBuffer>;
	readonly sha256: Uint8Array<ArrayBuffer>;
	readonly pieceLength: number;
	/** SHA-1 of each piece, 20 bytes each, joined. */
	readonly pieceHashes: Uint8Array<ArrayBuffer>;
}

/** File name in every segment's info dictionary; fixed, so that equal bytes have one infohash. */
const SEGMENT_NAME = 'segment';

/** The info dictionary (BEP 3) of a segment; its SHA-1 is the infohash. */
export function segmentInfoDict(
	manifest: Pick<Manifest, 'length' | 'pieceLength' | 'pieceHashes'>,
): Uint8Array<ArrayBuffer> {
	return encodeBencode(
		new Map<string, number | Uint8Array>([
			['length', manifest.length],
			['name', utf8(SEGMENT_NAME)],
			['piece length', manifest.pieceLength],
			['pieces', manifest.pieceHashes],
		]),
	);
}

/** A .torrent file for a segment, for ordinary clients; its infohash is the one in the manifest. */
export function segmentTorrentFile(
	manifest: Pick<Manifest, 'length' | 'pieceLength' | 'pieceHashes'>,
	announce: readonly string[],
): Uint8Array<ArrayBuffer> {
	const [first] = announce;
	const trackers = first
		? encodeBencode(
				new Map<string, Bencoded>([
					['announce', utf8(first)],
					['announce-list', announce.map((url) => [utf8(url)])],
				]),
			).subarray(0, -1)
		: utf8('d');
	// The dictionary of the file with the segment's own inside: `info` sorts behind `announce`.
	return concatBytes(trackers, utf8('4:info'), segmentInfoDict(manifest), utf8('e'));
}

/** Makes the torrent of a segment. The same bytes always give the same torrent. */
export async function makeSegmentTorrent(bytes: Uint8Array<ArrayBuffer>): Promise<SegmentTorrent> {
	const pieceLength = pieceLengthFor(bytes.length);
	const pieces: Promise<ArrayBuffer>[] = [];
	for (let at = 0; at < bytes.length; at += pieceLength) {
		pieces.push(crypto.subtle.digest('SHA-1', bytes.subarray(at, at + pieceLength)));
	}
	const [sha256, ...hashes] = await Promise.all([
		crypto.subtle.digest('SHA-256', bytes),
		...pieces,
	]);
	const pieceHashes = concatBytes(...hashes.map((hash) => new Uint8Array(hash)));
	const info = segmentInfoDict({ length: bytes.length, pieceLength, pieceHashes });
	const infoHash = new Uint8Array(await crypto.subtle.digest('SHA-1', info));
	return { infoHash, sha256: new Uint8Array(sha256), pieceLength, pieceHashes };
}
