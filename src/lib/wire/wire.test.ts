import { PassThrough } from 'node:stream';
import BittorrentWire from 'bittorrent-protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShoalError } from '../model/error.ts';
import { MAX_MANIFEST_BYTES, MAX_PIECE_INDEX, SIGNATURE_BYTES } from '../model/manifest.ts';
import {
	MAX_EXCHANGED_PEERS,
	MAX_HAVE_BITS_BYTES,
	MAX_SDP_CHARS,
	MAX_WANTED_MANIFESTS,
	type Message,
} from '../model/message.ts';
import { BLOCK_BYTES, MAX_INIT_BYTES } from '../model/segment.ts';
import type { Wire } from '../model/wire.ts';
import { encodeBencode } from '../model/bencode.ts';
import { concatBytes, toHex, utf8 } from '../util/bytes.ts';
import {
	MAX_BITFIELD_FRAME_BYTES,
	MAX_EXTENDED_HANDSHAKE_BYTES,
	MAX_EXTENSION_NAME_BYTES,
	MAX_EXTENSION_NAMES,
} from './bounds.ts';
import { decodeLiveMessage, decodePlainMessage, encodeMessage } from './message-codec.ts';
import { createWire } from './wire.ts';

const infoHash = new Uint8Array(20).fill(7);
const idA = new Uint8Array(20).fill(1);
const idB = new Uint8Array(20).fill(2);
const open = (peerId: Uint8Array) =>
	createWire({ infoHash, peerId, initiator: true, now: () => 0 });
const filled = (length: number, value: number) => new Uint8Array(length).fill(value);

/** Two wires joined without delay; everything A says is fragmented by `cut`. */
function joined(cut: (bytes: Uint8Array) => Uint8Array[] = (bytes) => [bytes]) {
	const a = open(idA);
	const b = open(idB);
	const ready: string[] = [];
	a.onReady = (id) => ready.push(`a sees ${id.slice(0, 2)}`);
	b.onReady = (id) => ready.push(`b sees ${id.slice(0, 2)}`);
	// Each side's bytes keep their order, as on a data channel.
	const toA = b.start();
	const toB = a.start().flatMap(cut);
	for (const bytes of toB) b.receive(bytes);
	for (const bytes of toA) a.receive(bytes);
	return { a, b, ready };
}

function collect(wire: Wire): Message[] {
	const messages: Message[] = [];
	wire.onMessage = (message) => messages.push(message);
	return messages;
}

/** An extended frame for extension 0, the handshake's own. */
function extendedFrame(dict: Uint8Array): Uint8Array {
	const frame = new Uint8Array(6 + dict.length);
	new DataView(frame.buffer).setUint32(0, dict.length + 2);
	frame.set([20, 0], 4);
	frame.set(dict, 6);
	return frame;
}

function extendedHandshake(names: readonly string[], id: number): Uint8Array {
	return extendedFrame(
		encodeBencode(new Map([['m', new Map(names.map((name) => [name, id] as const))]])),
	);
}

const SAMPLES: Message[] = [
	{ type: 'hello', role: 'relay', uplinkBps: 5_000_000, instance: filled(16, 3) },
	{ type: 'hello', role: 'viewer', uplinkBps: undefined, instance: filled(16, 4) },
	{ type: 'broadcaster-proof', signature: filled(64, 7) },
	{ type: 'manifest', signature: filled(64, 5), dict: filled(300, 6) },
	{ type: 'manifest-delta', signature: filled(64, 5), baseFirstPiece: 77, changes: filled(90, 1) },
	{ type: 'want-manifest', piece: 12, before: 3 },
	{ type: 'want-manifest', piece: undefined, before: 0 },
	{ type: 'have', first: 2 ** 31 - 9, bits: filled(2, 0xa0) },
	{ type: 'subscribe', substreams: 0b10110001 },
	{ type: 'subscribed', substreams: 0, asked: 255 },
	{ type: 'request', index: 9, begin: 16384, length: 16384 },
	{ type: 'cancel', index: 9, begin: 0, length: 1 },
	{ type: 'reject', index: 9, begin: 0, length: 16384 },
	{ type: 'piece', index: 2 ** 31 - 1, begin: 0, block: filled(16384, 8) },
	{ type: 'want-init', sha256: filled(32, 9) },
	{ type: 'init', sha256: filled(32, 9), bytes: filled(1200, 1) },
	{
		type: 'ping',
		nonce: 2 ** 32 - 1,
		hop: 255,
		spareKbps: 900,
		uplinkKbps: 5000,
		behindMs: 65535,
		links: 16,
		depths: filled(8, 255),
		branches: filled(8, 3),
	},
	{ type: 'pong', nonce: 1 },
	{ type: 'exchange', peers: [filled(20, 1), filled(20, 2)] },
	{ type: 'signal', to: idA, from: idB, kind: 'answer', offerId: filled(20, 3), sdp: 'v=0\r\n' },
	{ type: 'bye' },
];

