import { isBinaryId } from './binary-id.ts';
import type { Limits } from './limits.ts';
import { relayableSdp } from './sdp.ts';

/** One offer of an announce: for one peer, whoever the tracker picks. */
export interface Offer {
	readonly offerId: string;
	readonly sdp: string;
}

/** What a client of ours says about itself: the opt-in `shoal` field. Untrusted and clamped. */
export interface Hints {
	/** Hops from the broadcaster, 0..64. */
	readonly hop: number | undefined;
	/** Viewers it could still serve, 0..64. */
	readonly slots: number | undefined;
	/** It gets less than the stream needs. */
	readonly starving: boolean;
	/** Upload it can spare, kbit/s. */
	readonly uploadKbps: number | undefined;
	/** Proof that an earlier connection with this peer id was its own. */
	readonly resume: string | undefined;
	/** A join token, where the URL carries none. */
	readonly token: string | undefined;
}

export type AnnounceEvent = 'started' | 'stopped' | 'completed' | 'update';

export interface Announce {
	readonly type: 'announce';
	readonly infoHash: string;
	readonly peerId: string;
	readonly event: AnnounceEvent;
	/** Has everything: `left` is 0. */
	readonly complete: boolean;
	/** At most as many as the client wants relayed. */
	readonly offers: readonly Offer[];
	/** Absent in stock clients. */
	readonly hints: Hints | undefined;
}

export interface Answer {
	readonly type: 'answer';
	readonly infoHash: string;
	readonly peerId: string;
	readonly toPeerId: string;
	readonly offerId: string;
	readonly sdp: string;
}

export interface Scrape {
	readonly type: 'scrape';
	readonly infoHashes: readonly string[];
}

/** Why a message was refused: a closed list, so that it can be a metric's label. */
export const invalidReasons = [
	'binary',
	'too-long',
	'json',
	'not-an-object',
	'action',
	'info-hash',
	'peer-id',
	'to-peer-id',
	'offer-id',
	'offers',
	'offer',
	'answer',
	'event',
	'left',
	'numwant',
	'hints',
	'scrape',
	'full-scrape',
	'second-peer-id',
] as const;
export type InvalidReason = (typeof invalidReasons)[number];

export interface Invalid {
	readonly type: 'invalid';
	readonly reason: InvalidReason;
	/** What a client can be told; needs both of these, or a stock client breaks. */
	readonly action: 'announce' | 'scrape' | undefined;
	readonly infoHash: string | undefined;
}

export type ClientMessage = Announce | Answer | Scrape | Invalid;

type Fields = Record<string, unknown>;

const events = new Map<string, AnnounceEvent>([
	['started', 'started'],
	['stopped', 'stopped'],
	['completed', 'completed'],
	['update', 'update'],
	['empty', 'update'],
	['paused', 'update'],
	['', 'update'],
]);

/** Reads one text message of the WebTorrent tracker protocol. Never throws. */
export function parseMessage(text: string, limits: Limits): ClientMessage {
	if (text.length > limits.messageBytes) return invalid('too-long');
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return invalid('json');
	}
	if (!isFields(value)) return invalid('not-an-object');
	if (value.action === 'scrape') return parseScrape(value, limits);
	if (value.action !== 'announce') return invalid('action');
	const infoHash = value.info_hash;
	if (!isBinaryId(infoHash)) return invalid('info-hash');
	const peerId = value.peer_id;
	if (!isBinaryId(peerId)) return invalid('peer-id', 'announce', infoHash);
	if (value.answer != null) return parseAnswer(value, infoHash, peerId, limits);
	return parseAnnounce(value, infoHash, peerId, limits);
}

