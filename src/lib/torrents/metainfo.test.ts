import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bencoded } from '../model/bencode.ts';
import { encodeBencode } from '../model/bencode.ts';
import { utf8 } from '../util/bytes.ts';
import { decodeMetainfo } from './metainfo.ts';

function dict(fields: Record<string, Bencoded>): Map<string, Bencoded> {
	return new Map(Object.entries(fields));
}

function torrent(info: Record<string, Bencoded>): Uint8Array {
	return encodeBencode(
		dict({
			info: dict({ 'piece length': 16384, pieces: new Uint8Array(20), ...info }),
		}),
	);
}

function folder(...paths: string[][]): Uint8Array {
	return torrent({
		name: utf8('folder'),
		files: paths.map((path) => dict({ length: 10, path: path.map((part) => utf8(part)) })),
	});
}

describe('a torrent file', () => {
	it('is read with its files in order', async () => {
		const metainfo = await decodeMetainfo(folder(['a.txt'], ['sub', 'b.txt']));
		expect(metainfo.files.map(({ path, offsetBytes }) => [path, offsetBytes])).toEqual([
			['folder/a.txt', 0],
			['folder/sub/b.txt', 10],
		]);
		expect(metainfo.lengthBytes).toBe(20);
		expect(metainfo.infoHash).toMatch(/^[0-9a-f]{40}$/);
	});

	it.each([
		['a step up', ['..', 'b']],
		['a step up inside', ['sub', '..', '..', 'b']],
		['an absolute path', ['/etc', 'passwd']],
		['a path in one part', ['sub/b']],
		['a Windows path', ['..\\b']],
		['a drive', ['C:b']],
		['the folder itself', ['.']],
		['an empty part', ['']],
		['a line break', ['a\nb']],
		['a zero', ['a\0b']],
	])('with %s is refused', async (_, path) => {
		await expect(decodeMetainfo(folder(['ok'], path))).rejects.toMatchObject({
			code: 'bad-torrent',
		});
	});

	it.each(['..', '../x', '/etc/passwd', '.', ''])(
		'whose own name is %j is refused',
		async (name) => {
			await expect(decodeMetainfo(torrent({ name: utf8(name), length: 10 }))).rejects.toMatchObject(
				{ code: 'bad-torrent' },
			);
		},
	);

	it('that names a file twice, or as a folder, is refused', async () => {
		await expect(decodeMetainfo(folder(['a'], ['A']))).rejects.toThrow(/twice/);
		await expect(decodeMetainfo(folder(['a'], ['a', 'b']))).rejects.toThrow(/file and a folder/);
	});

	it('whose lengths and hashes do not fit together is refused', async () => {
		const name = utf8('a');
		const broken: Record<string, Bencoded>[] = [
			{ name, length: 16385 },
			{ name, length: 0 },
			{ name, length: -1 },
			{ name, length: Number.MAX_SAFE_INTEGER },
			{ name, length: 10, 'piece length': 0 },
			{ name, length: 10, pieces: new Uint8Array(19) },
			{ name, length: 10, pieces: 7 },
		];
		for (const info of broken) {
			await expect(decodeMetainfo(torrent(info))).rejects.toMatchObject({ code: 'bad-torrent' });
		}
	});

	it('may hold empty files, as long as something is in it', async () => {
		const bytes = torrent({
			name: utf8('folder'),
			files: [
				dict({ length: 0, path: [utf8('empty')] }),
				dict({ length: 5, path: [utf8('full')] }),
			],
		});
		expect((await decodeMetainfo(bytes)).files.map((file) => file.lengthBytes)).toEqual([0, 5]);
	});

	it('of any bytes at all gives an answer or a bad-torrent, never anything else', async () => {
		const good = folder(['a.txt']);
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
				fc.nat(good.length),
				async (changes, length) => {
					const bytes = good.slice(0, Math.max(1, length));
					for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
					await decodeMetainfo(bytes).catch((error: unknown) => {
						expect(error).toMatchObject({ code: 'bad-torrent' });
					});
				},
			),
			{ numRuns: 500 },
		);
	});
});
