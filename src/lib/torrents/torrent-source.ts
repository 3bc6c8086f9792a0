import { ShoalError } from '../model/error.ts';
import { toHex } from '../util/bytes.ts';
import { readWhole } from '../util/read-whole.ts';
import type { Metainfo } from './metainfo.ts';
import { MAX_TORRENT_FILE_BYTES, decodeMetainfo } from './metainfo.ts';

/** What a person may give: a magnet link, an infohash, a web address of a .torrent, or its bytes. */
export type TorrentSource = string | Uint8Array;

/** A torrent by name only (its description comes from peers), or with its description. */
export interface ResolvedSource {
	/** 40 hexadecimal digits. */
	readonly infoHash: string;
	readonly name: string | undefined;
	readonly announce: readonly string[];
	/** Files to fetch (BEP 53), when the magnet link names some. */
	readonly selected: readonly number[] | undefined;
	readonly webSeeds: readonly string[];
	/** The .torrent file, when it is known already. */
	readonly torrentFile: Uint8Array | undefined;
	readonly metainfo: Metainfo | undefined;
}

const MAX_SOURCE_CHARS = 64 * 1024;
const MAX_URLS = 50;
const FETCH_TIMEOUT_MS = 30_000;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Finds out which torrent is meant; throws `bad-torrent` with a sentence for the person who gave it. */
export async function resolveSource(
	source: TorrentSource,
	fetchFile: typeof fetch = (...args) => fetch(...args),
): Promise<ResolvedSource> {
	if (typeof source !== 'string') return fromTorrentFile(source);
	if (source.length > MAX_SOURCE_CHARS) fail('This is too long to be a link to a torrent');
	const text = source.trim();
	const infoHash = parseInfoHash(text);
	if (infoHash) return fromMagnet(new URLSearchParams({ xt: `urn:btih:${infoHash}` }));
	if (/^(stream-)?magnet:/i.test(text)) {
		const query = text.indexOf('?');
		return fromMagnet(new URLSearchParams(query < 0 ? '' : text.slice(query + 1)));
	}
	if (/^https?:\/\//i.test(text)) {
		const fragment = sharedTorrent(text);
		if (fragment) return resolveSource(fragment, fetchFile);
		return fromTorrentFile(await download(text, fetchFile));
	}
	return fail('This is neither a magnet link, an infohash, nor the address of a torrent file');
}

/** The torrent that a link to a torrents page names behind its `#`, if it names one. */
export function sharedTorrent(link: string): string | undefined {
	const hash = link.indexOf('#');
	if (hash < 0) return undefined;
	let fragment = link.slice(hash + 1);
	try {
		if (/^magnet%3a/i.test(fragment)) fragment = decodeURIComponent(fragment);
	} catch {
		return undefined;
	}
	return /^magnet:/i.test(fragment) || parseInfoHash(fragment) ? fragment : undefined;
}

/** 40 lower-case hexadecimal digits of an infohash in hexadecimal or base32, or `undefined`. */
export function parseInfoHash(text: string): string | undefined {
	if (/^[0-9a-f]{40}$/i.test(text)) return text.toLowerCase();
	if (!/^[a-z2-7]{32}$/i.test(text)) return undefined;
	const bytes = new Uint8Array(20);
	let held = 0;
	let bits = 0;
	let at = 0;
	for (const symbol of text.toLowerCase()) {
		held = ((held << 5) | BASE32.indexOf(symbol)) & 0xfff;
		bits += 5;
		if (bits < 8) continue;
		bits -= 8;
		bytes[at++] = (held >> bits) & 0xff;
	}
	return toHex(bytes);
}

