import { fromUtf8, utf8 } from '../util/bytes.ts';
import { ShoalError } from '../model/error.ts';
import { MAX_MANIFEST_BYTES, MAX_PIECE_INDEX, SIGNATURE_BYTES } from '../model/manifest.ts';
import {
	MAX_EXCHANGED_PEERS,
	MAX_HAVE_BITS_BYTES,
	MAX_SDP_CHARS,
	MAX_WANTED_MANIFESTS,
	SUBSTREAMS,
	type Message,
	type PeerRole,
} from '../model/message.ts';
import { BLOCK_BYTES, MAX_INIT_BYTES } from '../model/segment.ts';

/*
 * A frame is `u32 length | u8 id | payload` (BEP 3), integers big-endian. Requests, pieces, cancels and rejects are
 * the standard messages on the channel-wide piece index; all else is the live extension's: id 20, the receiver's
 * extension id, one byte of kind, the body. PROTOCOL.md, "Messages", carries the same table.
 */

/** Standard message ids (BEP 3, BEP 6, BEP 10). */
export const ID_BITFIELD = 5;
export const ID_REQUEST = 6;
export const ID_PIECE = 7;
export const ID_CANCEL = 8;
export const ID_REJECT = 16;
export const ID_EXTENDED = 20;

/** Version of the live extension, in its `hello`. */
export const LIVE_VERSION = 1;

const KINDS = [
	'hello',
	'manifest',
	'manifest-delta',
	'want-manifest',
	'have',
	'subscribe',
	'subscribed',
	'want-init',
	'init',
	'ping',
	'pong',
	'exchange',
	'signal',
	'bye',
	'broadcaster-proof',
] as const;
const ROLES: readonly PeerRole[] = ['broadcaster', 'viewer', 'relay'];
const NONE = 0xffffffff;

/** The whole frame of a message; `extensionId` is the one the receiver asked for. */
export function encodeMessage(message: Message, extensionId: number): Uint8Array<ArrayBuffer> {
	switch (message.type) {
		case 'request':
			return blockFrame(ID_REQUEST, message.index, message.begin, message.length);
		case 'cancel':
			return blockFrame(ID_CANCEL, message.index, message.begin, message.length);
		case 'reject':
			return blockFrame(ID_REJECT, message.index, message.begin, message.length);
		case 'piece': {
			const writer = new Writer(ID_PIECE, 8 + message.block.length);
			return writer.u32(message.index).u32(message.begin).bytes(message.block).frame;
		}
		default:
			return extendedFrame(message, extensionId);
	}
}

function blockFrame(id: number, index: number, begin: number, length: number) {
	return new Writer(id, 12).u32(index).u32(begin).u32(length).frame;
}

type ExtendedMessage = Extract<Message, { type: (typeof KINDS)[number] }>;

function extendedFrame(message: ExtendedMessage, extensionId: number): Uint8Array<ArrayBuffer> {
	const body = (bytes: number) =>
		new Writer(ID_EXTENDED, bytes + 2).u8(extensionId).u8(KINDS.indexOf(message.type) + 1);
	switch (message.type) {
		case 'hello':
			return body(22)
				.u8(LIVE_VERSION)
				.u8(ROLES.indexOf(message.role))
				.u32(message.uplinkBps === undefined ? NONE : clampU32(message.uplinkBps / 1000))
				.bytes(message.instance).frame;
		case 'broadcaster-proof':
			return body(SIGNATURE_BYTES).bytes(message.signature).frame;
		case 'manifest':
			return body(SIGNATURE_BYTES + message.dict.length)
				.bytes(message.signature)
				.bytes(message.dict).frame;
		case 'manifest-delta':
			return body(SIGNATURE_BYTES + 4 + message.changes.length)
				.bytes(message.signature)
				.u32(message.baseFirstPiece)
				.bytes(message.changes).frame;
		case 'want-manifest':
			return body(5)
				.u32(message.piece ?? NONE)
				.u8(message.before).frame;
		case 'have':
			return body(4 + message.bits.length)
				.u32(message.first)
				.bytes(message.bits).frame;
		case 'subscribe':
			return body(1).u8(message.substreams).frame;
		case 'subscribed':
			return body(2).u8(message.substreams).u8(message.asked).frame;
		case 'want-init':
			return body(32).bytes(message.sha256).frame;
		case 'init':
			return body(32 + message.bytes.length)
				.bytes(message.sha256)
				.bytes(message.bytes).frame;
		case 'ping':
			return body(16 + 2 * SUBSTREAMS)
				.u32(message.nonce)
				.u8(message.hop)
				.u32(clampU32(message.spareKbps))
				.u32(clampU32(message.uplinkKbps))
				.u16(Math.min(0xffff, Math.max(0, Math.round(message.behindMs))))
				.u8(Math.min(255, message.links))
				.bytes(message.depths)
				.bytes(message.branches).frame;
		case 'pong':
			return body(4).u32(message.nonce).frame;
		case 'exchange': {
			const writer = body(message.peers.length * 20);
			for (const peer of message.peers) writer.bytes(peer);
			return writer.frame;
		}
		case 'signal': {
			const sdp = utf8(message.sdp);
			return body(61 + sdp.length)
				.bytes(message.to)
				.bytes(message.from)
				.u8(message.kind === 'offer' ? 0 : 1)
				.bytes(message.offerId)
				.bytes(sdp).frame;
		}
		case 'bye':
			return body(0).frame;
	}
}

