import { isBinaryId } from './binary-id.ts';
import type { Limits } from './limits.ts';
import { isScannable, relayableSdp, scanSdp } from './sdp.ts';
import { hasWideEscape, idOfWire, textOfWire } from './wire-text.ts';

/** One offer of an announce: for one peer, whoever the tracker picks. */
export interface Offer {
	readonly offerId: string;
	/** The SDP as JSON in wire text, checked and ready to be relayed. */
	readonly sdpJson: string;
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
	/** The SDP as JSON in wire text, checked and ready to be relayed. */
	readonly sdpJson: string;
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

/** How the strings of one message are to be read. */
interface Reading {
	readonly limits: Limits;
	readonly id: (value: unknown) => string | undefined;
	/** SDPs lifted out of the text before it was parsed; the text has their numbers instead. */
	readonly sdps: readonly string[];
}

/** Reads one message of the WebTorrent tracker protocol, given as wire text. Never throws. */
export function parseMessage(wire: string, limits: Limits): ClientMessage {
	if (wire.length > limits.messageBytes) return invalid('too-long');
	const sdps: string[] = [];
	let value: unknown;
	let id = idOfWire;
	try {
		const skeleton = liftSdps(wire, sdps, limits);
		if (hasWideEscape(skeleton)) {
			value = JSON.parse(textOfWire(skeleton));
			id = binaryId;
		} else {
			value = JSON.parse(skeleton);
		}
	} catch {
		return invalid('json');
	}
	if (!isFields(value)) return invalid('not-an-object');
	const reading = { limits, id, sdps };
	if (value.action === 'scrape') return parseScrape(value, reading);
	if (value.action !== 'announce') return invalid('action');
	const infoHash = id(value.info_hash);
	if (infoHash === undefined) return invalid('info-hash');
	const peerId = id(value.peer_id);
	if (peerId === undefined) return invalid('peer-id', 'announce', infoHash);
	if (value.answer != null) return parseAnswer(value, infoHash, peerId, reading);
	return parseAnnounce(value, infoHash, peerId, reading);
}

const sdpKey = '"sdp":"';
const mostLifted = 32;

/**
 * Takes the SDPs out of a message and leaves their numbers, so that JSON.parse has little to do.
 * `"sdp":"` can only be a key and the quote of its value, because a quote inside a string is
 * escaped; a number that a client wrote itself finds another of its own SDPs, or none.
 */
function liftSdps(wire: string, sdps: string[], limits: Limits): string {
	let at = wire.indexOf(sdpKey);
	if (at < 0 || !isScannable(wire)) return wire;
	let skeleton = '';
	let done = 0;
	while (at >= 0 && sdps.length < mostLifted) {
		const start = at + sdpKey.length;
		const end = scanSdp(wire, start, limits);
		if (end >= 0) {
			skeleton += wire.slice(done, start - 1) + sdps.length;
			sdps.push(wire.slice(start - 1, end + 1));
			done = end + 1;
		}
		at = wire.indexOf(sdpKey, end >= 0 ? end : start);
	}
	return skeleton + wire.slice(done);
}

function binaryId(value: unknown): string | undefined {
	return isBinaryId(value) ? value : undefined;
}

function parseAnnounce(
	value: Fields,
	infoHash: string,
	peerId: string,
	reading: Reading,
): Announce | Invalid {
	const { limits } = reading;
	const refuse = (reason: InvalidReason) => invalid(reason, 'announce', infoHash);
	const event = parseEvent(value.event);
	if (event === undefined) return refuse('event');
	const { left } = value;
	if (left != null && !(typeof left === 'number' && left >= 0)) return refuse('left');
	const wanted = value.numwant ?? limits.offersPerAnnounce;
	if (!Number.isInteger(wanted) || (wanted as number) < 0) return refuse('numwant');
	const most = Math.min(wanted as number, limits.offersPerAnnounce);
	const offers = parseOffers(value.offers, most, reading);
	if (typeof offers === 'string') return refuse(offers);
	const hints = value.shoal == null ? undefined : parseHints(value.shoal);
	if (hints === null) return refuse('hints');
	return { type: 'announce', infoHash, peerId, event, complete: left === 0, offers, hints };
}

function parseEvent(event: unknown): AnnounceEvent | undefined {
	if (event == null) return 'update';
	return typeof event === 'string' ? events.get(event) : undefined;
}

function parseOffers(value: unknown, most: number, reading: Reading): Offer[] | InvalidReason {
	if (value == null) return [];
	if (!Array.isArray(value)) return 'offers';
	const offers: Offer[] = [];
	for (const item of value as unknown[]) {
		if (offers.length >= most) break;
		if (!isFields(item)) return 'offers';
		const offerId = reading.id(item.offer_id);
		if (offerId === undefined) return 'offer-id';
		const sdpJson = sdpOf(item.offer, 'offer', reading);
		if (sdpJson === undefined) return 'offer';
		offers.push({ offerId, sdpJson });
	}
	return offers;
}

function parseAnswer(
	value: Fields,
	infoHash: string,
	peerId: string,
	reading: Reading,
): Answer | Invalid {
	const refuse = (reason: InvalidReason) => invalid(reason, 'announce', infoHash);
	const toPeerId = reading.id(value.to_peer_id);
	if (toPeerId === undefined) return refuse('to-peer-id');
	const offerId = reading.id(value.offer_id);
	if (offerId === undefined) return refuse('offer-id');
	const sdpJson = sdpOf(value.answer, 'answer', reading);
	if (sdpJson === undefined) return refuse('answer');
	return { type: 'answer', infoHash, peerId, toPeerId, offerId, sdpJson };
}

function parseScrape(value: Fields, { limits, id }: Reading): Scrape | Invalid {
	const { info_hash: asked } = value;
	if (asked == null) return invalid('full-scrape');
	const named: unknown[] = Array.isArray(asked) ? asked : [asked];
	if (named.length === 0) return invalid('full-scrape');
	if (named.length > limits.scrapeHashes) return invalid('scrape');
	const infoHashes = named.map(id).filter((infoHash) => infoHash !== undefined);
	return infoHashes.length === named.length ? { type: 'scrape', infoHashes } : invalid('info-hash');
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

function sdpOf(value: unknown, type: 'offer' | 'answer', reading: Reading): string | undefined {
	if (!isFields(value) || value.type !== type) return undefined;
	const { sdp } = value;
	return typeof sdp === 'number' ? reading.sdps[sdp] : relayableSdp(sdp, reading.limits);
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