describe('a wire', () => {
	it('is ready on both sides after the handshakes', () => {
		expect(joined().ready.sort()).toEqual(['a sees 02', 'b sees 01']);
	});

	it('carries every message unchanged, however it is fragmented', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 40000 }), (step) => {
				const cut = (bytes: Uint8Array) => {
					const parts = [];
					for (let at = 0; at < bytes.length; at += step) parts.push(bytes.subarray(at, at + step));
					return parts;
				};
				const { a, b } = joined(cut);
				const got = collect(b);
				const all = concatBytes(...SAMPLES.map((message) => a.encode(message)));
				cut(all).forEach((part) => b.receive(part));
				expect(got).toEqual(SAMPLES);
			}),
			{ numRuns: 60 },
		);
	});

	it('throws nothing but protocol breaches at whatever bytes', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(255), fc.nat(15), (bytes, id, kind) => {
				const { b } = joined();
				const frame = new Uint8Array(bytes.length + 7);
				new DataView(frame.buffer).setUint32(0, bytes.length + 3);
				frame.set([id % 2 ? 20 : id, 1, kind], 4);
				frame.set(bytes, 7);
				try {
					b.receive(frame);
				} catch (error) {
					expect(error).toBeInstanceOf(ShoalError);
					expect((error as ShoalError).code).toBe('protocol');
				}
			}),
			{ numRuns: 20_000 },
		);
	});

	it('refuses an over-long message at its first bytes and holds none of it', () => {
		const { b } = joined();
		const claim = (length: number, id: number) => {
			const bytes = new Uint8Array(5);
			new DataView(bytes.buffer).setUint32(0, length);
			bytes[4] = id;
			return bytes;
		};
		expect(() => b.receive(claim(256 * 1024 * 1024, 7))).toThrow(/too long/);
		expect(() => joined().b.receive(claim(16384 + 10, 7))).toThrow(/too long/);
		expect(() => joined().b.receive(claim(64 * 1024 + 1, 20))).toThrow(/too long/);
		expect(() => joined().b.receive(claim(18, 4))).toThrow(/too long/);
		expect(() => joined().b.receive(claim(18, 99))).toThrow(/too long/);
		expect(() => joined().b.receive(claim(256 * 1024 * 1024, 7).subarray(0, 4))).toThrow(
			/too long/,
		);
	});

	it('refuses another swarm, another protocol, itself and a peer without BEP 10', () => {
		const wire = () => open(idA);
		const opening = (change: (bytes: Uint8Array) => void) => {
			const bytes = open(idB).start()[0] ?? new Uint8Array();
			change(bytes);
			return bytes;
		};
		expect(() => wire().receive(opening((bytes) => (bytes[28] = 0)))).toThrow(/another swarm/);
		expect(() => wire().receive(opening((bytes) => (bytes[3] = 0)))).toThrow(/not BitTorrent/);
		expect(() => wire().receive(opening((bytes) => (bytes[25] = 0)))).toThrow(/extension/);
		expect(() => wire().receive(opening((bytes) => bytes.set(idA, 48)))).toThrow(/oneself/);
	});

	it('passes over standard messages that mean nothing on a channel', () => {
		const { b } = joined();
		const got = collect(b);
		for (const frame of [[0], [1], [2], [4, 0, 0, 0, 1], [14], [15], [5, 255, 255]]) {
			const bytes = new Uint8Array(4 + frame.length);
			new DataView(bytes.buffer).setUint32(0, frame.length);
			bytes.set(frame, 4);
			b.receive(bytes);
		}
		const bitfield = new Uint8Array(4 + MAX_BITFIELD_FRAME_BYTES);
		new DataView(bitfield.buffer).setUint32(0, MAX_BITFIELD_FRAME_BYTES);
		bitfield[4] = 5;
		b.receive(bitfield);
		b.receive(new Uint8Array(4));
		expect(got).toEqual([]);
	});

	it('ends a peer that keeps sending extended handshakes', () => {
		const { b, ready } = joined();
		b.receive(extendedHandshake(['shoal_live'], 2));
		expect(ready.length).toBe(2);
		expect(() => b.receive(extendedHandshake(['shoal_live'], 2))).toThrow(/too many/);
	});

	it('takes and gives no messages before both know how', () => {
		const [a, b] = [open(idA), open(idB)];
		const got = collect(b);
		const [handshake, extended] = a.start() as [Uint8Array, Uint8Array];
		b.receive(handshake);
		for (const message of SAMPLES) b.receive(encodeMessage(message, 1));
		expect(got).toEqual([]);
		expect(() => b.encode({ type: 'bye' })).toThrow(/not ready/);
		b.receive(extended);
		b.receive(encodeMessage({ type: 'bye' }, 1));
		expect(got).toEqual([{ type: 'bye' }]);
	});

	it('knows a peer without the live extension from one that breaks the protocol', () => {
		const told = (...frames: Uint8Array[]) => {
			const wire = open(idA);
			let came = 'nothing';
			wire.onReady = () => (came = 'ready');
			wire.onForeign = () => (came = 'foreign');
			wire.receive(open(idB).start()[0] ?? new Uint8Array());
			for (const frame of frames) wire.receive(frame);
			return came;
		};
		const names = (count: number) => Array.from({ length: count }, (_, i) => `name_${i + 10}`);
		expect(told(extendedFrame(utf8('de')))).toBe('foreign');
		expect(told(extendedHandshake(['shoal_live'], 0))).toBe('foreign');
		expect(told(extendedHandshake(names(MAX_EXTENSION_NAMES), 3))).toBe('foreign');
		expect(told(extendedHandshake(['x'.repeat(MAX_EXTENSION_NAME_BYTES)], 3))).toBe('foreign');
		expect(told(extendedHandshake(['shoal_live'], 255))).toBe('ready');
		for (const [bad, why] of [
			[extendedFrame(utf8('i1e')), /not a dictionary/],
			[extendedFrame(utf8('d1:mi1ee')), /m is not a dictionary/],
			[extendedHandshake(['shoal_live'], 256), /bad id/],
			[extendedHandshake(['shoal_live'], -1), /bad id/],
			[extendedHandshake(names(MAX_EXTENSION_NAMES + 1), 3), /too many names/],
			[extendedHandshake(['x'.repeat(MAX_EXTENSION_NAME_BYTES + 1)], 3), /long name/],
			[extendedFrame(new Uint8Array(MAX_EXTENDED_HANDSHAKE_BYTES + 1)), /too long/],
		] as const) {
			expect(() => told(bad)).toThrow(why);
		}
	});
});

