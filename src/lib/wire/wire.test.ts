import { PassThrough } from 'node:stream';
import BittorrentWire from 'bittorrent-protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShoalError } from '../model/error.ts';
import type { Message } from '../model/message.ts';
import type { Wire } from '../model/wire.ts';
import { concatBytes, toHex } from '../util/bytes.ts';
import { encodeMessage } from './message-codec.ts';
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
		b.receive(new Uint8Array(4));
		expect(got).toEqual([]);
	});

	it('ends a peer that keeps sending extended handshakes', () => {
		const { a, b } = joined();
		const handshake = new Uint8Array([0, 0, 0, 4, 20, 0, 0x64, 0x65]);
		b.receive(handshake);
		expect(() => b.receive(handshake)).toThrow(/too many/);
		void a;
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
});
