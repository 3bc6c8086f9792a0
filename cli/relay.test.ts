import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../tracker-server/server.ts';
import { startServer } from '../tracker-server/server.ts';
import { clipArgs, ffmpeg, hasFfmpeg, probe } from './testing/media.ts';
import { run, shoal, tidyFolder, tidyUp } from './testing/shoal.ts';

let server: RunningServer;
beforeAll(async () => {
	server = await startServer({ host: 'localhost', stun: false });
});
afterAll(async () => {
	await tidyUp();
	await server.close();
});

const CAP_BPS = 1_500_000;
/** Hard to encode: as many bits as it may have, 1 Mbit/s. */
const NOISE = ['-preset', 'ultrafast', '-b:v', '1M', '-maxrate', '1M', '-bufsize', '500k'];

describe.skipIf(!hasFfmpeg)('a relay', () => {
	it('carries several channels at once, after their broadcasters too, and no faster than it may', async () => {
		const video = ['libx264', ...NOISE, '-pix_fmt', 'yuv420p', '-vf', 'noise=alls=100:allf=t'];
		const sources: { kill(signal: 'SIGKILL'): void }[] = [];
		const seeds = ['one', 'two'].map((title) => {
			const seed = shoal(['seed', '-', '--title', title, '--app', server.url]);
			const source = ffmpeg(clipArgs({ seconds: 90, live: true, video }, '-f', 'mpegts', '-'));
			source.stdout.pipe(seed.child.stdin);
			sources.push(source);
			return seed;
		});
		const links = await Promise.all(
			seeds.map(async (seed) => (await seed.says(/^http\S+$/m))[0] ?? ''),
		);
		const limit = String(CAP_BPS / 1e6);
		const relay = shoal(['relay', ...links, '--up-limit', limit, '--json']);
		for (const link of links) {
			const channel = link.split('#')[1];
			await relay.says(new RegExp(`"channel":"${channel}".*"segments":([5-9]|\\d\\d)`));
		}
		for (const source of sources) source.kill('SIGKILL');
		expect(await Promise.all(seeds.map(({ exit }) => exit))).toEqual([0, 0]);

		const folder = tidyFolder();
		const beganMs = performance.now();
		const archived = await Promise.all(
			links.map((link, i) => run(['archive', link, '-o', `${i}.mp4`], { cwd: folder })),
		);
		const tookS = (performance.now() - beganMs) / 1000;
		expect(archived.map(({ code }) => code)).toEqual([0, 0]);
		let bits = 0;
		for (const i of links.keys()) {
			const file = join(folder, `${i}.mp4`);
			const { faults, durationS } = probe(file);
			expect(faults).toBe('');
			expect(durationS).toBeGreaterThan(3);
			bits += 8 * statSync(file).size;
		}
		// All of it came from the relay. A slow machine takes longer, and none may be quicker; a burst of a second is allowed.
		expect(tookS).toBeGreaterThan(bits / CAP_BPS - 1);
		expect(await relay.interrupt()).toBe(0);
	});
});