describe('a wire against the bittorrent-protocol package', () => {
	it('shakes hands and exchanges requests, pieces and extension messages', async () => {
		const stock = new BittorrentWire();
		const received: Record<string, unknown>[] = [];
		class Live {
			name = 'shoal_live';
			onMessage(bytes: Uint8Array) {
				received.push({ live: toHex(bytes) });
			}
		}
		(Live.prototype as { name?: string }).name = 'shoal_live';
		stock.use(Live);

		const ours = open(idA);
		const got = collect(ours);
		const pipe = new PassThrough();
		pipe.pipe(stock as never);
		stock.on('data', (bytes: Uint8Array) => ours.receive(new Uint8Array(bytes)));
		const ready = new Promise<string>((done) => (ours.onReady = done));
		stock.on('handshake', () => stock.handshake(toHex(infoHash), toHex(idB)));
		stock.on(
			'request',
			(index: number, begin: number, length: number, reply: (e: null, b: Uint8Array) => void) => {
				received.push({ request: [index, begin, length] });
				reply(null, filled(length, 4));
			},
		);
		for (const bytes of ours.start()) pipe.write(bytes);
		expect(await ready).toBe(toHex(idB));

		stock.unchoke();
		stock.extended('shoal_live', new Uint8Array([11, 0, 0, 0, 5]));
		pipe.write(ours.encode({ type: 'request', index: 3, begin: 0, length: 100 }));
		pipe.write(ours.encode({ type: 'pong', nonce: 6 }));
		await expect.poll(() => got.length).toBe(2);
		expect(got).toContainEqual({ type: 'pong', nonce: 5 });
		expect(got).toContainEqual({ type: 'piece', index: 3, begin: 0, block: filled(100, 4) });
		await expect.poll(() => received.length).toBe(2);
		expect(received).toContainEqual({ request: [3, 0, 100] });
		expect(received).toContainEqual({ live: '0b00000006' });
		stock.destroy();
	});
});

