import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../tracker-server/server.ts';
import { startServer } from '../tracker-server/server.ts';
import type { ClipOptions, Probed } from './testing/media.ts';
import { clipArgs, ffmpeg, hasFfmpeg, makeClip, probe, syncErrorS } from './testing/media.ts';
import { run, shoal, tidyFolder, tidyUp } from './testing/shoal.ts';

let server: RunningServer;
let site: string[];
beforeAll(async () => {
	server = await startServer({ host: 'localhost', stun: false });
	site = ['--app', server.url];
});
afterAll(async () => {
	await tidyUp();
	await server.close();
});

const LINK = /^http\S+\/watch\/#\S{43}$/m;

/** A live broadcast from ffmpeg through a pipe. */
async function broadcast(seconds: number, more: readonly string[] = []) {
	const seed = shoal(['seed', '-', ...site, ...more]);
	const source = ffmpeg(clipArgs({ seconds, live: true }, '-f', 'mpegts', '-'));
	source.stdout.pipe(seed.child.stdin);
	const [link] = await seed.says(LINK);
	return { seed, source, link };
}

describe.skipIf(!hasFfmpeg)('a broadcast from the command line', () => {
	it('goes from ffmpeg through a pipe to a viewer’s stdout, whole, with sound and picture in step', async () => {
		// Long enough for who takes ten seconds to join.
		const { seed, link } = await broadcast(20);
		const watch = shoal(['watch', link, '--stdout', '--timeout', '40']);
		// Both end by themselves, with the broadcast.
		expect([await seed.exit, await watch.exit]).toEqual([0, 0]);
		expect(seed.stdout).toBe(`${link}\n`);
		const file = join(tidyFolder(), 'got.mp4');
		writeFileSync(file, watch.bytes());
		const { streams, faults, durationS } = probe(file);
		expect(faults).toBe('');
		expect(streams.map(({ codec }) => codec)).toEqual(['h264', 'aac']);
		expect(durationS).toBeGreaterThan(3);
		const { pairs, worstS } = syncErrorS(file);
		expect(pairs).toBeGreaterThanOrEqual(2);
		// A picture is shown every 40 ms, and silence is told to 21 ms: beyond both, people notice.
		expect(worstS).toBeLessThan(0.08);
	});

	it('is served as HLS by a viewer and by a relay, for players without WebRTC', async () => {
		const { seed, source, link } = await broadcast(60);
		const serving = /^http\S+live\.m3u8$/m;
		const watch = shoal(['watch', link, '--http', '0']);
		const relay = shoal(['relay', link, '--http', '0']);
		for (const server of [watch, relay]) {
			const [address] = await server.says(serving);
			await expect.poll(async () => (await fetch(address)).status, { timeout: 30_000 }).toBe(200);
			const recorded = join(tidyFolder(), 'hls.mp4');
			const reader = ffmpeg(['-v', 'error', '-i', address, '-t', '2', '-c', 'copy', recorded]);
			expect(await new Promise((resolve) => reader.on('close', resolve))).toBe(0);
			const { streams, faults } = probe(recorded);
			expect(faults).toBe('');
			expect(streams.map(({ type }) => type).sort()).toEqual(['audio', 'video']);
		}
		const [address] = await watch.says(serving);
		const stream = await fetch(new URL('stream', address));
		expect(stream.headers.get('content-type')).toBe('video/mp4');
		const first = await stream.body?.getReader().read();
		expect(Buffer.from(first?.value ?? []).toString('latin1', 4, 8)).toBe('ftyp');
		expect((await fetch(new URL('nothing', address))).status).toBe(404);
		source.kill('SIGKILL');
		for (const command of [watch, relay, seed]) {
			expect(await command.interrupt()).toBe(0);
		}
	});

	it('plays in mpv and VLC, ends when they are closed, and says when there are none', async () => {
		const { source, link } = await broadcast(60);
		const folder = tidyFolder();
		// In the players' place, and reading as they do; after two seconds the person has seen enough.
		const read = 'exec ffmpeg -v error -y -i - -t 2 -c copy';
		for (const player of ['mpv', 'vlc']) {
			const script = `#!/bin/sh\necho "$@" > ${folder}/${player}.args\n${read} ${folder}/${player}.mp4\n`;
			writeFileSync(join(folder, player), script, { mode: 0o755 });
		}
		const env = { PATH: `${folder}:${process.env.PATH}` };
		const watching = ['mpv', 'vlc'].map((player) => shoal(['watch', link, `--${player}`], { env }));
		expect(await Promise.all(watching.map(({ exit }) => exit))).toEqual([0, 0]);
		for (const player of ['mpv', 'vlc']) {
			expect(readFileSync(join(folder, `${player}.args`), 'utf8')).toMatch(/ -\n$/);
			const { streams, faults } = probe(join(folder, `${player}.mp4`));
			expect(faults).toBe('');
			expect(streams.map(({ type }) => type).sort()).toEqual(['audio', 'video']);
		}
		const missing = await run(['watch', link, '--mpv'], { env: { PATH: tidyFolder() } });
		expect(missing.stderr).toMatch(/mpv can't be started: is it installed\?/);
		expect(missing.code).toBe(1);
		source.kill('SIGKILL');
	});

	it('goes on through B-frames, a leap of the clock and another format, and says what it met', async () => {
		const folder = tidyFolder();
		const video = ['libx264', '-preset', 'veryfast'];
		const clips: Record<string, ClipOptions> = {
			'b-frames.ts': { seconds: 3, bFrames: 2, video },
			'later.ts': { seconds: 3, bFrames: 2, video, more: ['-output_ts_offset', '500'] },
			'larger.ts': { seconds: 3, size: '640x360', more: ['-output_ts_offset', '503'] },
		};
		for (const [name, clip] of Object.entries(clips)) makeClip(join(folder, name), clip);
		const source = Buffer.concat(
			Object.keys(clips).map((name) => readFileSync(join(folder, name))),
		);
		writeFileSync(join(folder, 'all.ts'), source);
		const seed = shoal(['seed', 'all.ts', '--archive', 'kept.mp4', ...site], { cwd: folder });
		const [link] = await seed.says(LINK);
		const to = ['-o', 'got.mp4', '--from', 'window', '--timeout', '40'];
		const watch = shoal(['watch', link, ...to], { cwd: folder });
		expect([await seed.exit, await watch.exit]).toEqual([0, 0]);
		for (const said of [/B-frames/, /clock leapt/, /format has changed/]) {
			expect(seed.stderr).toMatch(said);
		}
		for (const name of ['kept', 'got']) {
			const [small, large] = [
				probe(join(folder, `${name}.mp4`)),
				probe(join(folder, `${name}-2.mp4`)),
			];
			expect(small.faults + large.faults).toBe('');
			expect(small.durationS).toBeGreaterThan(5.5);
			expect(small.durationS).toBeLessThan(6.5);
			const frames = (probed: Probed) =>
				probed.streams.find(({ type }) => type === 'video')?.packets;
			expect([frames(small), frames(large)]).toEqual([150, 75]);
			expect(syncErrorS(join(folder, `${name}.mp4`)).worstS).toBeLessThan(0.08);
		}
		expect(existsSync(join(folder, 'kept.mp4.torrent'))).toBe(true);
	});
});
