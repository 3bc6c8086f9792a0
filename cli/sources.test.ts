import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../tracker-server/server.ts';
import { startServer } from '../tracker-server/server.ts';
import { clipArgs, ffmpeg, hasFfmpeg, makeClip } from './testing/media.ts';
import { run, shoal, tidyFolder, tidyUp } from './testing/shoal.ts';

let server: RunningServer;
let site: string[];
let folder: string;
const here = (name: string) => join(folder, name);
beforeAll(async () => {
	server = await startServer({ host: 'localhost', stun: false });
	site = ['--app', server.url];
	folder = tidyFolder();
	if (!hasFfmpeg) return;
	makeClip(here('sparse.ts'), { seconds: 30, gop: 750 });
	makeClip(here('clip.flv'), { seconds: 1 });
	// Sound in the first second and from the 25th on; and 10 MB of picture between two pieces of sound.
	const silent = (until: number) => ['-af', `aselect='lt(t,1)+gt(t,${until})'`];
	makeClip(here('gap.ts'), { seconds: 27, more: silent(25) });
	const noise = ['libx264', '-preset', 'ultrafast', '-qp', '0', '-vf', 'noise=alls=100:allf=t'];
	makeClip(here('apart.ts'), { seconds: 9, video: noise, more: silent(8) });
	makeClip(here('index-behind.mp4'), { seconds: 6, video: noise });
});
afterAll(async () => {
	await tidyUp();
	await server.close();
});

