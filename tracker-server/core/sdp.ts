import { wireOfText } from './wire-text.ts';

/** Bounds of an SDP that is relayed. */
export interface SdpBounds {
	readonly sdpChars: number;
	readonly candidates: number;
}

const quote = 0x22;
const backslash = 0x5c;
const letterA = 0x61;
const letterM = 0x6d;
const letterN = 0x6e;
const letterR = 0x72;

/**
 * Reads an SDP as the JSON string it travels in, from behind its opening quote; returns where its
 * closing quote is, or -1 when it may not be relayed as it is. Working on the literal spares taking
 * a kilobyte apart and putting it together again for each of five offers.
 *
 * Relayable is a data-channel description (RFC 8841: one `m=` section, `application`), plain but
 * for `\r` and `\n`, within its bounds. More candidates than that would aim the receiver's
 * connectivity checks at whoever they name (RFC 8445 §19): -1, and `cutCandidates` mends it.
 */
export function scanSdp(wire: string, start: number, bounds: SdpBounds): number {
	if (!wire.startsWith('v=0', start)) return -1;
	const most = Math.min(wire.length, start + bounds.sdpChars);
	let media = 0;
	let candidates = 0;
	for (let i = start; i < most; i++) {
		const code = wire.charCodeAt(i);
		if (code === quote) return media === 1 ? i : -1;
		if (code < 0x20) return -1;
		if (code !== backslash) continue;
		const escaped = wire.charCodeAt(++i);
		if (escaped !== letterN && escaped !== letterR) return -1;
		const first = wire.charCodeAt(i + 1);
		if (first === letterM && wire.startsWith('m=', i + 1)) {
			media += 1;
			if (!wire.startsWith('application ', i + 3)) return -1;
		} else if (first === letterA && wire.startsWith('a=candidate:', i + 1)) {
			candidates += 1;
			if (candidates > bounds.candidates) return -1;
		}
	}
	return -1;
}

/** An SDP as the JSON literal that may be relayed, or undefined. */
export function relayableSdp(sdp: unknown, bounds: SdpBounds): string | undefined {
	if (typeof sdp !== 'string' || sdp.length > bounds.sdpChars) return undefined;
	const literal = wireOfText(JSON.stringify(cutCandidates(sdp, bounds.candidates)));
	return isRelayableLiteral(literal, bounds) ? literal : undefined;
}

/** Whether a JSON literal, quotes and all, is an SDP that may be relayed. */
export function isRelayableLiteral(literal: unknown, bounds: SdpBounds): literal is string {
	if (typeof literal !== 'string' || literal.charCodeAt(0) !== quote) return false;
	return scanSdp(literal, 1, bounds) === literal.length - 1;
}

function cutCandidates(sdp: string, most: number): string {
	let count = 0;
	return sdp
		.split(/(?<=[\r\n])/)
		.filter((line) => !line.startsWith('a=candidate:') || ++count <= most)
		.join('');
}
