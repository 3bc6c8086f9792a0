import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { channelOf, infoHashInput, parseChannel } from '../model/channel.ts';
import { decodeManifest, pieceCount } from '../model/manifest.ts';
import { applyManifestChanges, manifestChanges } from '../model/manifest-delta.ts';
import { signedBytes } from '../sign/manifest-signer.ts';
import { sha256, webProofs } from '../sign/web-proofs.ts';
import { makeSegmentTorrent } from '../store/segment-torrent.ts';
import { fromHex, toHex } from '../util/bytes.ts';
import { encodeExtendedHandshake } from '../wire/extended-handshake.ts';
import { encodeHandshake } from '../wire/handshake.ts';
import { decodeLiveMessage, decodePlainMessage, encodeMessage } from '../wire/message-codec.ts';

interface Vectors {
	channel: { publicKey: string; id: string; infoHash: string };
	segment: {
		length: number;
		pieceLength: number;
		pieceHashes: string;
		sha256: string;
		infoDictSha1: string;
	};
	manifest: { dict: string; signature: string; sha256: string };
	delta: { changes: string; dict: string; signature: string };
	handshake: string;
	extendedHandshake: string;
	frames: Record<string, string>;
}

const page = readFileSync(new URL('../../../PROTOCOL.md', import.meta.url), 'utf8');
const vectors = JSON.parse(/```json vectors\n([\s\S]*?)\n```/.exec(page)?.[1] ?? '') as Vectors;
const bytes = (hex: string) => fromHex(hex) ?? expect.unreachable('not hexadecimal');
const proofs = webProofs();
const isGenuine = (signature: string, dict: Uint8Array) =>
	new Promise<boolean>((resolve) => {
		proofs.verify(bytes(vectors.channel.publicKey), bytes(signature), signedBytes(dict), resolve);
	});

describe('PROTOCOL.md agrees with the code on', () => {
	it('the channel, its link and its infohash', async () => {
		const channel = channelOf(bytes(vectors.channel.publicKey));
		expect(channel.id).toBe(vectors.channel.id);
		expect(parseChannel(`https://x.example/watch/#${channel.id}`).publicKey).toEqual(
			channel.publicKey,
		);
		const infoHash = (await sha256(infoHashInput(channel))).slice(0, 20);
		expect(toHex(infoHash)).toBe(vectors.channel.infoHash);
	});

	it('the torrent of a segment', async () => {
		const { length, ...expected } = vectors.segment;
		const torrent = await makeSegmentTorrent(new Uint8Array(length).map((_, i) => i * 7));
		expect(torrent.pieceLength).toBe(expected.pieceLength);
		expect(toHex(torrent.pieceHashes)).toBe(expected.pieceHashes);
		expect(toHex(torrent.sha256)).toBe(expected.sha256);
		expect(toHex(torrent.infoHash)).toBe(expected.infoDictSha1);
	});

	it('the manifest, its signature and its hash', async () => {
		const dict = bytes(vectors.manifest.dict);
		const manifest = decodeManifest(dict);
		expect(toHex(manifest.channel)).toBe(vectors.channel.publicKey);
		expect(toHex(manifest.infoHash)).toBe(vectors.segment.infoDictSha1);
		expect([manifest.firstPiece, pieceCount(manifest)]).toEqual([4096, 3]);
		expect(await isGenuine(vectors.manifest.signature, dict)).toBe(true);
		expect(await isGenuine(vectors.manifest.signature, bytes(vectors.delta.dict))).toBe(false);
		expect(toHex(await sha256(signedBytes(dict)))).toBe(vectors.manifest.sha256);
	});

	it('the next manifest told as a difference', async () => {
		const dict = bytes(vectors.manifest.dict);
		const base = {
			manifest: decodeManifest(dict),
			dict,
			signature: bytes(vectors.manifest.signature),
			sha256: bytes(vectors.manifest.sha256),
		};
		const rebuilt = applyManifestChanges(base, bytes(vectors.delta.changes));
		expect(toHex(rebuilt)).toBe(vectors.delta.dict);
		expect(await isGenuine(vectors.delta.signature, rebuilt)).toBe(true);
		expect(toHex(manifestChanges(base, decodeManifest(rebuilt)))).toBe(vectors.delta.changes);
	});

	it('both handshakes', () => {
		const peerId = new Uint8Array(20).fill(0x2d);
		expect(toHex(encodeHandshake(bytes(vectors.channel.infoHash), peerId))).toBe(vectors.handshake);
		expect(toHex(encodeExtendedHandshake())).toBe(vectors.extendedHandshake);
	});

	it.each(Object.entries(vectors.frames))('the frame of %s', (name, hex) => {
		const frame = bytes(hex).subarray(4);
		const message =
			frame[0] === 20 ? decodeLiveMessage(frame.subarray(2)) : decodePlainMessage(frame);
		if (!message) return expect.unreachable('not decoded');
		expect(name.startsWith(message.type)).toBe(true);
		expect(toHex(encodeMessage(message, 1))).toBe(hex);
	});
});
