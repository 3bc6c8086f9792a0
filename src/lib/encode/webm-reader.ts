import { concatBytes } from '../util/bytes.ts';

// Element ids (Matroska, RFC 9559 §5; EBML, RFC 8794 §11.2).
const SEGMENT = 0x18538067;
const CLUSTER = 0x1f43b675;
const TIMESTAMP = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const REFERENCE_BLOCK = 0xfb;
const TRACKS = 0x1654ae6b;
const TRACK_ENTRY = 0xae;
const TRACK_NUMBER = 0xd7;
const TRACK_TYPE = 0x83;
const VIDEO_TYPE = 1;

/** Elements larger than this are not made by any recorder. */
const MAX_ELEMENT_BYTES = 16 * 1024 * 1024;
const KEY_FLAG = 0x80;

/** One frame of a recording. */
export interface WebmBlock {
	readonly track: number;
	readonly isVideo: boolean;
	readonly isKey: boolean;
	/** Milliseconds since the recording began; recorders count in these. */
	readonly timeMs: number;
	/** Everything behind the timestamp and flags. */
	readonly data: Uint8Array;
}

interface Element {
	readonly id: number;
	/** Offset behind id and size. */
	readonly from: number;
	/** Offset behind the content; `undefined` when the size is unknown. */
	readonly to: number | undefined;
}

/** Takes a recorder's WebM apart as it comes: the header, then blocks. Throws on what is no WebM. */
export class WebmReader {
	#buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
	#header: Uint8Array[] = [];
	#isInClusters = false;
	#clusterMs = 0;
	readonly #videoTracks = new Set<number>();

	/** The header, once blocks have begun: a viewer needs it before any of them. */
	get header(): Uint8Array<ArrayBuffer> | undefined {
		return this.#isInClusters ? concatBytes(...this.#header) : undefined;
	}

	/** Takes the next bytes and gives the blocks that they complete. */
	push(bytes: Uint8Array): WebmBlock[] {
		this.#buffer = concatBytes(this.#buffer, bytes);
		const blocks: WebmBlock[] = [];
		let at = 0;
		for (;;) {
			const element = readElement(this.#buffer, at);
			if (!element) break;
			const { id, from, to } = element;
			// The contents of these two follow as if they stood alone: their end is not told in advance.
			if (id === SEGMENT || id === CLUSTER) {
				if (id === CLUSTER) this.#isInClusters = true;
				else this.#header.push(withUnknownSize(this.#buffer.subarray(at, from)));
				at = from;
				continue;
			}
			if (to === undefined) throw new Error('an element without a size');
			if (to > this.#buffer.length) break;
			this.#take(id, this.#buffer.subarray(from, to), this.#buffer.subarray(at, to), blocks);
			at = to;
		}
		this.#buffer = this.#buffer.slice(at);
		return blocks;
	}

	#take(id: number, content: Uint8Array, whole: Uint8Array, blocks: WebmBlock[]): void {
		if (!this.#isInClusters) {
			if (id === TRACKS) this.#readTracks(content);
			this.#header.push(whole.slice());
			return;
		}
		if (id === TIMESTAMP) this.#clusterMs = readUnsigned(content);
		else if (id === SIMPLE_BLOCK) blocks.push(this.#readBlock(content, undefined));
		else if (id === BLOCK_GROUP) {
			const parts = [...children(content)];
			const block = parts.find((part) => part.id === BLOCK);
			const isKey = !parts.some((part) => part.id === REFERENCE_BLOCK);
			if (block) blocks.push(this.#readBlock(block.content, isKey));
		}
	}

	#readBlock(content: Uint8Array, isKey: boolean | undefined): WebmBlock {
		const number = readVint(content, 0);
		if (!number || number.value === undefined) throw new Error('a block without a track');
		const view = new DataView(content.buffer, content.byteOffset, content.length);
		const flags = view.getUint8(number.to + 2);
		const isVideo = this.#videoTracks.has(number.value);
		return {
			track: number.value,
			isVideo,
			isKey: !isVideo || (isKey ?? (flags & KEY_FLAG) !== 0),
			timeMs: this.#clusterMs + view.getInt16(number.to),
			data: content.slice(number.to + 3),
		};
	}

	#readTracks(content: Uint8Array): void {
		for (const entry of children(content)) {
			if (entry.id !== TRACK_ENTRY) continue;
			const fields = new Map([...children(entry.content)].map((part) => [part.id, part.content]));
			const type = fields.get(TRACK_TYPE);
			const number = fields.get(TRACK_NUMBER);
			if (type && number && readUnsigned(type) === VIDEO_TYPE) {
				this.#videoTracks.add(readUnsigned(number));
			}
		}
	}
}

/** A cluster of its own with these blocks, in their order; `offsetMs` is added to their times. */
export function writeCluster(
	blocks: readonly WebmBlock[],
	offsetMs: number,
): Uint8Array<ArrayBuffer> {
	const startMs = Math.round(
		blocks.reduce((least, { timeMs }) => Math.min(least, timeMs), Infinity) + offsetMs,
	);
	const parts: Uint8Array[] = [element(TIMESTAMP, unsigned64(startMs))];
	for (const { track, timeMs, isVideo, isKey, data } of blocks) {
		const head = new Uint8Array(4);
		const view = new DataView(head.buffer);
		// A track's number as a one-byte vint: recorders have two tracks.
		view.setUint8(0, 0x80 | track);
		view.setInt16(1, Math.round(timeMs + offsetMs) - startMs);
		view.setUint8(3, isKey || !isVideo ? KEY_FLAG : 0);
		parts.push(element(SIMPLE_BLOCK, concatBytes(head, data)));
	}
	return element(CLUSTER, concatBytes(...parts));
}

function element(id: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
	const idBytes: number[] = [];
	for (let rest = id; rest > 0; rest = Math.floor(rest / 256)) idBytes.unshift(rest % 256);
	const size = unsigned64(content.length);
	size[0] = 0x01; // an eight-byte size
	return concatBytes(Uint8Array.from(idBytes), size, content);
}

function unsigned64(value: number): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(8);
	new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
	return bytes;
}

