const MDNS_NAME = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.local$/i;

/**
 * Whether ICE may send connectivity checks to this address. Only addresses where a peer can be: no names but mDNS ones (RFC
 * 8828), nothing unspecified, link-local, multicast or reserved; loopback only where `allowLoopback`.
 */
export function isCandidateAddress(address: string, allowLoopback: boolean): boolean {
	if (MDNS_NAME.test(address)) return true;
	const v4 = parseIpv4(address);
	if (v4) return isIpv4PeerAddress(v4, allowLoopback);
	const v6 = parseIpv6(address);
	return v6 !== undefined && isIpv6PeerAddress(v6, allowLoopback);
}

function isIpv4PeerAddress([a = 0, b = 0]: readonly number[], allowLoopback: boolean): boolean {
	if (a === 127) return allowLoopback;
	if (a === 0 || a >= 224) return false;
	return !(a === 169 && b === 254);
}

function isIpv6PeerAddress(groups: readonly number[], allowLoopback: boolean): boolean {
	const [first = 0, , , , , sixth = 0, seventh = 0, last = 0] = groups;
	if (groups.slice(0, 5).every((group) => group === 0)) {
		const v4 = [seventh >> 8, seventh & 0xff];
		if (sixth === 0xffff) return isIpv4PeerAddress(v4, allowLoopback);
		if (sixth !== 0) return false;
		// ::, ::1 and the IPv4-compatible addresses that nobody uses.
		return allowLoopback && seventh === 0 && last === 1;
	}
	if ((first & 0xffc0) === 0xfe80) return false;
	return first < 0xff00;
}

/** The four bytes of a dotted address; no other spelling of IPv4 is taken. */
function parseIpv4(text: string): number[] | undefined {
	if (!/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text)) return undefined;
	const bytes = text.split('.').map(Number);
	return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** The eight groups of an IPv6 address (RFC 4291 §2.2), without a zone. */
function parseIpv6(text: string): number[] | undefined {
	const halves = text.split('::');
	if (halves.length > 2) return undefined;
	const head = parseGroups(halves[0] ?? '', halves.length === 1);
	const tail = parseGroups(halves[1] ?? '', true);
	if (!head || !tail) return undefined;
	if (halves.length === 1) return head.length === 8 ? head : undefined;
	const missing = 8 - head.length - tail.length;
	if (missing < 1) return undefined;
	return [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

/** Groups between colons; the very last may be an IPv4 address. */
function parseGroups(text: string, atEnd: boolean): number[] | undefined {
	if (text === '') return [];
	const groups: number[] = [];
	const parts = text.split(':');
	for (const [i, part] of parts.entries()) {
		if (/^[0-9a-f]{1,4}$/i.test(part)) {
			groups.push(parseInt(part, 16));
			continue;
		}
		const v4 = atEnd && i === parts.length - 1 ? parseIpv4(part) : undefined;
		if (!v4) return undefined;
		const [a = 0, b = 0, c = 0, d = 0] = v4;
		groups.push((a << 8) | b, (c << 8) | d);
	}
	return groups;
}
