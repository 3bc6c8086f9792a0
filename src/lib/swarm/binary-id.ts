import { fromHex, toHex } from '../util/bytes.ts';

/** Bytes of an infohash, a peer id and an offer id. */
export const ID_BYTES = 20;

/** The tracker protocol's "binary string": one character per byte, U+0000 to U+00FF. */
export function toBinaryString(bytes: Uint8Array): string {
	return String.fromCharCode(...bytes);
}

/** The 40 hexadecimal characters of a binary string, or `undefined` when it isn't exactly 20 bytes. */
export function hexOfBinaryString(value: unknown): string | undefined {
	if (typeof value !== 'string' || value.length !== ID_BYTES) return undefined;
	const bytes = new Uint8Array(ID_BYTES);
	for (let i = 0; i < ID_BYTES; i++) {
		const code = value.charCodeAt(i);
		if (code > 0xff) return undefined;
		bytes[i] = code;
	}
	return toHex(bytes);
}

/** The binary string of 40 hexadecimal characters. */
export function binaryStringOfHex(hex: string): string {
	return toBinaryString(fromHex(hex) ?? new Uint8Array());
}

/** A new id, 40 hexadecimal characters; nobody can guess it. */
export function randomIdHex(): string {
	return toHex(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
}