/** A magnet link (BEP 9) for a torrent. */
export function magnetOf(torrent: {
	infoHash: string;
	name?: string | undefined;
	announce?: readonly string[];
	webSeeds?: readonly string[];
}): string {
	const parts = [`xt=urn:btih:${torrent.infoHash}`];
	if (torrent.name) parts.push(`dn=${encodeURIComponent(torrent.name)}`);
	for (const url of torrent.announce ?? []) parts.push(`tr=${encodeURIComponent(url)}`);
	for (const url of torrent.webSeeds ?? []) parts.push(`ws=${encodeURIComponent(url)}`);
	return `magnet:?${parts.join('&')}`;
}

async function fromTorrentFile(bytes: Uint8Array): Promise<ResolvedSource> {
	const metainfo = await decodeMetainfo(bytes);
	return {
		infoHash: metainfo.infoHash,
		name: metainfo.name,
		announce: metainfo.announce.slice(0, MAX_URLS),
		selected: undefined,
		webSeeds: metainfo.webSeeds.slice(0, MAX_URLS),
		torrentFile: bytes,
		metainfo,
	};
}

function fromMagnet(query: URLSearchParams): ResolvedSource {
	const topics = query.getAll('xt');
	const infoHash = topics
		.map((topic) => parseInfoHash(/^urn:btih:(.+)$/i.exec(topic)?.[1] ?? ''))
		.find((found) => found !== undefined);
	if (!infoHash) {
		const onlyV2 = topics.some((topic) => /^urn:btmh:/i.test(topic));
		fail(
			onlyV2
				? 'This magnet link is for version 2 of BitTorrent only, which is not supported'
				: 'This magnet link names no torrent; perhaps it was cut',
		);
	}
	return {
		infoHash,
		name: query.get('dn')?.slice(0, 255) || undefined,
		announce: query.getAll('tr').filter(isTrackerUrl).slice(0, MAX_URLS),
		selected: parseSelection(query.get('so')),
		webSeeds: query.getAll('ws').filter(isWebUrl).slice(0, MAX_URLS),
		torrentFile: undefined,
		metainfo: undefined,
	};
}

const MAX_SELECTED = 100_000;

/** `0,2,4-6` → the numbers in it; of 100,000 that are named, also twice, at most. */
function parseSelection(text: string | null): number[] | undefined {
	if (!text || !/^\d{1,6}(-\d{1,6})?(,\d{1,6}(-\d{1,6})?)*$/.test(text)) return undefined;
	const chosen = new Set<number>();
	let named = 0;
	for (const range of text.split(',')) {
		const [from = 0, to = from] = range.split('-').map(Number);
		for (let index = from; index <= to && named < MAX_SELECTED; index++, named++) chosen.add(index);
	}
	return [...chosen];
}

/** Whether a text is an address that some BitTorrent client could announce to. */
export function isTrackerUrl(text: string): boolean {
	return text.length <= 2048 && /^(https?|wss?|udp):$/.test(protocolOf(text));
}

function isWebUrl(text: string): boolean {
	return text.length <= 2048 && /^https?:$/.test(protocolOf(text));
}

function protocolOf(text: string): string {
	try {
		return new URL(text).protocol;
	} catch {
		return '';
	}
}

async function download(url: string, fetchFile: typeof fetch): Promise<Uint8Array> {
	let response: Response;
	try {
		response = await fetchFile(url, {
			signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
			credentials: 'omit',
			referrerPolicy: 'no-referrer',
		});
	} catch (cause) {
		throw new ShoalError(
			'bad-torrent',
			'That address could not be read: it is out of reach, or its site does not let other pages read it',
			{ cause },
		);
	}
	if (!response.ok || !response.body) {
		fail(`That address answers ${response.status}, not with a torrent file`);
	}
	const bytes = await readWhole(response.body, MAX_TORRENT_FILE_BYTES).catch((cause: unknown) => {
		throw new ShoalError('bad-torrent', 'That address broke off before the end', { cause });
	});
	return bytes ?? fail('That address holds something far larger than a torrent file');
}

function fail(sentence: string): never {
	throw new ShoalError('bad-torrent', sentence);
}
