import type { PlainPeer, PlainReply } from './plain-tracker.ts';
import type { SwarmCounts } from './reply.ts';

// Bencoded (BEP 3), one character a byte; keys are in order.

/** An announce reply: peers as bytes (BEP 23; IPv6 ones under `peers6`, BEP 7), or as dictionaries. */
export function plainAnnounceReply(reply: PlainReply, compact: boolean): string {
	const { peers, counts, intervalMs } = reply;
	const v4 = peers.filter(({ address }) => address.length === 4);
	const v6 = peers.filter(({ address }) => address.length === 16);
	const body = compact
		? `5:peers${text(v4.map(compactPeer).join(''))}6:peers6${text(v6.map(compactPeer).join(''))}`
		: `5:peersl${peers.map(dictionary).join('')}e`;
	return (
		`d8:complete${int(counts.complete)}10:incomplete${int(counts.incomplete)}` +
		`8:interval${int(Math.round(intervalMs / 1000))}${body}e`
	);
}

/** A scrape reply (BEP 48). */
export function plainScrapeReply(files: ReadonlyMap<string, SwarmCounts>): string {
	const entries = [...files]
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(
			([infoHash, { complete, downloaded, incomplete }]) =>
				`${text(infoHash)}d8:complete${int(complete)}10:downloaded${int(downloaded)}10:incomplete${int(incomplete)}e`,
		);
	return `d5:filesd${entries.join('')}ee`;
}

/** A refusal, which clients show to people. `reason` is ASCII. */
export function plainFailure(reason: string): string {
	return `d14:failure reason${text(reason)}e`;
}

function compactPeer({ address, port }: PlainPeer): string {
	return String.fromCharCode(...address, port >> 8, port & 0xff);
}

function dictionary({ address, peerId, port }: PlainPeer): string {
	return `d2:ip${text(addressText(address))}7:peer id${text(peerId)}4:port${int(port)}e`;
}

function addressText(address: readonly number[]): string {
	if (address.length === 4) return address.join('.');
	const groups: string[] = [];
	for (let i = 0; i < 16; i += 2) {
		groups.push((((address[i] ?? 0) << 8) | (address[i + 1] ?? 0)).toString(16));
	}
	return groups.join(':');
}

function text(value: string): string {
	return `${value.length}:${value}`;
}

function int(value: number): string {
	return `i${value}e`;
}
