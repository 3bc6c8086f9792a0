import { wireOfId, wireOfText } from './wire-text.ts';

/** Fields of an announce reply that only clients which sent `shoal` get to see. */
export interface ReplyHints {
	/** The tracker's clock, Unix milliseconds. */
	readonly now: number;
	/** How many of the offers found a peer. */
	readonly relayed: number;
	/** Opaque; sent back as `shoal.resume` on a new connection, it takes over the old one's place. */
	readonly resume?: string | undefined;
}

export interface SwarmCounts {
	readonly complete: number;
	readonly incomplete: number;
	readonly downloaded: number;
}

/** Announce reply, as wire text. `hashJson` is the infohash as JSON in wire text. */
export function announceReply(
	hashJson: string,
	counts: SwarmCounts,
	intervalS: number,
	hints?: ReplyHints,
): string {
	const extra = hints ? `,"shoal":${JSON.stringify(hints)}` : '';
	return `{"action":"announce","info_hash":${hashJson},"interval":${intervalS},"complete":${counts.complete},"incomplete":${counts.incomplete}${extra}}`;
}

/** What all offers of one announce begin with; ids are JSON in wire text already. */
export function offerPrefix(hashJson: string, peerIdJson: string): string {
	return `{"action":"announce","info_hash":${hashJson},"peer_id":${peerIdJson},"offer_id":`;
}

/** A relayed offer: built anew from checked fields, never passed on. */
export function relayedOffer(prefix: string, offerId: string, sdpJson: string): string {
	return `${prefix}${wireOfId(offerId)},"offer":{"type":"offer","sdp":${sdpJson}}}`;
}

/** A relayed answer. */
export function relayedAnswer(
	hashJson: string,
	peerIdJson: string,
	offerId: string,
	sdpJson: string,
): string {
	return `${offerPrefix(hashJson, peerIdJson)}${wireOfId(offerId)},"answer":{"type":"answer","sdp":${sdpJson}}}`;
}

/** Scrape reply for the named infohashes. */
export function scrapeReply(files: Iterable<readonly [string, SwarmCounts]>): string {
	const entries: string[] = [];
	for (const [infoHash, { complete, incomplete, downloaded }] of files) {
		entries.push(`${wireOfId(infoHash)}:${JSON.stringify({ complete, incomplete, downloaded })}`);
	}
	return `{"action":"scrape","files":{${entries.join(',')}}}`;
}

/**
 * A refusal in the one form a stock client survives: with its action and its infohash. Without
 * the action it drops the connection, without the infohash it throws.
 */
export function failureReply(
	action: 'announce' | 'scrape',
	infoHash: string,
	reason: string,
): string {
	return wireOfText(JSON.stringify({ action, info_hash: infoHash, 'failure reason': reason }));
}
