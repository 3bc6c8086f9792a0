import { wireOfText } from './wire-text.ts';

/** Bounds of an SDP that is relayed. */
export interface SdpBounds {
	readonly sdpChars: number;
	readonly candidates: number;
}

const backslash = 0x5c;
const letterA = 0x61;
const letterM = 0x6d;
const letterN = 0x6e;
const letterR = 0x72;

/** Raw control characters: none in a JSON string, few in JSON at all. */
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f]/;

/** Whether wire text may be scanned: it has no raw control characters. */
export function isScannable(wire: string): boolean {
	return !control.test(wire);
}

/**
 * Reads an SDP as the JSON string it travels in, from behind its opening quote, in scannable text;
 * returns where its closing quote is, or -1 when it may not be relayed as it is. Working on the
 * literal spares taking a kilobyte apart and putting it together again for each of five offers.
 *
 * Relayable is a data-channel description (RFC 8841: one `m=` section, `application`), plain but
 * for `\r` and `\n`, within its bounds. More candidates than that would aim the receiver's
 * connectivity checks at whoever they name (RFC 8445 §19).
 */
export function scanSdp(wire: string, start: number, bounds: SdpBounds): number {
	if (!wire.startsWith('v=0', start)) return -1;
	const end = wire.indexOf('"', start);
	if (end < 0 || end - start > bounds.sdpChars) return -1;
	let media = 0;
	let candidates = 0;
	let at = wire.indexOf('\\', start);
	while (at >= 0 && at < end) {
		const escaped = wire.charCodeAt(at + 1);
		if (escaped !== letterN && escaped !== letterR) return -1;
		// Whatever follows a line break may begin a line.
		const line = at + 2;
		const first = wire.charCodeAt(line);
		if (first === letterM && wire.startsWith('m=', line)) {
			media += 1;
			if (!wire.startsWith('application ', line + 2)) return -1;
		} else if (first === letterA && wire.startsWith('a=candidate:', line)) {
			candidates += 1;
		}
		at = first === backslash ? line : wire.indexOf('\\', line);
	}
	return media === 1 && candidates <= bounds.candidates ? end : -1;
}

/** An SDP as the JSON literal that may be relayed, or undefined. */
export function relayableSdp(sdp: unknown, bounds: SdpBounds): string | undefined {
	if (typeof sdp !== 'string' || sdp.length > bounds.sdpChars) return undefined;
	const literal = wireOfText(JSON.stringify(cutCandidates(sdp, bounds.candidates)));
	return isRelayableLiteral(literal, bounds) ? literal : undefined;
}

/** Whether a JSON literal, quotes and all, is an SDP that may be relayed. */
export function isRelayableLiteral(literal: unknown, bounds: SdpBounds): literal is string {
	if (typeof literal !== 'string' || !literal.startsWith('"') || !isScannable(literal))
		return false;
	return scanSdp(literal, 1, bounds) === literal.length - 1;
}

function cutCandidates(sdp: string, most: number): string {
	let count = 0;
	return sdp
		.split(/(?<=[\r\n])/)
		.filter((line) => !line.startsWith('a=candidate:') || ++count <= most)
		.join('');
}
