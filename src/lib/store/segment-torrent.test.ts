import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { makeSegmentTorrent, segmentInfoDict, segmentTorrentFile } from './segment-torrent.ts';

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff);
const hash = (name: string, data: Uint8Array) =>
	new Uint8Array(createHash(name).update(data).digest());

test('names a segment by the SHA-1 of its info dictionary, and each piece by its own', async () => {
	const segment = bytes(40_000);
	const torrent = await makeSegmentTorrent(segment);
	expect(torrent.pieceLength).toBe(16_384);
	expect(torrent.pieceHashes.length).toBe(3 * 20);
	expect(torrent.pieceHashes.subarray(40)).toEqual(hash('sha1', segment.subarray(32_768)));
	expect(torrent.sha256).toEqual(hash('sha256', segment));
	const dict = segmentInfoDict({ ...torrent, length: segment.length });
	expect(torrent.infoHash).toEqual(hash('sha1', dict));
});

test('writes the info dictionary as BEP 3 has it', () => {
	const dict = segmentInfoDict({ length: 5, pieceLength: 16_384, pieceHashes: new Uint8Array(20) });
	const text = new TextDecoder('latin1').decode(dict);
	expect(text).toBe(
		`d6:lengthi5e4:name7:segment12:piece lengthi16384e6:pieces20:${'\0'.repeat(20)}e`,
	);
});

test('writes a .torrent around that dictionary, with trackers in tiers of their own', async () => {
	const segment = bytes(40_000);
	const torrent = { ...(await makeSegmentTorrent(segment)), length: segment.length };
	const text = (announce: string[]) =>
		new TextDecoder('latin1').decode(segmentTorrentFile(torrent, announce));
	const info = new TextDecoder('latin1').decode(segmentInfoDict(torrent));
	expect(text([])).toBe(`d4:info${info}e`);
	expect(text(['ws://a/b', 'http://c'])).toBe(
		`d8:announce8:ws://a/b13:announce-listll8:ws://a/bel8:http://cee4:info${info}e`,
	);
});

test('gives the same bytes the same name', async () => {
	const [one, two] = await Promise.all([
		makeSegmentTorrent(bytes(9)),
		makeSegmentTorrent(bytes(9)),
	]);
	expect(one).toEqual(two);
});

test('takes larger pieces for a larger segment, so that its manifest stays small', async () => {
	const torrent = await makeSegmentTorrent(bytes(65 * 16_384));
	expect(torrent.pieceLength).toBe(32_768);
	expect(torrent.pieceHashes.length / 20).toBeLessThanOrEqual(64);
});
