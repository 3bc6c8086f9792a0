import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import WebTorrent from 'webtorrent';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../tracker-server/server.ts';
import { startServer } from '../tracker-server/server.ts';
import { clipArgs, ffmpeg, hasFfmpeg, probe } from './testing/media.ts';
import { run, shoal, tidyFolder, tidyUp } from './testing/shoal.ts';

let server: RunningServer;
let folder: string;
let site: string[];
beforeAll(async () => {
	server = await startServer({ host: 'localhost', stun: false });
	folder = tidyFolder();
	site = ['--app', server.url];
});
afterAll(async () => {
	await tidyUp();
	await server.close();
});

const sha1 = (bytes: Uint8Array) => createHash('sha1').update(bytes).digest('hex');

/** What the unmodified package fetches, over HTTP announces and TCP as a desktop client does. */
async function fetchWithStock(torrent: Buffer): Promise<Buffer> {
	const path = join(folder, `stock-${Math.random().toString(36).slice(2)}`);
	mkdirSync(path);
	const off = { dht: false, lsd: false, utPex: false, natUpnp: false, natPmp: false, utp: false };
	const client = new WebTorrent(off);
	try {
		const added = client.add(torrent, { path, announce: [`${server.url}/announce`] });
		await new Promise<void>((resolve, reject) => {
			added.on('done', () => resolve());
			added.on('error', reject);
		});
		return readFileSync(join(path, added.files[0]?.path ?? ''));
	} finally {
		await new Promise<void>((resolve) => client.destroy(() => resolve()));
	}
}

describe.skipIf(!hasFfmpeg)('archives', () => {
	it('a broadcast, its window and a single segment are torrents that a stock client fetches byte-exact', async () => {
		const plain = ['--tracker', `${server.url}/announce`, '--tracker', server.announceUrl];
		const seed = shoal(['seed', '-', '--archive', 'all.mp4', ...site], { cwd: folder });
		const source = ffmpeg(clipArgs({ seconds: 90, live: true }, '-f', 'mpegts', '-'));
		source.stdout.pipe(seed.child.stdin);
		const [link] = await seed.says(/^http\S+$/m);
		const relay = shoal(['relay', link, '--json'], { cwd: folder });
		await relay.says(/"segments":([4-9]|\d\d)/);
		source.kill('SIGKILL');
		expect(await seed.exit).toBe(0);

		// The broadcaster is gone: the relay holds the window, and it becomes torrents.
		const args = ['archive', link, '-o', 'window.mp4', '--segments', 'pieces'];
		const archived = await run(args, { cwd: folder });
		expect(archived.stderr).toMatch(/Its replay will be at http\S+\/watch\/#[0-9a-f]{40}/);
		expect(archived.code).toBe(0);
		await relay.interrupt();
		const { faults, durationS } = probe(join(folder, 'window.mp4'));
		expect(faults).toBe('');
		expect(durationS).toBeGreaterThan(2);

		const sharing = shoal(['torrent', 'seed', 'all.mp4', 'window.mp4', ...site, ...plain], {
			cwd: folder,
		});
		await sharing.says(/#[0-9a-f]{40}\n[^]*#[0-9a-f]{40}\n/);
		const [segment = ''] = readdirSync(join(folder, 'pieces')).filter((name) => /^\d+$/.test(name));
		const piece = `pieces/${segment}.torrent`;
		const one = shoal(
			['torrent', 'get', piece, '-o', `pieces/${segment}`, '--seed', ...site, ...plain],
			{
				cwd: folder,
			},
		);
		await one.says(/It is here/);
		for (const [torrent, file] of [
			['all.mp4.torrent', 'all.mp4'],
			['window.mp4.torrent', 'window.mp4'],
			[piece, `pieces/${segment}/segment`],
		] as const) {
			const got = await fetchWithStock(readFileSync(join(folder, torrent)));
			expect(sha1(got)).toBe(sha1(readFileSync(join(folder, file))));
		}
		expect(await sharing.interrupt()).toBe(0);
		expect(await one.interrupt()).toBe(0);
	});
});
