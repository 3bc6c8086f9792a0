// Wire text is a message as its UTF-8 bytes, one character (U+0000..U+00FF) for each. Ids are bytes
// above U+007F half of the time, which makes real decoding the dearest step of a message, and
// nothing of a message but its ids needs it.

const wide = /[\u0080-\u00ff]/;

/** The id that a JSON string of wire text stands for, or undefined when it isn't 20 bytes. */
export function idOfWire(value: unknown): string | undefined {
	if (typeof value !== 'string' || value.length < 20 || value.length > 40) return undefined;
	if (!wide.test(value)) return value.length === 20 ? value : undefined;
	// Made in one piece: an id built up character by character is remembered as a chain of halves.
	const codes: number[] = [];
	for (let i = 0; i < value.length; i++) {
		const code = value.charCodeAt(i);
		if (code < 0x80) {
			codes.push(code);
			continue;
		}
		// U+0080..U+00FF take two bytes, of which the first is C2 or C3.
		const next = value.charCodeAt(++i);
		if ((code !== 0xc2 && code !== 0xc3) || !(next >= 0x80 && next < 0xc0)) return undefined;
		codes.push(((code & 0x03) << 6) | (next & 0x3f));
	}
	return codes.length === 20 ? String.fromCharCode(...codes) : undefined;
}

/** JSON of an id, as wire text. */
export function wireOfId(id: string): string {
	const json = JSON.stringify(id);
	if (!wide.test(json)) return json;
	const codes: number[] = [];
	for (let i = 0; i < json.length; i++) {
		const code = json.charCodeAt(i);
		if (code < 0x80) codes.push(code);
		else codes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
	}
	return String.fromCharCode(...codes);
}

/** Any text as wire text. */
export function wireOfText(text: string): string {
	let wire = '';
	for (const byte of new TextEncoder().encode(text)) wire += String.fromCharCode(byte);
	return wire;
}

/** The text that wire text stands for. Throws on what is no UTF-8. */
export function textOfWire(wire: string): string {
	const bytes = Uint8Array.from(wire, (character) => character.charCodeAt(0));
	return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

/**
 * Whether JSON as wire text escapes a character that would have been two bytes or more: then its
 * strings cannot be told from raw bytes, and it has to be decoded.
 */
export function hasWideEscape(wire: string): boolean {
	for (let at = wire.indexOf('\\u'); at >= 0; at = wire.indexOf('\\u', at + 2)) {
		const isByte = wire.charCodeAt(at + 2) === 0x30 && wire.charCodeAt(at + 3) === 0x30;
		if (!isByte || wire.charCodeAt(at + 4) > 0x37) return true;
	}
	return false;
}
