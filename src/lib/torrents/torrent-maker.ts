import type { Bencoded, BencodedDict } from '../model/bencode.ts';
import { encodeBencode } from '../model/bencode.ts';
import { ShoalError } from '../model/error.ts';
import { concatBytes, utf8 } from '../util/bytes.ts';
import type { Metainfo } from './metainfo.ts';
import { MAX_TORRENT_FILE_BYTES, decodeMetainfo } from './metainfo.ts';
import { LEAST_PIECE_LENGTH, MOST_PIECE_LENGTH, choosePieceLength } from './piece-length.ts';
import { isTrackerUrl } from './torrent-source.ts';

/** A file that goes into a torrent. */
export interface MakerFile {
	/** Path with `/`; with several files the first part is the folder they share. */
	readonly path: string;
	readonly lengthBytes: number;
	/** Bytes from `start` up to, and without, `end`. */
	read(start: number, end: number): Promise<Uint8Array>;
}

/** What goes into a .torrent besides the files. */
export interface MakerOptions {
	/** @default the file's name, or the folder that all files share */
	readonly name?: string;
	/** Announce addresses, each a tier of its own (BEP 12). @default none */
	readonly trackers?: readonly string[];
	/** A power of two, 16 KiB to 16 MiB. @default `choosePieceLength` */
	readonly pieceLength?: number;
	readonly comment?: string;
	readonly createdBy?: string;
	/** Seconds since 1970; `null` leaves it out. @default now */
	readonly createdAtS?: number | null;
	/** Ask peers from the trackers only (BEP 27). */
	readonly private?: boolean;
	/** Addresses that serve the same files over HTTP (BEP 19). */
	readonly webSeeds?: readonly string[];
	readonly signal?: AbortSignal;
	readonly onProgress?: (progress: { hashedBytes: number; totalBytes: number }) => void;
}

/** A new torrent: its file, and what that says. */
export interface MadeTorrent {
	readonly torrentFile: Uint8Array<ArrayBuffer>;
	readonly metainfo: Metainfo;
}

/** Hashes under way at once; reading goes on meanwhile. */
const HASHES_AT_ONCE = 4;

/**
 * Hashes files into a .torrent (BEP 3; Kamaelia's TorrentMaker). Throws `bad-torrent` when no torrent can be made of
 * them, `bad-file` when one of them can't be read or changes meanwhile.
 */
export async function makeTorrent(
	files: readonly MakerFile[],
	options: MakerOptions = {},
): Promise<MadeTorrent> {
	const totalBytes = files.reduce((sum, file) => sum + file.lengthBytes, 0);
	if (files.length === 0 || totalBytes === 0) {
		throw new ShoalError('bad-torrent', 'There is nothing to share: the files are empty');
	}
	const pieceLength = options.pieceLength ?? choosePieceLength(totalBytes);
	checkPieceLength(pieceLength);
	for (const url of options.trackers ?? []) {
		if (!isTrackerUrl(url))
			throw new ShoalError('bad-torrent', `${url} is not a tracker's address`);
	}
	const info = layOut(files, options.name);
	info.set('piece length', pieceLength);
	if (options.private) info.set('private', 1);
	info.set('pieces', await hashPieces(files, pieceLength, totalBytes, options));
	const torrentFile = encodeBencode(describe(info, options));
	if (torrentFile.length > MAX_TORRENT_FILE_BYTES) {
		throw new ShoalError('bad-torrent', 'The torrent file gets too large; choose larger pieces');
	}
	return { torrentFile, metainfo: await decodeMetainfo(torrentFile) };
}

/** A Blob or File as the maker reads it. */
export function makerFile(path: string, blob: Blob): MakerFile {
	return {
		path,
		lengthBytes: blob.size,
		async read(start, end) {
			return new Uint8Array(await blob.slice(start, end).arrayBuffer());
		},
	};
}

function checkPieceLength(length: number): void {
	const powerOfTwo = Number.isInteger(Math.log2(length));
	if (!powerOfTwo || length < LEAST_PIECE_LENGTH || length > MOST_PIECE_LENGTH) {
		throw new ShoalError('bad-torrent', 'The piece size must be a power of two, 16 KiB to 16 MiB');
	}
}