/** The same element head with all bits of its size set, which means "until the end" (RFC 8794 §6.2). */
function withUnknownSize(head: Uint8Array): Uint8Array<ArrayBuffer> {
	return Uint8Array.from([...head.subarray(0, 4), 0x01, 255, 255, 255, 255, 255, 255, 255]);
}

function* children(content: Uint8Array): Generator<{ id: number; content: Uint8Array }> {
	for (let at = 0; at < content.length;) {
		const found = readElement(content, at);
		if (found?.to === undefined || found.to > content.length) throw new Error('a cut element');
		yield { id: found.id, content: content.subarray(found.from, found.to) };
		at = found.to;
	}
}

function readElement(bytes: Uint8Array, at: number): Element | undefined {
	const first = bytes[at];
	if (first === undefined) return undefined;
	const idLength = Math.clz32(first) - 23;
	if (idLength > 4) throw new Error('not an element');
	if (at + idLength > bytes.length) return undefined;
	const id = readUnsigned(bytes.subarray(at, at + idLength));
	const size = readVint(bytes, at + idLength);
	if (!size) return undefined;
	if (size.value === undefined) return { id, from: size.to, to: undefined };
	const isContainer = id === SEGMENT || id === CLUSTER;
	if (size.value > MAX_ELEMENT_BYTES && !isContainer) throw new Error('an element too large');
	return { id, from: size.to, to: size.to + size.value };
}

/** A vint (RFC 8794 §4); its value is `undefined` when all its bits are set. */
function readVint(
	bytes: Uint8Array,
	at: number,
): { value: number | undefined; to: number } | undefined {
	const first = bytes[at];
	if (first === undefined) return undefined;
	const length = Math.clz32(first) - 23;
	if (length > 8) throw new Error('a broken size');
	if (at + length > bytes.length) return undefined;
	const mask = 0xff >> length;
	let value = first & mask;
	let isUnknown = value === mask;
	for (let i = 1; i < length; i++) {
		const byte = bytes[at + i] ?? 0;
		isUnknown &&= byte === 0xff;
		value = value * 256 + byte;
	}
	return { value: isUnknown ? undefined : value, to: at + length };
}

function readUnsigned(bytes: Uint8Array): number {
	return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
