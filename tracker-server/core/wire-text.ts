// Wire text is a message as its UTF-8 bytes, one character (U+0000..U+00FF) for each. Ids are bytes
// above U+007F half of the time, which makes real decoding the dearest step of a message, and
// nothing of a message but its ids needs it.

/** The id that a JSON string of wire text stands for, or undefined when it isn't 20 bytes. */
export function idOfWire(value: unknown): string | undefined {
	if (typeof value !== 'string' || value.length < 20 || value.length > 40) return undefined;
	let id = '';
	for (let i = 0; i < value.length; i++) {
		let code = value.charCodeAt(i);
		if (code >= 0x80) {
			// U+0080..U+00FF take two bytes, of which the first is C2 or C3.
			if (code !== 0xc2 && code !== 0xc3) return undefined;
			const next = value.charCodeAt(++i);
			if (!(next >= 0x80 && next < 0xc0)) return undefined;
			code = ((code & 0x03) << 6) | (next & 0x3f);
		}
		id += String.fromCharCode(code);
	}
	return id.length === 20 ? id : undefined;
}

/** JSON of an id, as wire text. */
export function wireOfId(id: string): string {
	const json = JSON.stringify(id);
	let wire = '';
	for (let i = 0; i < json.length; i++) {
		const code = json.charCodeAt(i);
		wire +=
			code < 0x80
				? json[i]
				: String.fromCharCode(0xc0 | (code >> 6)) + String.fromCharCode(0x80 | (code & 0x3f));
	}
	return wire;
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
