import { execFile, execFileSync, spawnSync } from 'node:child_process';
import {
	existsSync,
	mkdirSync,
	readFileSync,
	readdirSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../tracker-server/server.ts';
import { startServer } from '../tracker-server/server.ts';
import { makeProgram } from './run-cli.ts';
import { run, shoal, tidyFolder, tidyUp } from './testing/shoal.ts';

const top = join(import.meta.dirname, '..');
const about = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as {
	version: string;
	dependencies: Record<string, string>;
};

let server: RunningServer;
beforeAll(async () => {
	server = await startServer({ host: 'localhost', stun: false });
});
afterAll(async () => {
	await tidyUp();
	await server.close();
});

/** Every command that does something, by the words that name it. */
function commands(of = makeProgram(), path: string[] = []): string[][] {
	return of.commands.flatMap((command) => {
		const words = [...path, command.name()];
		return command.commands.length > 0 ? commands(command, words) : [words];
	});
}

it.each(commands().map((words) => [words.join(' '), words] as const))(
	'"shoal %s --help" says what it does, with an example',
	async (name, words) => {
		const { code, stdout } = await run([...words, '--help']);
		expect(code).toBe(0);
		expect(stdout).toMatch(/^Usage: shoal /);
		expect(stdout).toMatch(new RegExp(`Examples?:\\n  \\$ .*shoal ${name}`));
	},
);

it('tells its version, and its exit codes', async () => {
	expect((await run(['--version'])).stdout).toBe(`${about.version}\n`);
	expect((await run(['--help'])).stdout).toMatch(/130 stopped before it was done/);
});

it('says everything in JSON, one object a line, when asked to', async () => {
	const cwd = tidyFolder();
	writeFileSync(join(cwd, 'file.bin'), 'some bytes');
	const seed = shoal(['torrent', 'seed', 'file.bin', '--json', '--app', server.url], { cwd });
	await seed.says(/"type":"status".*"state":"answered"/);
	expect(await seed.interrupt()).toBe(0);
	const lines = seed.stdout
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line) as { type: string });
	expect(lines[0]).toMatchObject({ type: 'seeding', link: expect.stringContaining(server.url) });
	expect(seed.stderr).toBe('');
});

