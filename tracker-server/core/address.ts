/** An address as bytes: 4 for IPv4 (mapped IPv6 too), 16 for IPv6; undefined for anything else. */
export function parseAddress(text: string): readonly number[] | undefined {
	const bare = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
	if (!bare.includes(':')) return parseV4(bare);
	const groups = expandV6(bare);
	if (!groups) return undefined;
	const bytes = groups.flatMap((group) => [group >> 8, group & 0xff]);
	const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
	return isMapped ? bytes.slice(12) : bytes;
}

/** What per-address bounds count: an IPv4 address, or the /64 that one IPv6 customer holds. */
export function addressKey(text: string): string {
	const bytes = parseAddress(text);
	if (!bytes) return 'unknown';
	return bytes.length === 4 ? bytes.join('.') : prefixV6(bytes, 8);
}

/** IPv4 /24 or IPv6 /48; empty for loopback and private addresses, which say nothing. */
export function subnetOf(text: string): string {
	const bytes = parseAddress(text);
	if (!bytes || isLocal(bytes)) return '';
	return bytes.length === 4 ? bytes.slice(0, 3).join('.') : prefixV6(bytes, 6);
}

/**
 * The client's address behind `hops` trusted proxies: the entry of X-Forwarded-For that the
 * outermost of them wrote. Entries further left are whatever the client claimed.
 */
export function clientAddress(
	peerAddress: string,
	forwardedFor: string | undefined,
	hops: number,
): string {
	if (hops <= 0 || !forwardedFor) return peerAddress;
	const entries = forwardedFor.split(',').map((entry) => entry.trim());
	const claimed = entries[Math.max(0, entries.length - hops)] ?? '';
	const bare = claimed.replace(/^(\d+(?:\.\d+){3}|\[.*\]):\d+$/, '$1');
	return parseAddress(bare) ? bare : peerAddress;
}

/** Whether a host name or address is this very machine. */
export function isLoopbackHost(host: string): boolean {
	const name = host.toLowerCase().replace(/^\[|\]$/g, '');
	if (name === 'localhost' || name.endsWith('.localhost')) return true;
	const bytes = parseAddress(name);
	if (!bytes) return false;
	if (bytes.length === 4) return bytes[0] === 127;
	return bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
}

function parseV4(text: string): number[] | undefined {
	if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
	const bytes = text.split('.').map(Number);
	return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function expandV6(text: string): number[] | undefined {
	let hex = text;
	const embedded = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
	if (embedded) {
		const v4 = parseV4(embedded[2] as string);
		if (!v4) return undefined;
		const [a = 0, b = 0, c = 0, d = 0] = v4;
		hex = `${embedded[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
	}
	const halves = hex.split('::');
	if (halves.length > 2) return undefined;
	const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
	const missing = 8 - head.length - tail.length;
	if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
	const groups = [...head, ...Array<string>(missing).fill('0'), ...tail];
	if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
	return groups.map((group) => parseInt(group, 16));
}

function prefixV6(bytes: readonly number[], length: number): string {
	const groups: string[] = [];
	for (let i = 0; i < length; i += 2) {
		groups.push((((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)).toString(16));
	}
	return `${groups.join(':')}::/${length * 8}`;
}

function isLocal(bytes: readonly number[]): boolean {
	const [a = 0, b = 0] = bytes;
	if (bytes.length === 16) {
		const isLoopback = bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
		return isLoopback || (a & 0xfe) === 0xfc || (a === 0xfe && (b & 0xc0) === 0x80);
	}
	if (a === 127 || a === 10) return true;
	return (a === 192 && b === 168) || (a === 172 && b >= 16 && b < 32) || (a === 169 && b === 254);
}