/** Names and lengths, as the info dictionary has them. */
function layOut(files: readonly MakerFile[], name: string | undefined): BencodedDict {
	const paths = files.map((file) => file.path.split('/').filter((part) => part !== ''));
	const [first] = paths;
	const only = files.length === 1 && first?.length === 1 ? files[0] : undefined;
	if (only) {
		return new Map<string, Bencoded>([
			['name', utf8(name ?? first?.[0] ?? '')],
			['length', only.lengthBytes],
		]);
	}
	const folder = first?.[0] ?? '';
	const shared = paths.every((path) => path.length > 1 && path[0] === folder);
	return new Map<string, Bencoded>([
		['name', utf8(name ?? (shared ? folder : (first?.[0] ?? 'files')))],
		[
			'files',
			files.map((file, index): BencodedDict => {
				const path = paths[index] ?? [];
				return new Map<string, Bencoded>([
					['length', file.lengthBytes],
					['path', (shared ? path.slice(1) : path).map((part) => utf8(part))],
				]);
			}),
		],
	]);
}

function describe(info: BencodedDict, options: MakerOptions): BencodedDict {
	const torrent: BencodedDict = new Map<string, Bencoded>([
		['info', info],
		['encoding', utf8('UTF-8')],
		['created by', utf8(options.createdBy ?? 'Shoal')],
	]);
	const createdAtS = options.createdAtS ?? Math.floor(Date.now() / 1000);
	if (options.createdAtS !== null) torrent.set('creation date', createdAtS);
	if (options.comment) torrent.set('comment', utf8(options.comment));
	const [firstTracker] = options.trackers ?? [];
	if (firstTracker !== undefined && options.trackers) {
		torrent.set('announce', utf8(firstTracker));
		torrent.set(
			'announce-list',
			options.trackers.map((url) => [utf8(url)]),
		);
	}
	if (options.webSeeds?.length)
		torrent.set(
			'url-list',
			options.webSeeds.map((url) => utf8(url)),
		);
	return torrent;
}

async function hashPieces(
	files: readonly MakerFile[],
	pieceLength: number,
	totalBytes: number,
	{ signal, onProgress }: MakerOptions,
): Promise<Uint8Array> {
	const hashes = new Uint8Array(Math.ceil(totalBytes / pieceLength) * 20);
	const running = new Set<Promise<void>>();
	let hashedBytes = 0;
	let failure: unknown;
	let index = 0;
	for await (const piece of pieces(files, pieceLength, signal)) {
		const at = index++ * 20;
		const hashing = crypto.subtle
			.digest('SHA-1', piece)
			.then((hash) => {
				hashes.set(new Uint8Array(hash), at);
				hashedBytes += piece.length;
				onProgress?.({ hashedBytes, totalBytes });
			})
			.catch((error: unknown) => {
				failure ??= error;
			})
			.finally(() => running.delete(hashing));
		running.add(hashing);
		if (running.size >= HASHES_AT_ONCE) await Promise.race(running);
	}
	await Promise.all(running);
	if (failure !== undefined) throw failure as Error;
	return hashes;
}

/** The files' bytes end to end, cut into pieces. */
async function* pieces(
	files: readonly MakerFile[],
	pieceLength: number,
	signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
	let parts: Uint8Array[] = [];
	let held = 0;
	for (const file of files) {
		for (let at = 0; at < file.lengthBytes;) {
			signal?.throwIfAborted();
			const end = Math.min(file.lengthBytes, at + pieceLength - held);
			const bytes = await readExactly(file, at, end);
			parts.push(bytes);
			held += bytes.length;
			at = end;
			if (held < pieceLength) continue;
			yield concatBytes(...parts);
			parts = [];
			held = 0;
		}
	}
	if (held > 0) yield concatBytes(...parts);
}

async function readExactly(file: MakerFile, start: number, end: number): Promise<Uint8Array> {
	let bytes: Uint8Array;
	try {
		bytes = await file.read(start, end);
	} catch (cause) {
		throw new ShoalError('bad-file', `${file.path} can't be read`, { cause });
	}
	if (bytes.length !== end - start) {
		throw new ShoalError('bad-file', `${file.path} changed while it was being read`);
	}
	return bytes;
}