function parseAnnounce(
	value: Fields,
	infoHash: string,
	peerId: string,
	limits: Limits,
): Announce | Invalid {
	const refuse = (reason: InvalidReason) => invalid(reason, 'announce', infoHash);
	const event = parseEvent(value.event);
	if (event === undefined) return refuse('event');
	const { left } = value;
	if (left != null && !(typeof left === 'number' && left >= 0)) return refuse('left');
	const wanted = value.numwant ?? limits.offersPerAnnounce;
	if (!Number.isInteger(wanted) || (wanted as number) < 0) return refuse('numwant');
	const most = Math.min(wanted as number, limits.offersPerAnnounce);
	const offers = parseOffers(value.offers, most, limits);
	if (typeof offers === 'string') return refuse(offers);
	const hints = value.shoal == null ? undefined : parseHints(value.shoal);
	if (hints === null) return refuse('hints');
	return { type: 'announce', infoHash, peerId, event, complete: left === 0, offers, hints };
}

function parseEvent(event: unknown): AnnounceEvent | undefined {
	if (event == null) return 'update';
	return typeof event === 'string' ? events.get(event) : undefined;
}

function parseOffers(value: unknown, most: number, limits: Limits): Offer[] | InvalidReason {
	if (value == null) return [];
	if (!Array.isArray(value)) return 'offers';
	const offers: Offer[] = [];
	for (const item of value as unknown[]) {
		if (offers.length >= most) break;
		if (!isFields(item)) return 'offers';
		if (!isBinaryId(item.offer_id)) return 'offer-id';
		const sdp = sdpOf(item.offer, 'offer', limits);
		if (sdp === undefined) return 'offer';
		offers.push({ offerId: item.offer_id, sdp });
	}
	return offers;
}

function parseAnswer(
	value: Fields,
	infoHash: string,
	peerId: string,
	limits: Limits,
): Answer | Invalid {
	const refuse = (reason: InvalidReason) => invalid(reason, 'announce', infoHash);
	if (!isBinaryId(value.to_peer_id)) return refuse('to-peer-id');
	if (!isBinaryId(value.offer_id)) return refuse('offer-id');
	const sdp = sdpOf(value.answer, 'answer', limits);
	if (sdp === undefined) return refuse('answer');
	const { to_peer_id: toPeerId, offer_id: offerId } = value;
	return { type: 'answer', infoHash, peerId, toPeerId, offerId, sdp };
}

function parseScrape(value: Fields, limits: Limits): Scrape | Invalid {
	const { info_hash: asked } = value;
	if (asked == null) return invalid('full-scrape');
	const infoHashes: unknown[] = Array.isArray(asked) ? asked : [asked];
	if (infoHashes.length === 0) return invalid('full-scrape');
	if (infoHashes.length > limits.scrapeHashes) return invalid('scrape');
	if (!infoHashes.every(isBinaryId)) return invalid('info-hash');
	return { type: 'scrape', infoHashes };
}

/** Null where the field is there but no object; single fields of the wrong kind count as absent. */
function parseHints(value: unknown): Hints | null {
	if (!isFields(value)) return null;
	return {
		hop: clamped(value.hop, 64),
		slots: clamped(value.slots, 64),
		starving: value.starving === true,
		uploadKbps: clamped(value.uploadKbps, 1_000_000),
		resume: shortText(value.resume, 64),
		token: shortText(value.token, 2048),
	};
}

function clamped(value: unknown, most: number): number | undefined {
	if (typeof value !== 'number' || Number.isNaN(value)) return undefined;
	return Math.max(0, Math.min(most, Math.floor(value)));
}

function shortText(value: unknown, most: number): string | undefined {
	return typeof value === 'string' && value.length <= most ? value : undefined;
}

function sdpOf(value: unknown, type: 'offer' | 'answer', limits: Limits): string | undefined {
	if (!isFields(value) || value.type !== type) return undefined;
	return relayableSdp(value.sdp, limits);
}

function isFields(value: unknown): value is Fields {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(
	reason: InvalidReason,
	action?: 'announce' | 'scrape',
	infoHash?: string,
): Invalid {
	return { type: 'invalid', reason, action, infoHash };
}
