const candidateLine = 'a=candidate:';

export interface SdpBounds {
	readonly sdpChars: number;
	readonly candidates: number;
}

/**
 * The SDP as it may be relayed, or undefined when it is no data-channel description (RFC 8841:
 * exactly one `m=` section, and that one `m=application`). Candidates past the bound are cut, so
 * that a forged description cannot aim hundreds of connectivity checks at a third party
 * (RFC 8445 §19).
 */
export function relayableSdp(sdp: unknown, bounds: SdpBounds): string | undefined {
	if (typeof sdp !== 'string' || sdp.length > bounds.sdpChars) return undefined;
	if (!sdp.startsWith('v=0')) return undefined;
	const media = sdp.indexOf('\nm=');
	if (media < 0 || !sdp.startsWith('application ', media + 3)) return undefined;
	if (sdp.indexOf('\nm=', media + 1) >= 0) return undefined;
	return fewCandidates(sdp, bounds.candidates) ? sdp : cutCandidates(sdp, bounds.candidates);
}

function fewCandidates(sdp: string, most: number): boolean {
	let count = 0;
	for (let at = sdp.indexOf(candidateLine); at >= 0; at = sdp.indexOf(candidateLine, at + 12)) {
		if (++count > most) return false;
	}
	return true;
}

function cutCandidates(sdp: string, most: number): string {
	let count = 0;
	return sdp
		.split('\n')
		.filter((line) => !line.includes(candidateLine) || ++count <= most)
		.join('\n');
}