/**
 * The message in a frame (without its length), or `undefined` for kinds that mean nothing on a channel.
 * Byte fields are views of `frame`. Throws `protocol` on a malformed one. Extended frames come without their first
 * two bytes through `decodeLiveMessage`.
 */
export function decodePlainMessage(frame: Uint8Array): Message | undefined {
	const read = new Reader(frame);
	const id = read.u8();
	switch (id) {
		case ID_REQUEST:
		case ID_CANCEL:
		case ID_REJECT: {
			const index = read.pieceIndex();
			const begin = read.u32();
			const length = read.u32();
			read.end();
			if (length === 0 || length > BLOCK_BYTES || begin % BLOCK_BYTES !== 0) fail('bad block');
			const type = id === ID_REQUEST ? 'request' : id === ID_CANCEL ? 'cancel' : 'reject';
			return { type, index, begin, length };
		}
		case ID_PIECE: {
			const index = read.pieceIndex();
			const begin = read.u32();
			const block = read.rest();
			if (block.length === 0 || begin % BLOCK_BYTES !== 0) fail('bad block');
			return { type: 'piece', index, begin, block };
		}
		default:
			return undefined;
	}
}

/** The live message in an extended frame's body; `undefined` for kinds of a later version. Throws `protocol`. */
export function decodeLiveMessage(body: Uint8Array): Message | undefined {
	const read = new Reader(body);
	const type = KINDS[read.u8() - 1];
	switch (type) {
		case 'hello': {
			const version = read.u8();
			if (version < 1) fail('version 0');
			const role = ROLES[read.u8()] ?? fail('unknown role');
			const kbps = read.u32();
			const instance = read.bytes(16);
			return { type, role, uplinkBps: kbps === NONE ? undefined : kbps * 1000, instance };
		}
		case 'broadcaster-proof': {
			const signature = read.bytes(SIGNATURE_BYTES);
			read.end();
			return { type, signature };
		}
		case 'manifest': {
			const signature = read.bytes(SIGNATURE_BYTES);
			const dict = read.rest();
			if (dict.length + SIGNATURE_BYTES > MAX_MANIFEST_BYTES) fail('long manifest');
			return { type, signature, dict };
		}
		case 'manifest-delta': {
			const signature = read.bytes(SIGNATURE_BYTES);
			const baseFirstPiece = read.pieceIndex();
			const changes = read.rest();
			if (changes.length + SIGNATURE_BYTES > MAX_MANIFEST_BYTES) fail('long manifest');
			return { type, signature, baseFirstPiece, changes };
		}
		case 'want-manifest': {
			const piece = read.u32();
			const before = read.u8();
			read.end();
			if (piece !== NONE && piece > MAX_PIECE_INDEX) fail('piece index');
			if (before > MAX_WANTED_MANIFESTS) fail('too many manifests wanted');
			return { type, piece: piece === NONE ? undefined : piece, before };
		}
		case 'have': {
			const first = read.pieceIndex();
			const bits = read.rest();
			if (bits.length === 0 || bits.length > MAX_HAVE_BITS_BYTES) fail('bad have');
			return { type, first, bits };
		}
		case 'subscribe': {
			const substreams = read.u8();
			read.end();
			return { type, substreams };
		}
		case 'subscribed': {
			const substreams = read.u8();
			const asked = read.u8();
			read.end();
			return { type, substreams, asked };
		}
		case 'want-init': {
			const sha256 = read.bytes(32);
			read.end();
			return { type, sha256 };
		}
		case 'init': {
			const sha256 = read.bytes(32);
			const bytes = read.rest();
			if (bytes.length === 0 || bytes.length > MAX_INIT_BYTES) fail('bad init segment');
			return { type, sha256, bytes };
		}
		case 'ping': {
			const nonce = read.u32();
			const hop = read.u8();
			const spareKbps = read.u32();
			const uplinkKbps = read.u32();
			const behindMs = read.u16();
			const links = read.u8();
			const depths = read.bytes(SUBSTREAMS);
			const branches = read.bytes(SUBSTREAMS);
			read.end();
			return { type, nonce, hop, spareKbps, uplinkKbps, behindMs, links, depths, branches };
		}
		case 'pong': {
			const nonce = read.u32();
			read.end();
			return { type, nonce };
		}
		case 'exchange': {
			const count = read.left / 20;
			if (!Number.isInteger(count) || count > MAX_EXCHANGED_PEERS) fail('bad exchange');
			return { type, peers: Array.from({ length: count }, () => read.bytes(20)) };
		}
		case 'signal': {
			const to = read.bytes(20);
			const from = read.bytes(20);
			const kindByte = read.u8();
			if (kindByte > 1) fail('bad signal');
			const offerId = read.bytes(20);
			const text = read.rest();
			if (text.length > MAX_SDP_CHARS) fail('long description');
			let sdp: string;
			try {
				sdp = fromUtf8(text);
			} catch {
				fail('description is not text');
			}
			return { type, to, from, kind: kindByte === 0 ? 'offer' : 'answer', offerId, sdp };
		}
		case 'bye':
			read.end();
			return { type };
		default:
			return undefined;
	}
}

