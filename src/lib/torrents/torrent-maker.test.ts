import { describe, expect, it } from 'vitest';
import { choosePieceLength } from './piece-length.ts';
import { makeTorrent, makerFile } from './torrent-maker.ts';

// The family's own maker and reader are the measure; both are webtorrent's dependencies, not ours.
// @ts-expect-error -- no types
const createTorrent = (await import('create-torrent')).default as (
	input: unknown,
	options: object,
	done: (error: Error | null, torrent: Uint8Array) => void,
) => void;
// @ts-expect-error -- no types
const parseTorrent = (await import('parse-torrent')).default as (
	torrent: Uint8Array,
) => Promise<Record<string, unknown>>;

function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(length);
	for (let i = 0, x = seed; i < length; i++) bytes[i] = x = ((x * 75 + 74) % 65537) & 0xff;
	return bytes;
}

async function reference(files: { name: string; bytes: Uint8Array }[], options: object) {
	// As Blobs: of an empty array the reference would hash one byte.
	const input = files.map(({ name, bytes }) =>
		Object.assign(new Blob([bytes.slice()]), { name, fullPath: name }),
	);
	return new Promise<Record<string, unknown>>((resolve, reject) =>
		createTorrent(input, { announceList: [], ...options }, (error, torrent) =>
			error ? reject(error) : resolve(parseTorrent(torrent)),
		),
	);
}

describe('a torrent made here', () => {
	it('has the infohash that the family’s own maker gives, for one file and for a folder', async () => {
		const one = [{ name: 'film.bin', bytes: noise(100_000) }];
		const many = [
			{ name: 'folder/a.bin', bytes: noise(70_001) },
			{ name: 'folder/empty', bytes: noise(0) },
			{ name: 'folder/sub/b.bin', bytes: noise(3, 2) },
			{ name: 'folder/sub/c.bin', bytes: noise(40_000, 3) },
		];
		for (const files of [one, many]) {
			const made = await makeTorrent(
				files.map(({ name, bytes }) => makerFile(name, new Blob([bytes]))),
				{ pieceLength: 16384 },
			);
			const name = files === one ? 'film.bin' : 'folder';
			expect(made.metainfo.infoHash).toBe(
				(await reference(files, { pieceLength: 16384, name })).infoHash,
			);
		}
	});

	it('says everything it was told', async () => {
		const made = await makeTorrent([makerFile('a', new Blob(['x']))], {
			name: 'b',
			trackers: ['wss://t.example/announce', 'udp://u.example:80'],
			comment: 'für dich',
			private: true,
			webSeeds: ['https://w.example/b'],
			createdAtS: 1_700_000_000,
		});
		expect(await parseTorrent(made.torrentFile)).toMatchObject({
			name: 'b',
			announce: ['wss://t.example/announce', 'udp://u.example:80'],
			comment: 'für dich',
			private: true,
			urlList: ['https://w.example/b'],
			created: new Date(1_700_000_000_000),
			infoHash: made.metainfo.infoHash,
		});
	});

	it('tells how far it is, to the last byte', async () => {
		const seen: number[] = [];
		await makeTorrent([makerFile('a', new Blob([noise(100_000)]))], {
			pieceLength: 16384,
			onProgress: ({ hashedBytes }) => seen.push(hashedBytes),
		});
		expect(seen.length).toBe(7);
		expect(Math.max(...seen)).toBe(100_000);
	});

	it('is refused when there is nothing in it, or when options make no sense', async () => {
		const file = makerFile('a', new Blob(['x']));
		await expect(makeTorrent([])).rejects.toMatchObject({ code: 'bad-torrent' });
		await expect(makeTorrent([makerFile('a', new Blob([]))])).rejects.toThrow(/empty/);
		await expect(makeTorrent([file], { pieceLength: 1000 })).rejects.toThrow(/power of two/);
		await expect(makeTorrent([file], { trackers: ['nonsense'] })).rejects.toThrow(/nonsense/);
	});

	it('is refused when a file cannot be read, or shrinks meanwhile', async () => {
		const broken = { path: 'a', lengthBytes: 5, read: () => Promise.reject(new Error('gone')) };
		const shrunk = { path: 'a', lengthBytes: 5, read: () => Promise.resolve(new Uint8Array(3)) };
		await expect(makeTorrent([broken])).rejects.toMatchObject({ code: 'bad-file' });
		await expect(makeTorrent([shrunk])).rejects.toThrow(/changed/);
	});

	it('can be called off', async () => {
		const abort = new AbortController();
		const making = makeTorrent([makerFile('a', new Blob([noise(200_000)]))], {
			pieceLength: 16384,
			signal: abort.signal,
			onProgress: () => abort.abort(),
		});
		await expect(making).rejects.toThrow();
	});

	it('holds ten thousand files', async () => {
		const files = Array.from({ length: 10_000 }, (_, i) =>
			makerFile(`many/${i % 100}/file ${i}`, new Blob([`file ${i}`])),
		);
		const { metainfo } = await makeTorrent(files);
		expect(metainfo.files.length).toBe(10_000);
	});
});

describe('the piece length', () => {
	it('grows with the torrent and stays within its bounds', () => {
		expect(choosePieceLength(1)).toBe(16 * 1024);
		expect(choosePieceLength(700 * 1024 ** 2)).toBe(1024 * 1024);
		expect(choosePieceLength(1024 ** 4)).toBe(16 * 1024 * 1024);
	});
});
