import type { AnnounceEvent } from './message.ts';

/** An announce over HTTP (BEP 3, 7, 23). */
export interface PlainAnnounce {
	/** 20 characters, one byte each, as ids are everywhere in the core. */
	readonly infoHash: string;
	readonly peerId: string;
	/** TCP port the peer listens on. */
	readonly port: number;
	readonly event: AnnounceEvent;
	/** Has everything: `left` is 0. */
	readonly complete: boolean;
	/** Peers wanted; `undefined` leaves it to the tracker. */
	readonly wanted: number | undefined;
	/** Peers as bytes (BEP 23), not as dictionaries. */
	readonly compact: boolean;
}

/** Why a query was refused, in words for the client's window. */
export class PlainQueryError extends Error {}

const EVENTS = new Map<string, AnnounceEvent>([
	['', 'update'],
	['started', 'started'],
	['stopped', 'stopped'],
	['completed', 'completed'],
	['paused', 'update'],
]);

/** Reads the query of `/announce`. Throws a `PlainQueryError`. */
export function readAnnounce(query: string): PlainAnnounce {
	const fields = readQuery(query);
	const one = (name: string) => fields.get(name)?.[0];
	const port = whole(one('port'));
	if (port === undefined || port < 1 || port > 65535) throw new PlainQueryError('invalid port');
	const left = one('left');
	if (left !== undefined && !/^\d{1,20}$/.test(left)) throw new PlainQueryError('invalid left');
	const event = EVENTS.get(one('event') ?? '');
	if (event === undefined) throw new PlainQueryError('invalid event');
	return {
		infoHash: id(one('info_hash'), 'info_hash'),
		peerId: id(one('peer_id'), 'peer_id'),
		port,
		event,
		complete: left !== undefined && /^0+$/.test(left),
		wanted: whole(one('numwant')),
		compact: one('compact') !== '0',
	};
}

/** Reads the query of `/scrape`: infohashes, at least one and `most` at most. Throws a `PlainQueryError`. */
export function readScrape(query: string, most: number): string[] {
	const asked = readQuery(query).get('info_hash') ?? [];
	if (asked.length === 0)
		throw new PlainQueryError('info_hash is needed: nobody is told of all torrents');
	if (asked.length > most) throw new PlainQueryError(`at most ${most} torrents in one scrape`);
	return asked.map((value) => id(value, 'info_hash'));
}

/** Names and values; each value one character a byte, since ids are no UTF-8. */
function readQuery(query: string): Map<string, string[]> {
	const fields = new Map<string, string[]>();
	for (const part of query.split('&')) {
		const [name = '', value = ''] = part.split('=', 2);
		const values = fields.get(name) ?? [];
		values.push(unescape(value));
		fields.set(name, values);
	}
	return fields;
}

function unescape(value: string): string {
	return value
		.replace(/\+/g, ' ')
		.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function id(value: string | undefined, name: string): string {
	if (value?.length !== 20) throw new PlainQueryError(`invalid ${name}`);
	return value;
}

function whole(value: string | undefined): number | undefined {
	return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}
