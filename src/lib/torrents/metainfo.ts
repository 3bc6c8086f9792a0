import type { Bencoded, BencodedDict } from '../model/bencode.ts';
import { decodeBencode, encodeBencode } from '../model/bencode.ts';
import { ShoalError } from '../model/error.ts';
import { fromUtf8, toHex } from '../util/bytes.ts';

/** One file of a torrent, as its info dictionary names it. */
export interface TorrentFileEntry {
	/** Path below the download folder, parts joined by `/`; starts with the torrent's name. */
	readonly path: string;
	readonly lengthBytes: number;
	/** Where the file begins in the torrent's bytes. */
	readonly offsetBytes: number;
}

/** What a .torrent file says (BEP 3), checked. */
export interface Metainfo {
	/** SHA-1 of the info dictionary, 40 hexadecimal digits. */
	readonly infoHash: string;
	readonly name: string;
	readonly lengthBytes: number;
	readonly pieceLength: number;
	readonly pieceCount: number;
	readonly files: readonly TorrentFileEntry[];
	readonly private: boolean;
	readonly announce: readonly string[];
	/** Web seeds (BEP 19). */
	readonly webSeeds: readonly string[];
	readonly comment: string | undefined;
	readonly createdBy: string | undefined;
	readonly createdAtMs: number | undefined;
}

/** The checked part that the info dictionary alone gives. */
export type InfoSummary = Pick<
	Metainfo,
	'name' | 'lengthBytes' | 'pieceLength' | 'pieceCount' | 'files' | 'private'
>;

/** Largest .torrent file that is read, bytes. */
export const MAX_TORRENT_FILE_BYTES = 16 * 1024 * 1024;
const MAX_FILES = 100_000;
const MAX_PIECE_LENGTH = 64 * 1024 * 1024;
const MAX_NAME_BYTES = 255;
const MAX_PATH_PARTS = 64;
const BENCODE_LIMITS = { maxDepth: 16, maxTokens: 2_000_000 };

/** Reads a .torrent file; throws `bad-torrent` that says what is wrong with it. */
export async function decodeMetainfo(bytes: Uint8Array): Promise<Metainfo> {
	if (bytes.length > MAX_TORRENT_FILE_BYTES) fail('it is larger than any torrent file should be');
	let value: Bencoded;
	try {
		value = decodeBencode(bytes, BENCODE_LIMITS);
	} catch (cause) {
		throw new ShoalError('bad-torrent', 'This is not a torrent file, or it was cut short', {
			cause,
		});
	}
	if (!(value instanceof Map)) fail('it holds no dictionary');
	const info = value.get('info');
	if (!(info instanceof Map)) fail('it holds no info dictionary');
	const summary = checkInfo(info);
	const digest = await crypto.subtle.digest('SHA-1', encodeBencode(info));
	const created = value.get('creation date');
	return {
		infoHash: toHex(new Uint8Array(digest)),
		...summary,
		announce: readAnnounce(value),
		webSeeds: readWebSeeds(value.get('url-list')),
		comment: readText(value.get('comment')),
		createdBy: readText(value.get('created by')),
		createdAtMs: typeof created === 'number' && created > 0 ? created * 1000 : undefined,
	};
}

/** Checks raw info dictionary bytes, as peers send them for a magnet link (BEP 9). */
export function checkInfoBytes(bytes: Uint8Array): InfoSummary {
	let value: Bencoded;
	try {
		value = decodeBencode(bytes, BENCODE_LIMITS);
	} catch (cause) {
		throw new ShoalError('bad-torrent', 'What peers sent as the torrent is not one', { cause });
	}
	if (!(value instanceof Map)) fail('it holds no dictionary');
	return checkInfo(value);
}

function checkInfo(info: BencodedDict): InfoSummary {
	const name = readName(info.get('name.utf-8') ?? info.get('name'), 'its name');
	const pieceLength = info.get('piece length');
	if (typeof pieceLength !== 'number' || pieceLength < 1 || pieceLength > MAX_PIECE_LENGTH) {
		fail('its piece length makes no sense');
	}
	const pieces = info.get('pieces');
	if (!(pieces instanceof Uint8Array)) {
		if (info.get('meta version') === 2) fail('it is for version 2 of BitTorrent only');
		fail('it has no piece hashes');
	}
	if (pieces.length % 20 !== 0) fail('its piece hashes are cut short');
	const files = readFiles(info, name);
	const last = files[files.length - 1];
	const lengthBytes = last ? last.offsetBytes + last.lengthBytes : 0;
	if (lengthBytes === 0) fail('its files are empty, there is nothing to share');
	const pieceCount = pieces.length / 20;
	if (Math.ceil(lengthBytes / pieceLength) !== pieceCount) {
		fail('its piece hashes do not fit its length');
	}
	return { name, lengthBytes, pieceLength, pieceCount, files, private: info.get('private') === 1 };
}

