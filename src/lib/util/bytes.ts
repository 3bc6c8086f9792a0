/** Joins byte arrays into one new array. */
export function concatBytes(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
	let length = 0;
	for (const part of parts) length += part.length;
	const joined = new Uint8Array(length);
	let offset = 0;
	for (const part of parts) {
		joined.set(part, offset);
		offset += part.length;
	}
	return joined;
}

/** Whether two byte arrays hold the same bytes. Not constant-time: nothing compared here is secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return true;
}

/** Orders byte arrays lexicographically by unsigned byte, shorter first on a common prefix. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
	const shared = Math.min(a.length, b.length);
	for (let i = 0; i < shared; i++) {
		const difference = (a[i] ?? 0) - (b[i] ?? 0);
		if (difference !== 0) return difference;
	}
	return a.length - b.length;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case hexadecimal text of the bytes. */
export function toHex(bytes: Uint8Array): string {
	let text = '';
	for (const byte of bytes) text += HEX[byte] ?? '';
	return text;
}

/** Bytes of a hexadecimal text, or `undefined` when it isn't one. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | undefined {
	if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
	const bytes = new Uint8Array(text.length / 2);
	for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(i * 2, i * 2 + 2), 16);
	return bytes;
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Base64url text without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
	let text = '';
	for (let i = 0; i < bytes.length; i += 3) {
		const a = bytes[i] ?? 0;
		const b = bytes[i + 1] ?? 0;
		const c = bytes[i + 2] ?? 0;
		const group = (a << 16) | (b << 8) | c;
		const symbols = Math.min(4, bytes.length - i + 1);
		for (let s = 0; s < symbols; s++) text += BASE64URL[(group >> (18 - 6 * s)) & 63] ?? '';
	}
	return text;
}

/** Bytes of an unpadded base64url text (RFC 4648 §5), or `undefined` when it isn't canonical. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
	if (text.length % 4 === 1) return undefined;
	const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
	let bits = 0;
	let held = 0;
	let at = 0;
	for (const symbol of text) {
		const value = BASE64URL.indexOf(symbol);
		if (value < 0) return undefined;
		held = ((held << 6) | value) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			bytes[at++] = (held >> bits) & 0xff;
		}
	}
	const leftover = held & ((1 << bits) - 1);
	return leftover === 0 ? bytes : undefined;
}

const encoder = new TextEncoder();
// A mark at the beginning belongs to the text: without it the same bytes would not come out again.
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
	return encoder.encode(text);
}

/** Text of UTF-8 bytes; throws a `TypeError` on malformed input. */
export function fromUtf8(bytes: Uint8Array): string {
	return strictDecoder.decode(bytes);
}
