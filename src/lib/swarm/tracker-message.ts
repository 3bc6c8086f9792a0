import type { Account } from './account.ts';
import { binaryStringOfHex, hexOfBinaryString } from './binary-id.ts';

/** An offer for whoever the tracker picks. */
export interface AnnouncedOffer {
	/** 40 hexadecimal characters. */
	readonly offerId: string;
	readonly sdp: string;
}

/** What an announce says. Ids are 40 hexadecimal characters. */
export interface Announce {
	readonly infoHash: string;
	readonly peerId: string;
	readonly event: 'started' | 'stopped' | undefined;
	/** 0 for who has everything: the broadcaster. Trackers count those as `complete`. */
	readonly left: 0 | 1;
	readonly offers: readonly AnnouncedOffer[];
	readonly account: Account | undefined;
	/** The tracker's own proof that this peer id was ours on an earlier connection. */
	readonly resume: string | undefined;
}

/** What a tracker says, within bounds. Ids are 40 hexadecimal characters; descriptions are not checked yet. */
export type TrackerMessage =
	| {
			readonly type: 'reply';
			/** Seconds until the next announce, as the tracker wishes. */
			readonly intervalS: number | undefined;
			readonly complete: number | undefined;
			readonly incomplete: number | undefined;
			/** How many of the offers found a peer; only trackers that know our fields tell. */
			readonly relayed: number | undefined;
			readonly resume: string | undefined;
	  }
	| {
			readonly type: 'offer' | 'answer';
			readonly peerId: string;
			readonly offerId: string;
			readonly sdp: string;
	  }
	| { readonly type: 'failure'; readonly reason: string };

/** The frame of an announce (WebTorrent tracker protocol). */
export function announceFrame(announce: Announce): string {
	const { account, resume } = announce;
	const shoal =
		account &&
		({
			hop: account.hop,
			slots: account.slots,
			starving: account.starving || undefined,
			uploadKbps: account.uplinkKbps,
			resume,
		} as const);
	return JSON.stringify({
		action: 'announce',
		info_hash: binaryStringOfHex(announce.infoHash),
		peer_id: binaryStringOfHex(announce.peerId),
		numwant: announce.offers.length,
		uploaded: 0,
		downloaded: 0,
		left: announce.left,
		event: announce.event,
		offers: announce.offers.map(({ offerId, sdp }) => ({
			offer_id: binaryStringOfHex(offerId),
			offer: { type: 'offer', sdp },
		})),
		shoal,
	});
}

/** The frame of an answer to a relayed offer (WebTorrent tracker protocol). Ids are hexadecimal. */
export function answerFrame(answer: {
	readonly infoHash: string;
	readonly peerId: string;
	readonly toPeerId: string;
	readonly offerId: string;
	readonly sdp: string;
}): string {
	return JSON.stringify({
		action: 'announce',
		info_hash: binaryStringOfHex(answer.infoHash),
		peer_id: binaryStringOfHex(answer.peerId),
		to_peer_id: binaryStringOfHex(answer.toPeerId),
		offer_id: binaryStringOfHex(answer.offerId),
		answer: { type: 'answer', sdp: answer.sdp },
	});
}

/**
 * Reads one frame for this swarm. `undefined` for what is malformed, for another swarm, from ourselves or of no
 * concern: a tracker is an outsider, and nothing it sends throws.
 */
export function parseTrackerFrame(
	frame: string,
	infoHash: string,
	ownPeerId: string,
): TrackerMessage | undefined {
	let fields: unknown;
	try {
		fields = JSON.parse(frame);
	} catch {
		return undefined;
	}
	if (!isFields(fields)) return undefined;
	const reason = fields['failure reason'];
	const hash = fields.info_hash;
	if (typeof reason === 'string' && hash === undefined) return failure(reason);
	if (fields.action !== 'announce' || hexOfBinaryString(hash) !== infoHash) return undefined;
	if (typeof reason === 'string') return failure(reason);
	if (fields.offer != null) return signal('offer', fields, fields.offer, ownPeerId);
	if (fields.answer != null) return signal('answer', fields, fields.answer, ownPeerId);
	const shoal = isFields(fields.shoal) ? fields.shoal : {};
	return {
		type: 'reply',
		intervalS: amount(fields.interval),
		complete: amount(fields.complete),
		incomplete: amount(fields.incomplete),
		relayed: amount(shoal.relayed),
		resume:
			typeof shoal.resume === 'string' && shoal.resume.length <= 64 ? shoal.resume : undefined,
	};
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function signal(
	type: 'offer' | 'answer',
	fields: Fields,
	description: unknown,
	ownPeerId: string,
): TrackerMessage | undefined {
	const peerId = hexOfBinaryString(fields.peer_id);
	const offerId = hexOfBinaryString(fields.offer_id);
	if (!peerId || !offerId || peerId === ownPeerId) return undefined;
	if (!isFields(description) || description.type !== type) return undefined;
	if (typeof description.sdp !== 'string') return undefined;
	return { type, peerId, offerId, sdp: description.sdp };
}

function failure(reason: string): TrackerMessage {
	// It ends up on a page: plain text of a bounded length.
	return { type: 'failure', reason: reason.slice(0, 120).replace(/[^\x20-\x7e]/g, ' ') };
}

/** A count or a number of seconds; anything else is as if it were not there. */
function amount(value: unknown): number | undefined {
	if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return undefined;
	return Math.min(value, 1e9);
}
