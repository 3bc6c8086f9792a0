import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../tracker-server/server.ts';
import { startServer } from '../tracker-server/server.ts';
import { run, shoal, tidyFolder, tidyUp } from './testing/shoal.ts';

let server: RunningServer;
let site: string[];
let folder: string;
const here = (name: string) => join(folder, name);
beforeAll(async () => {
	server = await startServer({ host: 'localhost', stun: false });
	site = ['--app', server.url];
	folder = tidyFolder();
	writeFileSync(here('empty.ts'), '');
	writeFileSync(here('noise.mp4'), Buffer.alloc(100_000, 'no media at all '));
	writeFileSync(here('bad.key'), '{"type":"shoal-channel-key"}');
	writeFileSync(here('half.torrent'), 'd8:announce');
	writeFileSync(here('evil.torrent'), torrentOf(['..', '..', 'etc', 'passwd']));
	writeFileSync(here('kept.mp4'), 'what was recorded before');
	mkdirSync(here('folder'));
});
afterAll(async () => {
	await tidyUp();
	await server.close();
});

/** A .torrent whose one file lies where its path says. */
function torrentOf(path: readonly string[]): Buffer {
	const parts = path.map((part) => `${part.length}:${part}`).join('');
	const pieces = Buffer.alloc(20, 7).toString('latin1');
	const info = `d5:filesld6:lengthi5e4:pathl${parts}eee4:name4:evil12:piece lengthi16384e6:pieces20:${pieces}e`;
	return Buffer.from(`d4:info${info}e`, 'latin1');
}

const LINK = `http://localhost:9/watch/#${'A'.repeat(42)}8`;
const MAGNET = `magnet:?xt=urn:btih:${'ab'.repeat(20)}`;

describe('what can’t be used is said in a sentence, with the exit code for it', () => {
	it.each<[string, string[], number, RegExp]>([
		['an unknown command', ['sing'], 2, /unknown command/],
		['no source', ['seed'], 2, /What shall be sent/],
		['a number that is none', ['seed', 'x', '--segment', 'long'], 2, /100 to 5000/],
		['a missing file', ['seed', 'nowhere.mp4'], 3, /There is no file nowhere.mp4/],
		['a folder', ['seed', 'folder'], 3, /is a folder/],
		['an empty file', ['seed', 'empty.ts'], 3, /is empty/],
		['no media', ['seed', 'noise.mp4'], 3, /no media that can be sent.*ffmpeg -i SOURCE/],
		['an address to listen on that is none', ['seed', '--listen', '9000'], 2, /tcp:\/\/HOST:PORT/],
		['a station out of reach', ['seed', 'http://localhost:9/live'], 4, /can't be read/],
		['a damaged key', ['seed', '-', '--key', 'bad.key'], 3, /not a key file/],
		['a file that would be replaced', ['seed', '-', '--archive', 'kept.mp4'], 3, /--force/],
		['a recording that would be replaced', ['watch', LINK, '-o', 'kept.mp4'], 3, /--force/],
		[
			'half a link',
			['watch', 'http://localhost:9/watch/#abc'],
			3,
			/43 characters: letters, digits, - and _/,
		],
		[
			'a key that anybody could sign for',
			['watch', `http://x.example/watch/#${'A'.repeat(43)}`],
			3,
			/can’t be trusted: its key/,
		],
		['half a torrent', ['torrent', 'info', 'half.torrent'], 3, /torrent/],
		['a torrent that leaves its folder', ['torrent', 'get', 'evil.torrent'], 3, /\.\.|path/i],
		['a magnet link without a torrent', ['torrent', 'get', 'magnet:?dn=x'], 3, /magnet link/],
		['a missing file to share', ['torrent', 'make', 'nowhere'], 3, /There is no file/],
		['a backup that is none', ['key', 'restore', 'noise.mp4'], 3, /not a key file/],
	])('%s', async (_, args, exitCode, sentence) => {
		const needsSite = ['seed', 'watch'].includes(args[0] ?? '');
		const { code, stderr, stdout } = await run(needsSite ? [...args, ...site] : args, {
			cwd: folder,
		});
		expect(stderr).toMatch(sentence);
		expect(stderr).not.toMatch(/^\s+at /m); // no stack
		expect(stdout.replace(/^http.*\n/, '')).toBe(''); // at most the link
		expect(code).toBe(exitCode);
	});

	it('a site and trackers out of reach', async () => {
		const { code, stderr } = await run(['seed', 'noise.mp4', '--app', 'http://localhost:9'], {
			cwd: folder,
		});
		expect(stderr).toMatch(/No trackers known.*--tracker/);
		expect(code).toBe(4);
	});

	it('a busy port, with the option that chooses another', async () => {
		const { host, port } = new URL(server.url);
		const cases: [string[], RegExp][] = [
			[['tracker', '--tracker-only', '--host', 'localhost', '--port', port], /--port or .* PORT/],
			[['seed', '--listen', `tcp://${host}`, ...site], /in use.*--listen/],
			[['watch', LINK, '--http', host, ...site], /in use.*--http/],
		];
		for (const [args, sentence] of cases) {
			const { code, stderr } = await run(args, { cwd: folder });
			expect(stderr).toMatch(sentence);
			expect(code).toBe(1);
		}
	});

	it('a torrent that nobody has', async () => {
		const args = ['torrent', 'get', MAGNET, '--timeout', '1', '--no-dht', ...site];
		const { code, stderr } = await run(args, { cwd: folder });
		expect(stderr).toMatch(/Nobody who has it was found|No tracker/);
		expect(code).toBe(4);
	});

	it('a broadcast that doesn’t come leaves no file', async () => {
		const link = `${server.url}/watch/#${'A'.repeat(42)}8`;
		const { code, stderr } = await run(['watch', link, '-o', 'none.mp4', '--timeout', '2'], {
			cwd: folder,
		});
		expect(stderr).toMatch(/Nothing came for 2 s/);
		expect(code).toBe(4);
		expect(existsSync(join(folder, 'none.mp4'))).toBe(false);
	});
});

it('a folder of ten thousand files, some empty, is described whole and fetched as it was', async () => {
	const cwd = tidyFolder();
	const files = Array.from({ length: 10_000 }, (_, i) =>
		join('many', `folder ${i % 20}`, `${i}.txt`),
	);
	for (let i = 0; i < 20; i++) mkdirSync(join(cwd, 'many', `folder ${i}`), { recursive: true });
	files.forEach((path, i) => writeFileSync(join(cwd, path), i % 10 === 0 ? '' : `file ${i}`));
	const seed = shoal(['torrent', 'seed', 'many', '--write', '--no-dht', ...site], { cwd });
	await seed.says(/#[0-9a-f]{40}\n/);
	const info = await run(['torrent', 'info', 'many.torrent', '--json'], { cwd });
	expect((JSON.parse(info.stdout) as { files: unknown[] }).files).toHaveLength(10_000);
	const got = await run(['torrent', 'get', 'many.torrent', '-o', 'got', '--no-dht', ...site], {
		cwd,
	});
	expect(got.code).toBe(0);
	for (const path of files) {
		const same = readFileSync(join(cwd, path)).equals(readFileSync(join(cwd, 'got', path)));
		if (!same) throw new Error(`${path} differs`);
	}
	await seed.interrupt();
}, 120_000);