function clampU32(value: number): number {
	return Math.max(0, Math.min(NONE - 1, Math.round(value)));
}

function fail(what: string): never {
	throw new ShoalError('protocol', `message: ${what}`);
}

class Writer {
	readonly frame: Uint8Array<ArrayBuffer>;
	#at = 5;

	constructor(id: number, payloadBytes: number) {
		this.frame = new Uint8Array(5 + payloadBytes);
		putU32(this.frame, 0, payloadBytes + 1);
		this.frame[4] = id;
	}

	u8(value: number): this {
		this.frame[this.#at++] = value;
		return this;
	}

	u16(value: number): this {
		return this.u8(value >> 8).u8(value & 0xff);
	}

	u32(value: number): this {
		putU32(this.frame, this.#at, value);
		this.#at += 4;
		return this;
	}

	bytes(value: Uint8Array): this {
		this.frame.set(value, this.#at);
		this.#at += value.length;
		return this;
	}
}

function putU32(into: Uint8Array, at: number, value: number): void {
	into[at] = value >>> 24;
	into[at + 1] = value >>> 16;
	into[at + 2] = value >>> 8;
	into[at + 3] = value;
}

class Reader {
	readonly #bytes: Uint8Array;
	#at = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
	}

	get left(): number {
		return this.#bytes.length - this.#at;
	}

	u8(): number {
		if (this.left < 1) fail('cut short');
		return this.#bytes[this.#at++] ?? 0;
	}

	u16(): number {
		return this.u8() * 0x100 + this.u8();
	}

	u32(): number {
		return this.u16() * 0x10000 + this.u16();
	}

	pieceIndex(): number {
		const index = this.u32();
		if (index > MAX_PIECE_INDEX) fail('piece index');
		return index;
	}

	bytes(count: number): Uint8Array {
		if (this.left < count) fail('cut short');
		const view = this.#bytes.subarray(this.#at, this.#at + count);
		this.#at += count;
		return view;
	}

	rest(): Uint8Array {
		return this.bytes(this.left);
	}

	end(): void {
		if (this.left > 0) fail('trailing bytes');
	}
}
