import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { findProgram } from '../../scripts/find-program.mjs';

/** Whether media can be made and looked at here; tests that need it are skipped where not. */
export const hasFfmpeg = !!findProgram('ffmpeg') && !!findProgram('ffprobe');

const FLASH = `drawbox=t=fill:color=white:enable='lt(mod(t,1),0.12)'`;
const BEEP = `aevalsrc='if(lt(mod(t,1),0.12),0.8*sin(2*PI*1000*t),0)':s=48000`;

/** How a clip is encoded. */
export interface ClipOptions {
	readonly seconds: number;
	/** As fast as it plays. */
	readonly live?: boolean;
	/** Frames between key frames, of 25 a second. */
	readonly gop?: number;
	readonly bFrames?: number;
	readonly size?: string;
	readonly video?: readonly string[] | undefined;
	readonly audio?: readonly string[] | undefined;
	/** ffmpeg's arguments before the output. */
	readonly more?: readonly string[];
}

/** ffmpeg's arguments for a clip that flashes and beeps at every full second. */
export function clipArgs(options: ClipOptions, ...output: readonly string[]): string[] {
	const { seconds, live = false, gop = 25, bFrames = 0, size = '320x180', more = [] } = options;
	const x264 = ['libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-b:v', '300k'];
	const { video = x264, audio = ['aac', '-b:a', '64k'] } = options;
	const pace = live ? ['-re'] : [];
	return [
		...['-v', 'error', '-y'],
		...[...pace, '-f', 'lavfi', '-i', `color=black:s=${size}:r=25:d=${seconds},${FLASH}`],
		...[...pace, '-f', 'lavfi', '-i', `${BEEP}:d=${seconds}`],
		...['-c:v', ...video, '-g', String(gop), '-bf', String(bFrames)],
		...['-c:a', ...audio],
		...more,
		...output,
	];
}

/** Makes a clip. */
export function makeClip(path: string, options: ClipOptions): void {
	execFileSync('ffmpeg', clipArgs(options, path), { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Starts ffmpeg with its output on a pipe. */
export function ffmpeg(args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
	return spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** What ffprobe finds in a file or at an address. */
export interface Probed {
	readonly format: string;
	readonly durationS: number;
	readonly streams: readonly { codec: string; type: string; packets: number }[];
	/** What ffmpeg complains about while decoding all of it; empty for a clean file. */
	readonly faults: string;
}

/** Reads a file or an address to its end. */
export function probe(source: string): Probed {
	const show = ['-show_entries', 'format=format_name,duration:stream=codec_name,codec_type'];
	const text = execFileSync(
		'ffprobe',
		[
			'-v',
			'error',
			'-count_packets',
			...show,
			'-show_entries',
			'stream=nb_read_packets',
			'-of',
			'json',
			source,
		],
		{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 },
	);
	const told = JSON.parse(text) as {
		format: { format_name: string; duration: string };
		streams: { codec_name: string; codec_type: string; nb_read_packets: string }[];
	};
	return {
		format: told.format.format_name,
		durationS: Number(told.format.duration),
		streams: told.streams.map(({ codec_name, codec_type, nb_read_packets }) => ({
			codec: codec_name,
			type: codec_type,
			packets: Number(nb_read_packets),
		})),
		faults: stderrOf(['-v', 'warning', '-i', source, '-f', 'null', '-']),
	};
}

/** When pictures flash and when it beeps, seconds, decoded. */
export function flashesAndBeeps(source: string): { flashesS: number[]; beepsS: number[] } {
	const log = stderrOf([
		...['-i', source, '-vf', 'blackdetect=d=0.2:pix_th=0.2', '-af', 'silencedetect=n=-30dB:d=0.2'],
		...['-f', 'null', '-'],
	]);
	const all = (pattern: RegExp) => [...log.matchAll(pattern)].map((match) => Number(match[1]));
	return { flashesS: all(/black_end:([\d.]+)/g), beepsS: all(/silence_end: ([\d.]+)/g) };
}

/** The largest distance between a flash and the beep that belongs to it, seconds. */
export function syncErrorS(source: string): { pairs: number; worstS: number } {
	const { flashesS, beepsS } = flashesAndBeeps(source);
	let [pairs, worstS] = [0, 0];
	for (const flash of flashesS) {
		const near = Math.min(...beepsS.map((beep) => Math.abs(beep - flash)));
		if (near > 0.5) continue; // one of both was cut off at an end
		pairs++;
		worstS = Math.max(worstS, near);
	}
	return { pairs, worstS };
}

function stderrOf(args: readonly string[]): string {
	const { stderr } = spawnSync('ffmpeg', ['-nostdin', '-hide_banner', ...args], {
		encoding: 'utf8',
		timeout: 60_000,
	});
	return stderr;
}