function readFiles(info: BencodedDict, name: string): TorrentFileEntry[] {
	const list = info.get('files');
	if (list === undefined) {
		return [{ path: name, lengthBytes: readLength(info.get('length')), offsetBytes: 0 }];
	}
	if (!Array.isArray(list) || list.length === 0) fail('its list of files makes no sense');
	if (list.length > MAX_FILES) fail(`it has more than ${MAX_FILES} files`);
	const files: TorrentFileEntry[] = [];
	let offsetBytes = 0;
	for (const entry of list) {
		if (!(entry instanceof Map)) fail('its list of files makes no sense');
		const parts = entry.get('path.utf-8') ?? entry.get('path');
		if (!Array.isArray(parts) || parts.length === 0 || parts.length > MAX_PATH_PARTS) {
			fail('one of its files has no path');
		}
		const path = [name, ...parts.map((part) => readName(part, 'a file name'))].join('/');
		const lengthBytes = readLength(entry.get('length'));
		files.push({ path, lengthBytes, offsetBytes });
		offsetBytes += lengthBytes;
		if (!Number.isSafeInteger(offsetBytes)) fail('its length makes no sense');
	}
	checkDistinct(files);
	return files;
}

/** Two files of one path, or a file where another wants a folder, would overwrite each other. */
function checkDistinct(files: readonly TorrentFileEntry[]): void {
	// Many disks take Name and name for one file.
	const folded = new Set<string>();
	const folders = new Set<string>();
	for (const { path } of files) {
		const key = path.toLowerCase();
		if (folded.has(key)) fail(`it names ${quote(path)} twice`);
		folded.add(key);
		for (let at = key.indexOf('/'); at > 0; at = key.indexOf('/', at + 1)) {
			folders.add(key.slice(0, at));
		}
	}
	for (const folder of folders) {
		if (folded.has(folder)) fail(`${quote(folder)} is a file and a folder in it`);
	}
}

/** A path part from outside: it must name something right inside its folder, on every system. */
function readName(value: Bencoded | undefined, what: string): string {
	if (!(value instanceof Uint8Array) || value.length === 0) fail(`${what} is missing`);
	if (value.length > MAX_NAME_BYTES) fail(`${what} is longer than ${MAX_NAME_BYTES} bytes`);
	let name: string;
	try {
		name = fromUtf8(value);
	} catch {
		fail(`${what} is not text`);
	}
	if (name === '.' || name === '..' || /[/\\]/.test(name) || /^[A-Za-z]:/.test(name)) {
		fail(`${what} ${quote(name)} points outside the download folder`);
	}
	for (const symbol of name) {
		if (symbol < ' ' || symbol === '\u007f') fail(`${what} has control characters`);
	}
	return name;
}

function readLength(value: Bencoded | undefined): number {
	if (typeof value !== 'number' || value < 0) fail('the length of a file makes no sense');
	return value;
}

function readAnnounce(dict: BencodedDict): string[] {
	const urls = new Set<string>();
	const tiers = dict.get('announce-list');
	for (const tier of Array.isArray(tiers) ? tiers : []) {
		for (const url of Array.isArray(tier) ? tier : []) {
			const text = readText(url);
			if (text) urls.add(text);
		}
	}
	const single = readText(dict.get('announce'));
	if (urls.size === 0 && single) urls.add(single);
	return [...urls];
}

function readWebSeeds(value: Bencoded | undefined): string[] {
	const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
	return list.map(readText).filter((url): url is string => !!url);
}

function readText(value: Bencoded | undefined): string | undefined {
	if (!(value instanceof Uint8Array)) return undefined;
	try {
		return fromUtf8(value);
	} catch {
		return undefined;
	}
}

/** A name as a message shows it: never with control characters, never long. */
function quote(name: string): string {
	const short = name.length > 60 ? `${name.slice(0, 57)}…` : name;
	// eslint-disable-next-line no-control-regex -- they are what is taken out
	return JSON.stringify(short.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?'));
}

function fail(what: string): never {
	throw new ShoalError('bad-torrent', `This torrent can't be used: ${what}`);
}