it('is quiet when asked to: the link, and nothing else', async () => {
	const cwd = tidyFolder();
	writeFileSync(join(cwd, 'file.bin'), 'some bytes');
	const args = ['torrent', 'seed', 'file.bin', '--quiet', '--app', server.url];
	const seed = shoal(args, { cwd });
	await seed.says(/#[0-9a-f]{40}\n/);
	await seed.interrupt();
	expect(seed.stdout).toMatch(/^http\S+\n$/);
	expect(seed.stderr).toBe('');
});

it.each([
	['a tracker', ['tracker', '--tracker-only', '--port', '0']],
	['a viewer that waits', ['watch', '-o', 'none.mp4']],
	['a relay that waits', ['relay']],
	['a seed that waits', ['seed', '-']],
])('Ctrl-C ends %s within two seconds, as it should end', async (_, args) => {
	const key = await run(['key', 'show']);
	expect(key.code).toBe(3); // there is none yet
	const link = `${server.url}/watch/#${'A'.repeat(42)}8`;
	const needsLink = ['watch', 'relay'].includes(args[0] ?? '');
	const app = args[0] === 'tracker' ? [] : ['--app', server.url];
	const command = shoal([...args, ...(needsLink ? [link] : []), ...app]);
	await command.says(/\S/);
	expect(await command.interrupt()).toBe(0);
});

it('keeps a key safe: made on first use, backed up, restored, never lost to another', async () => {
	const [one, other] = [tidyFolder(), tidyFolder()];
	const link = async (cwd: string) => {
		const seed = shoal(['seed', '-', '--app', server.url], { cwd });
		const [said] = await seed.says(/#\S{43}/);
		await seed.interrupt();
		return said;
	};
	const mine = await link(one);
	const backup = await run(['key', 'backup'], { cwd: one });
	writeFileSync(join(other, 'backup.key'), backup.stdout);
	expect(await run(['key', 'restore', 'backup.key'], { cwd: other })).toMatchObject({ code: 0 });
	expect(await link(other)).toBe(mine);
	const third = tidyFolder();
	const another = await link(third);
	expect(another).not.toBe(mine);
	const refused = await run(['key', 'restore', '-'], { cwd: third, input: backup.stdout });
	expect(refused.stderr).toMatch(/holds the key of another channel.*--force/);
	expect(refused.code).toBe(3);
	expect(await link(third)).toBe(another);
});

describe('the packed package', () => {
	it('runs in an empty folder beside nothing but what it depends on', async () => {
		const folder = tidyFolder();
		execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
			cwd: top,
			stdio: 'ignore',
		});
		const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
		execFileSync('tar', ['xzf', tarball], { cwd: folder });
		mkdirSync(join(folder, 'node_modules'));
		for (const name of [...Object.keys(about.dependencies), '@node-datachannel']) {
			symlinkSync(join(top, 'node_modules', name), join(folder, 'node_modules', name));
		}
		const program = join(folder, 'package/dist/node/cli.js');
		const says = async (...args: string[]) =>
			(await promisify(execFile)(process.execPath, [program, ...args], { cwd: folder })).stdout;
		expect(await says('--version')).toBe(`${about.version}\n`);
		writeFileSync(join(folder, 'file.bin'), 'some bytes');
		expect(await says('torrent', 'make', 'file.bin')).toBe('file.bin.torrent\n');
		expect(await says('torrent', 'info', 'file.bin.torrent')).toMatch(/Name +file\.bin/);
		// Nothing but the fault, also of what webtorrent misses there.
		const cut = spawnSync(
			process.execPath,
			[program, 'torrent', 'get', 'magnet:?dn=x', '--quiet'],
			{
				cwd: folder,
				encoding: 'utf8',
			},
		);
		expect(cut.stderr).toMatch(/^shoal: This magnet link names no torrent.*\n$/);
		const found = await says('doctor', '--app', server.url, '--json');
		expect(found).toMatch(/"check":"WebRTC","state":"ok"/);
		expect(found).toMatch(/"check":"Tracker","state":"ok"/);
		expect(readdirSync(join(folder, 'package'), { recursive: true }).join()).not.toMatch(
			/\.map\b|\.test\./,
		);
		expect(existsSync(join(folder, 'package/README.md'))).toBe(true);
	}, 60_000);

	it('brings the licence of every package that is in it', () => {
		const dir = join(top, 'dist/node');
		const maps = (readdirSync(dir, { recursive: true }) as string[]).filter((name) =>
			name.endsWith('.js.map'),
		);
		const sources = maps.flatMap(
			(name) =>
				(JSON.parse(readFileSync(join(dir, name), 'utf8')) as { sources: string[] }).sources,
		);
		const bundled = new Set(
			sources.flatMap(
				(source) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1] ?? [],
			),
		);
		expect(bundled.size).toBeGreaterThan(50);
		const text = readFileSync(join(dir, 'THIRD-PARTY-LICENSES.txt'), 'utf8');
		const told = new Set(
			[...text.matchAll(/^((?:@[^/\s]+\/)?\S+) \d+\.\d+\.\S+ \(/gm)].map((match) => match[1]),
		);
		expect([...bundled].filter((name) => !told.has(name))).toEqual([]);
		expect(text).toMatch(/Mozilla Public License/);
	});

	it('imports only what comes with Node and what it depends on', () => {
		const dir = join(top, 'dist/node');
		const files = (readdirSync(dir, { recursive: true }) as string[]).filter((name) =>
			name.endsWith('.js'),
		);
		const text = files.map((name) => readFileSync(join(dir, name), 'utf8')).join('\n');
		const named = [...text.matchAll(/^import (?:[^"'\n]* from )?"([^."][^"]*)";$/gm)].map(
			(match) => match[1] ?? '',
		);
		const foreign = named.filter(
			(name) => !name.startsWith('node:') && !builtinModules.includes(name),
		);
		expect(new Set(foreign.map((name) => name.split('/')[0]))).toEqual(
			new Set(Object.keys(about.dependencies)),
		);
	});
});
