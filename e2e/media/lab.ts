import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';

/** A page with sources and encoders, served on a free port. */
export interface LabSite {
	readonly url: string;
	close(): Promise<void>;
}

const PAGES: Record<string, string> = {
	'/': '<!doctype html><title>Lab</title><script type="module" src="/lab-page.js"></script>',
	'/framed': '<!doctype html><title>Frame</title><iframe sandbox="allow-scripts" src="/"></iframe>',
};

/** Bundles the page as it is bundled for people, worker and all, and serves it, with a film of 20 s. */
export async function openLabSite(): Promise<LabSite> {
	const files = await bundle(join(import.meta.dirname, 'lab-page.ts'));
	const folder = mkdtempSync(join(tmpdir(), 'shoal-lab-'));
	const film = join(folder, 'film.mp4');
	makeFilm(film);
	files.set('/film.mp4', readFileSync(film));
	rmSync(folder, { recursive: true });
	const types = { js: 'text/javascript', mp4: 'video/mp4' };
	const server = createServer((request, response) => {
		const path = new URL(request.url ?? '/', 'http://lab').pathname;
		const body = files.get(path);
		const type = types[path.split('.').pop() as keyof typeof types] ?? 'text/html';
		// A sandboxed frame is of no origin and still loads the page.
		response.setHeader('access-control-allow-origin', '*');
		response.setHeader('content-type', type).end(body ?? PAGES[path] ?? '');
	});
	await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://localhost:${port}/`,
		async close() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

async function bundle(entry: string): Promise<Map<string, string | Uint8Array>> {
	const built = await build({
		configFile: false,
		logLevel: 'warn',
		base: '/',
		worker: { format: 'es' },
		build: {
			write: false,
			minify: false,
			target: 'es2022',
			modulePreload: false,
			rolldownOptions: { input: entry, output: { entryFileNames: '[name].js' } },
		},
	});
	const [output] = Array.isArray(built) ? built : [built];
	if (!output || !('output' in output)) throw new Error('vite built nothing');
	return new Map(
		output.output.map((file) => [`/${file.fileName}`, 'code' in file ? file.code : file.source]),
	);
}

/** A grey film whose picture turns white and whose sound beeps in the first tenth of every second. */
function makeFilm(path: string): void {
	const flash =
		"color=gray:size=640x360:rate=30,drawbox=color=white:t=fill:enable='lt(mod(t,1),0.1)'";
	const beep = "aevalsrc='if(lt(mod(t,1),0.1),0.8*sin(2*PI*1000*t),0)':s=44100";
	execFileSync(
		'ffmpeg',
		[
			...['-v', 'error', '-y', '-f', 'lavfi', '-i', flash, '-f', 'lavfi', '-i', beep, '-t', '20'],
			...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', path],
		],
		{ stdio: ['ignore', 'ignore', 'inherit'] },
	);
}

/** One packet of a file. */
export interface ProbedPacket {
	readonly track: 'video' | 'audio';
	readonly startS: number;
	readonly isKey: boolean;
}

/** What ffprobe says about a file. */
export interface Probed {
	/** Everything it complained about; empty for a sound file. */
	readonly complaints: string;
	readonly codecs: readonly string[];
	readonly packets: readonly ProbedPacket[];
	/** Frames that could be decoded. */
	readonly videoFrames: number;
	readonly audioFrames: number;
}

/** Reads and decodes a file given in base64. */
export function probe(base64: string): Probed {
	return withFile(base64, (path) => {
		const shown = [
			'-show_entries',
			'stream=codec_name,codec_type,nb_read_frames:packet=codec_type,pts_time,flags',
		];
		const args = ['-v', 'error', '-count_frames', ...shown, '-show_packets', '-of', 'json', path];
		const { stdout, stderr } = spawnSync('ffprobe', args, { encoding: 'utf8', maxBuffer: 1e8 });
		const told = JSON.parse(stdout) as {
			packets: { codec_type: 'video' | 'audio'; pts_time: string; flags: string }[];
			streams: { codec_name: string; codec_type: string; nb_read_frames: string }[];
		};
		const frames = (type: string) =>
			Number(told.streams.find((stream) => stream.codec_type === type)?.nb_read_frames);
		return {
			complaints: stderr,
			codecs: told.streams.map((stream) => stream.codec_name),
			packets: told.packets.map((packet) => ({
				track: packet.codec_type,
				startS: Number(packet.pts_time),
				isKey: packet.flags.includes('K'),
			})),
			videoFrames: frames('video'),
			audioFrames: frames('audio'),
		};
	});
}

/** Mean brightness (0–255) of each frame with its time, and the loudness peaks (0–1) of each 10 ms. */
export function flashesAndBeeps(base64: string): { flashesS: number[]; beepsS: number[] } {
	return withFile(base64, (path) => {
		const run = (args: string[]) =>
			spawnSync('ffmpeg', ['-v', 'error', '-copyts', '-i', path, ...args], { maxBuffer: 1e9 });
		const levels = run([
			...['-map', '0:v', '-vf', 'scale=16:16,format=gray,showinfo', '-fps_mode', 'passthrough'],
			...['-loglevel', 'info', '-f', 'null', '-'],
		]).stderr.toString();
		const frames = [...levels.matchAll(/pts_time:([\d.]+).*?mean:\[(\d+)/g)].map((found) => ({
			atS: Number(found[1]),
			isOn: Number(found[2]) > 190,
		}));
		const sound = run([
			'-map',
			'0:a',
			'-af',
			'aresample=async=1:first_pts=0',
			'-ac',
			'1',
			'-ar',
			'48000',
			'-f',
			'f32le',
			'-',
		]).stdout;
		const samples = new Float32Array(
			sound.buffer.slice(sound.byteOffset, sound.byteOffset + sound.length),
		);
		const peaks: { atS: number; isOn: boolean }[] = [];
		for (let at = 0; at + 240 <= samples.length; at += 240) {
			const peak = samples
				.subarray(at, at + 240)
				.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
			peaks.push({ atS: at / 48_000, isOn: peak > 0.15 });
		}
		return { flashesS: onsets(frames), beepsS: onsets(peaks) };
	});
}

/** Times at which something goes on after it was off for 0.3 s. */
function onsets(values: readonly { atS: number; isOn: boolean }[]): number[] {
	const found: number[] = [];
	let lastOnS = 0;
	for (const { atS, isOn } of values) {
		if (isOn && atS - lastOnS > 0.3) found.push(atS);
		if (isOn) lastOnS = atS;
	}
	return found;
}

function withFile<T>(base64: string, work: (path: string) => T): T {
	const folder = mkdtempSync(join(tmpdir(), 'shoal-probe-'));
	const path = join(folder, 'media.mp4');
	try {
		writeFileSync(path, Buffer.from(base64, 'base64'));
		return work(path);
	} finally {
		rmSync(folder, { recursive: true });
	}
}
