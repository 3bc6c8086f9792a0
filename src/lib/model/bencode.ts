import { compareBytes } from '../util/bytes.ts';
import { ShoalError } from './error.ts';

/** A bencoded value (BEP 3): integer, byte string, list or dictionary with ASCII keys. */
export type Bencoded = number | Uint8Array | Bencoded[] | BencodedDict;
/** A bencoded dictionary; keys are ASCII text. */
export type BencodedDict = Map<string, Bencoded>;

/** Bounds of what `decodeBencode` accepts. */
export interface BencodeLimits {
	/** Nesting of lists and dictionaries. @default 8 */
	readonly maxDepth?: number;
	/** Values and keys together. @default 4096 */
	readonly maxTokens?: number;
}

/** Canonical bencoding: keys sorted as raw bytes, integers without leading zeros (BEP 3). */
export function encodeBencode(value: Bencoded): Uint8Array<ArrayBuffer> {
	const out = new Output();
	write(value, out);
	return out.bytes();
}

/** Bytes that grow at the end. Manifests are encoded many times a second, in pieces too small for an encoder of text. */
class Output {
	#bytes = new Uint8Array(1024);
	#length = 0;

	text(text: string): void {
		const bytes = this.#room(text.length);
		for (let i = 0; i < text.length; i++) {
			const code = text.charCodeAt(i);
			if (code > 0xff) throw new ShoalError('protocol', 'bencode: not a byte');
			bytes[this.#length++] = code;
		}
	}

	raw(raw: Uint8Array): void {
		this.#room(raw.length).set(raw, this.#length);
		this.#length += raw.length;
	}

	bytes(): Uint8Array<ArrayBuffer> {
		return this.#bytes.slice(0, this.#length);
	}

	#room(more: number): Uint8Array {
		const least = this.#length + more;
		if (least > this.#bytes.length) {
			const larger = new Uint8Array(Math.max(least, 2 * this.#bytes.length));
			larger.set(this.#bytes);
			this.#bytes = larger;
		}
		return this.#bytes;
	}
}

function write(value: Bencoded, out: Output): void {
	if (typeof value === 'number') {
		if (!Number.isSafeInteger(value)) throw new ShoalError('protocol', 'not an integer');
		out.text(`i${value}e`);
	} else if (value instanceof Uint8Array) {
		out.text(`${value.length}:`);
		out.raw(value);
	} else if (Array.isArray(value)) {
		out.text('l');
		for (const item of value) write(item, out);
		out.text('e');
	} else {
		out.text('d');
		// A key's characters are its bytes, so text sorts as raw bytes do.
		for (const key of [...value.keys()].sort(byCode)) {
			out.text(`${key.length}:${key}`);
			const item = value.get(key);
			if (item !== undefined) write(item, out);
		}
		out.text('e');
	}
}

function byCode(a: string, b: string): number {
	return a < b ? -1 : 1;
}

const COLON = 0x3a;
const CHAR_I = 0x69;
const CHAR_L = 0x6c;
const CHAR_D = 0x64;
const CHAR_E = 0x65;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Decodes exactly one canonical value; byte strings are views of `bytes`.
 * Throws `protocol` on anything else: unsorted or repeated keys, leading zeros, trailing bytes, too deep, too many.
 */
export function decodeBencode(bytes: Uint8Array, limits: BencodeLimits = {}): Bencoded {
	const { value, end } = decodeBencodePrefix(bytes, limits);
	if (end !== bytes.length) throw new ShoalError('protocol', 'bencode: trailing bytes');
	return value;
}

/** Like `decodeBencode`, but lets bytes follow; `end` is the offset of the first of them. */
export function decodeBencodePrefix(
	bytes: Uint8Array,
	{ maxDepth = 8, maxTokens = 4096 }: BencodeLimits = {},
): { value: Bencoded; end: number } {
	let at = 0;
	let tokens = 0;

	function fail(what: string): never {
		throw new ShoalError('protocol', `bencode: ${what} at ${at}`);
	}

	function readDigits(stop: number): number {
		const negative = bytes[at] === MINUS;
		if (negative) at++;
		const first = at;
		let value = 0;
		for (; at < bytes.length && bytes[at] !== stop; at++) {
			const digit = bytes[at] ?? 0;
			if (digit < ZERO || digit > NINE) fail('not a digit');
			value = value * 10 + (digit - ZERO);
			if (!Number.isSafeInteger(value)) fail('number too large');
		}
		if (at >= bytes.length) fail('cut short');
		if (at === first) fail('empty number');
		if (bytes[first] === ZERO && (at - first > 1 || negative)) fail('leading zero');
		at++;
		return negative ? -value : value;
	}

	function readString(): Uint8Array {
		if (bytes[at] === MINUS) fail('negative length');
		const length = readDigits(COLON);
		if (length > bytes.length - at) fail('string cut short');
		const value = bytes.subarray(at, at + length);
		at += length;
		return value;
	}

	function readValue(depth: number): Bencoded {
		if (++tokens > maxTokens) fail('too many values');
		const kind = bytes[at];
		if (kind === CHAR_I) {
			at++;
			return readDigits(CHAR_E);
		}
		if (kind !== CHAR_L && kind !== CHAR_D) return readString();
		if (depth >= maxDepth) fail('too deep');
		at++;
		if (kind === CHAR_L) {
			const list: Bencoded[] = [];
			while (bytes[at] !== CHAR_E) list.push(readValue(depth + 1));
			at++;
			return list;
		}
		const dict: BencodedDict = new Map();
		let previous: Uint8Array | undefined;
		while (bytes[at] !== CHAR_E) {
			if (++tokens > maxTokens) fail('too many values');
			const key = readString();
			if (previous && compareBytes(previous, key) >= 0) fail('keys not sorted');
			previous = key;
			let name = '';
			for (const byte of key) name += String.fromCharCode(byte);
			dict.set(name, readValue(depth + 1));
		}
		at++;
		return dict;
	}

	return { value: readValue(0), end: at };
}
