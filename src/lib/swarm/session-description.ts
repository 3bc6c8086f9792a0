import { MAX_SDP_CHARS } from '../model/message.ts';
import { MAX_CANDIDATES } from './bounds.ts';
import { isCandidateAddress } from './candidate-address.ts';
import { fromHex } from '../util/bytes.ts';

const MAX_LINE_CHARS = 512;
const LEAST_PORT = 1024;

/** Lines of a data-channel description (RFC 8866, 8839, 8841) that matter to us; all others are left out. */
const KEPT_LINE =
	/^(v=0$|o=|s=|t=|b=|a=(group|msid-semantic|extmap-allow-mixed|ice-ufrag|ice-pwd|ice-options|ice-lite|fingerprint|setup|mid|sctp-port|sctpmap|max-message-size|end-of-candidates)\b)/;
const MEDIA_LINE = /^m=application \d{1,5} ([A-Z/]{4,32}) (webrtc-datachannel|\d{1,5})$/;
const CANDIDATE_LINE =
	/^a=candidate:(\S{1,32}) 1 udp (\d{1,10}) (\S{1,64}) (\d{1,5}) typ (host|srflx|prflx|relay)\b/i;
const NEEDED_LINES = ['a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:', 'a=setup:'];

/** What a description may hold. */
export interface DescriptionRules {
	/** Whether candidates may be on the loopback interface: only where everything is on one machine. */
	readonly allowLoopback: boolean;
}

/**
 * A session description made anew from the parts that a data channel needs, or `undefined` when it isn't one: too long, not
 * exactly one `m=application`, no key. Candidates that nobody should be made to send packets to are left out, and so are
 * those beyond `MAX_CANDIDATES`. For descriptions from outside, and for our own before they leave.
 */
export function cleanDescription(sdp: string, rules: DescriptionRules): string | undefined {
	if (sdp.length > MAX_SDP_CHARS) return undefined;
	const lines: string[] = [];
	const addresses = new Set<string>();
	let mediaSections = 0;
	for (const line of sdp.split(/\r?\n/)) {
		if (line.length > MAX_LINE_CHARS || !/^[\x20-\x7e]*$/.test(line)) return undefined;
		if (line.startsWith('m=')) {
			const media = MEDIA_LINE.exec(line);
			if (!media || ++mediaSections > 1) return undefined;
			// Port and address of the default candidate say more than ICE needs.
			lines.push(`m=application 9 ${media[1] ?? ''} ${media[2] ?? ''}`, 'c=IN IP4 0.0.0.0');
		} else if (line.startsWith('a=candidate:')) {
			const candidate = cleanCandidate(line, rules, addresses);
			if (candidate) lines.push(candidate);
		} else if (KEPT_LINE.test(line)) {
			lines.push(line);
		}
	}
	if (mediaSections !== 1 || lines[0] !== 'v=0') return undefined;
	if (!NEEDED_LINES.every((start) => lines.some((line) => line.startsWith(start)))) {
		return undefined;
	}
	return lines.join('\r\n') + '\r\n';
}

/** The candidate without its related address, which would tell a peer's local network (RFC 8828 §3). */
function cleanCandidate(
	line: string,
	{ allowLoopback }: DescriptionRules,
	addresses: Set<string>,
): string | undefined {
	const match = CANDIDATE_LINE.exec(line);
	if (!match || addresses.size >= MAX_CANDIDATES) return undefined;
	const [, foundation = '', priority = '', address = '', port = '', type = ''] = match;
	if (Number(port) < LEAST_PORT || Number(port) > 65_535) return undefined;
	if (!isCandidateAddress(address, allowLoopback)) return undefined;
	const key = `${address} ${port}`;
	if (addresses.has(key)) return undefined;
	addresses.add(key);
	// Firefox insists on a related address for all but host candidates.
	const related = type.toLowerCase() === 'host' ? '' : ' raddr 0.0.0.0 rport 9';
	return `a=candidate:${foundation} 1 udp ${priority} ${address} ${port} typ ${type}${related}`;
}

/** SHA-256 of the one certificate that a description names (RFC 8122); `undefined` when it names none, several, or by another hash. */
export function fingerprintOf(sdp: string): Uint8Array | undefined {
	const named = new Set(
		sdp.match(/^a=fingerprint:.*$/gim)?.map((line) => line.trim().toLowerCase()),
	);
	const [line, ...others] = named;
	const digits = /^a=fingerprint:sha-256 ((?:[0-9a-f]{2}:){31}[0-9a-f]{2})$/.exec(line ?? '')?.[1];
	return others.length === 0 && digits ? fromHex(digits.replaceAll(':', '')) : undefined;
}

/** Whether a tracker's URL leads to this very machine. */
export function isLoopbackUrl(url: string): boolean {
	try {
		const { hostname } = new URL(url);
		return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
	} catch {
		return false;
	}
}
