import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { crc32 } from './crc32.ts';
import { zip } from './zip.ts';

const run = promisify(execFile);

/** Python's reader, which nobody here wrote. */
async function unzip(archive: Blob): Promise<Record<string, string>> {
	const folder = await mkdtemp(join(tmpdir(), 'shoal-zip-'));
	try {
		await writeFile(join(folder, 'a.zip'), Buffer.from(await archive.arrayBuffer()));
		const script =
			'import json,sys,zipfile\n' +
			'z=zipfile.ZipFile("a.zip")\n' +
			'assert z.testzip() is None\n' +
			'open("out.json","w").write(json.dumps({n:z.read(n).hex() for n in z.namelist()}))';
		await run('python3', ['-c', script], { cwd: folder });
		return JSON.parse(await readFile(join(folder, 'out.json'), 'utf8')) as Record<string, string>;
	} finally {
		await rm(folder, { recursive: true });
	}
}

describe('an archive', () => {
	it('has the checksum of the standard’s example', () => {
		expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
	});

	it('opens in another program, with folders, empty files and names of any language', async () => {
		let told = 0;
		const archive = await zip(
			[
				{ path: 'folder/a.txt', blob: new Blob(['hello']) },
				{ path: 'folder/leer', blob: new Blob([]) },
				{ path: 'folder/日本.bin', blob: new Blob([new Uint8Array(100_000).fill(7)]) },
			],
			(bytes) => (told = bytes),
		);
		expect(await unzip(archive)).toEqual({
			'folder/a.txt': Buffer.from('hello').toString('hex'),
			'folder/leer': '',
			'folder/日本.bin': '07'.repeat(100_000),
		});
		expect(told).toBe(100_005);
	});

	it('holds more files than the old format counts', async () => {
		const files = Array.from({ length: 65_600 }, (_, i) => ({ path: `${i}`, blob: new Blob([]) }));
		expect(Object.keys(await unzip(await zip(files))).length).toBe(65_600);
	});
});