describe.skipIf(!hasFfmpeg)('trouble in the midst of it', () => {
	it('key frames too far apart are told from media, with what to do', async () => {
		const { code, stderr } = await run(['seed', '-', ...site], {
			cwd: folder,
			input: readFileSync(here('sparse.ts')),
		});
		expect(stderr).toMatch(/more than 10 s apart/);
		expect(code).toBe(3);
	});

	it('a long gap in the sound is told from key frames too far apart', async () => {
		const { code, stderr } = await run(['seed', 'gap.ts', ...site], { cwd: folder });
		expect(stderr).toMatch(/Its sound stops for more than 10 s.*aresample/);
		expect(code).toBe(3);
	});

	it('picture and sound too far apart to be read together are said to be', async () => {
		expect(statSync(here('apart.ts')).size).toBeGreaterThan(10_000_000);
		const { code, stderr } = await run(['seed', 'apart.ts', ...site], { cwd: folder });
		expect(stderr).toMatch(/picture and sound lie too far apart: more than 6 MB/);
		expect(code).toBe(3);
	});

	it('an MP4 with its index at the end is sent from a file; from a pipe it can’t be', async () => {
		const bytes = readFileSync(here('index-behind.mp4'));
		expect(bytes.length).toBeGreaterThan(7_000_000);
		expect(bytes.toString('latin1', 0, 1000)).not.toContain('moov');
		const file = await run(['seed', 'index-behind.mp4', '--archive', 'sent.mp4', ...site], {
			cwd: folder,
		});
		expect(file.stderr).toMatch(/The broadcast has ended/);
		expect(file.code).toBe(0);
		expect(statSync(here('sent.mp4')).size).toBeGreaterThan(0.95 * bytes.length);
		const piped = await run(['seed', '-', ...site], { cwd: folder, input: bytes });
		expect(piped.stderr).toMatch(/its index is at its end.*Give the file by its name/);
		expect(piped.code).toBe(3);
	});

	it('FLV is said to need ffmpeg', async () => {
		const { code, stderr } = await run(['seed', 'clip.flv', ...site], { cwd: folder });
		expect(stderr).toMatch(/FLV too.*ffmpeg/);
		expect(code).toBe(3);
	});

	it('a second seed on a key is turned away, and the first isn’t disturbed; a dead one’s lock is taken over', async () => {
		const cwd = tidyFolder();
		const first = shoal(['seed', '-', ...site], { cwd });
		await first.says(/#/);
		const second = await run(['seed', '-', ...site], { cwd });
		expect(second.stderr).toMatch(/is broadcasting on the channel .* already; another --key/);
		expect(second.code).toBe(1);
		expect(first.child.exitCode).toBeNull();
		first.child.kill('SIGKILL');
		await first.exit;
		const third = shoal(['seed', '-', ...site], { cwd });
		expect((await third.says(/#\S+/))[0]).toBe(/#\S+/.exec(first.stdout)?.[0]);
		expect(await third.interrupt()).toBe(0);
		expect(statSync(join(cwd, 'shoal/channel.key')).mode & 0o777).toBe(0o600);
	});

	it('a source that stalls is said, and the broadcast goes on when it does', async () => {
		const seed = shoal(['seed', '-', ...site]);
		const source = ffmpeg(clipArgs({ seconds: 60, live: true }, '-f', 'mpegts', '-'));
		source.stdout.pipe(seed.child.stdin);
		await seed.says(/#/);
		await new Promise((resolve) => setTimeout(resolve, 2500));
		source.kill('SIGSTOP');
		await seed.says(/Nothing comes from the source/);
		source.kill('SIGCONT');
		await seed.says(/The source is back/);
		source.kill('SIGKILL');
		// The pipe is closed: what came is sent, and the broadcast ends.
		await seed.says(/The broadcast has ended/);
		expect(await seed.exit).toBe(0);
	});

	it('a full disk ends a recording and not the broadcast; a viewer’s says so and keeps what it has', async () => {
		const seed = shoal(['seed', '-', '--archive', '/dev/full', ...site]);
		const source = ffmpeg(clipArgs({ seconds: 60, live: true }, '-f', 'mpegts', '-'));
		source.stdout.pipe(seed.child.stdin);
		const [link] = await seed.says(/^http\S+$/m);
		const watch = shoal(['watch', link, '-o', '/dev/full', '--timeout', '30']);
		await seed.says(/disk is full.*goes on without/);
		expect(await watch.exit).toBe(1);
		expect(watch.stderr).toMatch(/The disk is full; what has come in is kept/);
		source.kill('SIGKILL');
		expect(await seed.exit).toBe(1);
		expect(seed.stderr).toMatch(/The broadcast has ended/);
	});

	it('a reader that leaves ends watching quietly', async () => {
		const seed = shoal(['seed', '-', ...site]);
		const source = ffmpeg(clipArgs({ seconds: 60, live: true }, '-f', 'mpegts', '-'));
		source.stdout.pipe(seed.child.stdin);
		const [link] = await seed.says(/^http\S+$/m);
		const watch = shoal(['watch', link]);
		await new Promise((resolve) => watch.child.stdout.once('data', resolve));
		watch.child.stdout.destroy();
		expect(await watch.exit).toBe(0);
		expect(watch.stderr).not.toMatch(/EPIPE|Error/);
		source.kill('SIGKILL');
		expect(await seed.exit).toBe(0);
	});
});

describe.skipIf(!hasFfmpeg)('other sources', () => {
	const sending = /"segments":[1-9]/;

	it('that nobody can join is said when no tracker answers', async () => {
		makeClip(here('alone.mp4'), { seconds: 4 });
		const seed = shoal(['seed', 'alone.mp4', '--tracker', 'ws://127.0.0.1:9/announce'], {
			cwd: here(''),
		});
		await seed.says(/No tracker answers, so nobody new can join/);
		expect(await seed.interrupt()).toBe(0);
	});

	it('a station on the web: its titles are kept, and it is called again when it breaks off', async () => {
		makeClip(here('song.mp3'), {
			seconds: 6,
			audio: ['libmp3lame', '-b:a', '64k'],
			more: ['-vn'],
		});
		const song = readFileSync(here('song.mp3'));
		const title = (text: string) => {
			const meta = `StreamTitle='${text}';`;
			const blocks = Math.ceil(meta.length / 16);
			return Buffer.concat([Buffer.from([blocks]), Buffer.from(meta.padEnd(blocks * 16, '\0'))]);
		};
		let calls = 0;
		const station = createServer((request, response) => {
			expect(request.headers['icy-metadata']).toBe('1');
			response.writeHead(200, { 'content-type': 'audio/mpeg', 'icy-metaint': '16000' });
			calls++;
			for (let at = 0; at < song.length; at += 16000) {
				const part = song.subarray(at, at + 16000);
				response.write(
					part.length === 16000 ? Buffer.concat([part, title(`Song ${calls}`)]) : part,
				);
			}
			if (calls === 1) setTimeout(() => response.destroy(), 300);
		});
		await new Promise<void>((resolve) => station.listen(0, 'localhost', resolve));
		const { port } = station.address() as AddressInfo;
		const seed = shoal(['seed', `http://localhost:${port}/`, '--json', ...site]);
		await seed.says(sending);
		await seed.says(/"title":"Song 1"/);
		await seed.says(/"title":"Song 2"/);
		expect(seed.stdout + seed.stderr).toMatch(/MP3 can’t be watched/);
		expect(await seed.interrupt()).toBe(0);
		station.close();
		station.closeAllConnections();
	});

	it('a sender over TCP, another after it, and none beside it', async () => {
		const seed = shoal(['seed', '--listen', 'tcp://127.0.0.1:0', ...site]);
		const [address] = await seed.says(/tcp:\/\/\S+/);
		const live = () => ffmpeg(clipArgs({ seconds: 60, live: true }, '-f', 'mpegts', address));
		const first = live();
		await seed.says(/A sender is here/);
		const { hostname, port } = new URL(address);
		const beside = connect(Number(port), hostname);
		await new Promise((resolve) => beside.on('close', resolve));
		await seed.says(/second sender was turned away/);
		first.kill('SIGKILL');
		await seed.says(/The sender has left; viewers wait/);
		const second = live();
		await seed.says(/A sender is back/);
		second.kill('SIGKILL');
		expect(await seed.interrupt()).toBe(0);
	});

	it('a sender over UDP', async () => {
		const seed = shoal(['seed', '--listen', 'udp://127.0.0.1:0', '--json', ...site]);
		const [address] = await seed.says(/udp:\/\/[\d.:]+/);
		const out = ['-f', 'mpegts', `${address}?pkt_size=1316`];
		const source = ffmpeg(clipArgs({ seconds: 60, live: true }, ...out));
		await seed.says(sending);
		source.kill('SIGKILL');
		await seed.says(/"type":"warning","text":"The sender has left/);
		const next = ffmpeg(clipArgs({ seconds: 60, live: true }, ...out));
		await seed.says(/A sender is back/);
		next.kill('SIGKILL');
		expect(await seed.interrupt()).toBe(0);
	});

	it.each<[string, string[], string[]]>([
		[
			'fragmented MP4',
			['libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
			['-f', 'mp4', '-movflags', 'frag_keyframe+empty_moov'],
		],
		['WebM', ['libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '200k'], ['-f', 'webm']],
		['Matroska', ['libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'], ['-f', 'matroska']],
	])('%s through a pipe', async (name, video, out) => {
		const audio = name === 'WebM' ? ['libopus', '-b:a', '48k'] : undefined;
		const seed = shoal(['seed', '-', '--json', ...site]);
		const source = ffmpeg(clipArgs({ seconds: 4, video, audio }, ...out, '-'));
		source.stdout.pipe(seed.child.stdin);
		await seed.says(/"type":"ended","segments":[45]/);
		expect(await seed.exit).toBe(0);
	});
});