describe('frames', () => {
	it('have the documented bytes', () => {
		const hex = (message: Message) => toHex(encodeMessage(message, 3));
		expect(hex({ type: 'request', index: 258, begin: 16384, length: 16384 })).toBe(
			'0000000d06000001020000400000004000',
		);
		expect(hex({ type: 'subscribe', substreams: 0x81 })).toBe('000000041403' + '0681');
		expect(hex({ type: 'have', first: 5, bits: new Uint8Array([0xf0]) })).toBe(
			'000000081403' + '0500000005f0',
		);
		expect(hex({ type: 'bye' })).toBe('0000000314030e');
	});

	it('are taken up to the documented bounds and refused beyond them', () => {
		const decode = (message: Message) => {
			const frame = encodeMessage(message, 1);
			return frame[4] === 20
				? decodeLiveMessage(frame.subarray(6))
				: decodePlainMessage(frame.subarray(4));
		};
		const signature = filled(SIGNATURE_BYTES, 5);
		const block = { begin: 0, length: BLOCK_BYTES };
		const manifest = (bytes: number) =>
			({ type: 'manifest', signature, dict: filled(bytes, 1) }) as const;
		const delta = (bytes: number, baseFirstPiece = MAX_PIECE_INDEX) =>
			({ type: 'manifest-delta', signature, baseFirstPiece, changes: filled(bytes, 1) }) as const;
		const want = (piece: number, before: number) =>
			({ type: 'want-manifest', piece, before }) as const;
		const have = (first: number, bytes: number) =>
			({ type: 'have', first, bits: filled(bytes, 1) }) as const;
		const init = (bytes: number) =>
			({ type: 'init', sha256: filled(32, 1), bytes: filled(bytes, 1) }) as const;
		const exchange = (count: number) =>
			({ type: 'exchange', peers: Array.from({ length: count }, () => idA) }) as const;
		const signal = (chars: number): Message => ({
			...{ type: 'signal', to: idA, from: idB, kind: 'offer', offerId: idA },
			sdp: 'x'.repeat(chars),
		});
		const longest = MAX_MANIFEST_BYTES - SIGNATURE_BYTES;
		for (const good of [
			{ type: 'request', index: MAX_PIECE_INDEX, ...block } as const,
			manifest(longest),
			delta(longest),
			want(MAX_PIECE_INDEX, MAX_WANTED_MANIFESTS),
			have(MAX_PIECE_INDEX, MAX_HAVE_BITS_BYTES),
			init(MAX_INIT_BYTES),
			exchange(MAX_EXCHANGED_PEERS),
			signal(MAX_SDP_CHARS),
		]) {
			expect(decode(good)).toEqual(good);
		}
		const beyond = MAX_PIECE_INDEX + 1;
		for (const [bad, why] of [
			[{ type: 'request', index: beyond, ...block }, /piece index/],
			[{ type: 'request', index: 0, begin: 0, length: BLOCK_BYTES + 1 }, /bad block/],
			[{ type: 'request', index: 0, begin: 0, length: 0 }, /bad block/],
			[{ type: 'cancel', index: 0, begin: 1, length: 1 }, /bad block/],
			[{ type: 'piece', index: beyond, begin: 0, block: filled(1, 1) }, /piece index/],
			[{ type: 'piece', index: 0, begin: 1, block: filled(1, 1) }, /bad block/],
			[{ type: 'piece', index: 0, begin: 0, block: filled(0, 1) }, /bad block/],
			[manifest(longest + 1), /long manifest/],
			[delta(longest + 1), /long manifest/],
			[delta(1, beyond), /piece index/],
			[want(beyond, 0), /piece index/],
			[want(0, MAX_WANTED_MANIFESTS + 1), /too many manifests/],
			[have(beyond, 1), /piece index/],
			[have(0, MAX_HAVE_BITS_BYTES + 1), /bad have/],
			[have(0, 0), /bad have/],
			[init(MAX_INIT_BYTES + 1), /bad init/],
			[init(0), /bad init/],
			[exchange(MAX_EXCHANGED_PEERS + 1), /bad exchange/],
			[signal(MAX_SDP_CHARS + 1), /long description/],
		] as const) {
			expect(() => decode(bad), String(why)).toThrow(why);
		}
	});

	it('are refused when cut short or when bytes trail', () => {
		const sized = (['broadcaster-proof', 'subscribe', 'want-init', 'ping', 'pong', 'bye'] as const)
			.map((type) => SAMPLES.find((message) => message.type === type))
			.map((message) => encodeMessage(message ?? expect.unreachable(), 1).subarray(6));
		for (const body of sized) {
			expect(() => decodeLiveMessage(concatBytes(body, filled(1, 0)))).toThrow(/trailing/);
			expect(() => decodeLiveMessage(body.subarray(0, -1))).toThrow(/cut short/);
		}
	});
});
