import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A live recording cut into segments, as the page gets it. */
export interface Media {
	readonly mime: string;
	/** Base64. */
	readonly init: string;
	readonly segments: readonly MediaSegment[];
}

/** One segment of a recording. */
export interface MediaSegment {
	/** Base64. */
	readonly bytes: string;
	readonly startUs: number;
	readonly durationUs: number;
	readonly isKey: boolean;
}

const VIDEO = {
	h264: {
		args: '-c:v libx264 -profile:v baseline -preset veryfast -tune zerolatency -sc_threshold 0',
		codecs: 'avc1.42c01e',
		type: 'mp4',
	},
	vp9: {
		args: '-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -lag-in-frames 0',
		codecs: 'vp09.00.21.08',
		type: 'mp4',
	},
	vp8: {
		args: '-c:v libvpx -deadline realtime -cpu-used 8 -lag-in-frames 0',
		codecs: 'vp8',
		type: 'webm',
	},
} as const;

/** How a recording is made. */
export interface Recipe {
	readonly seconds: number;
	/** Frames from key frame to key frame; 30 frames a second. */
	readonly keyEvery: number;
	readonly segmentMs: number;
	/** VP8 comes as WebM, the others as fragmented MP4. */
	readonly codec?: keyof typeof VIDEO;
	readonly hasAudio?: boolean;
	/** `WIDTHxHEIGHT`. */
	readonly size?: string;
}

/** Whether recordings can be made here. */
export function hasFfmpeg(): boolean {
	return spawnSync('ffmpeg', ['-version']).status === 0;
}

/** Records a moving picture and a tone as fragmented MP4 and cuts it at its fragments. */
export function record(recipe: Recipe): Media {
	const { seconds, keyEvery, segmentMs, codec = 'h264', hasAudio = true } = recipe;
	const { size = '640x360' } = recipe;
	const { args: video, codecs, type } = VIDEO[codec];
	const folder = mkdtempSync(join(tmpdir(), 'shoal-media-'));
	const file = join(folder, `media.${type}`);
	const tone = '-f lavfi -i sine=frequency=440:beep_factor=4:sample_rate=48000';
	const mp4 = `-movflags +frag_keyframe+empty_moov+default_base_moof -frag_duration ${segmentMs * 1000}`;
	const command = [
		`-v error -f lavfi -i testsrc2=size=${size}:rate=30 ${hasAudio ? tone : ''} -t ${seconds}`,
		`${video} -bf 0 -g ${keyEvery} -keyint_min ${keyEvery} -b:v 900k -pix_fmt yuv420p`,
		hasAudio ? '-c:a libopus -b:a 64k -application lowdelay -frame_duration 20' : '',
		type === 'mp4' ? mp4 : '-live 1 -cluster_time_limit 30000',
	];
	const args = command.join(' ').split(/\s+/).filter(Boolean);
	try {
		const made = spawnSync('ffmpeg', [...args, file], { encoding: 'utf8' });
		if (made.status !== 0) throw new Error(`ffmpeg: ${made.stderr}`);
		const mime = `video/${type}; codecs="${codecs}${hasAudio ? ',opus' : ''}"`;
		const bytes = readFileSync(file);
		return type === 'mp4'
			? cutMp4(bytes, mime)
			: cutWebm(bytes, { mime, keyMs: (keyEvery * 1000) / 30 });
	} finally {
		rmSync(folder, { recursive: true });
	}
}

interface Box {
	readonly type: string;
	readonly bytes: Buffer;
}

/** The boxes (ISO 14496-12 §4.2) in some bytes. */
function boxes(bytes: Buffer, from = 0): Box[] {
	const found: Box[] = [];
	for (let at = from; at < bytes.length;) {
		const length = bytes.readUInt32BE(at);
		found.push({
			type: bytes.toString('latin1', at + 4, at + 8),
			bytes: bytes.subarray(at, at + length),
		});
		at += length;
	}
	return found;
}

function find(inside: readonly Box[], type: string): Buffer {
	const box = inside.find((candidate) => candidate.type === type);
	if (!box) throw new Error(`no ${type} box`);
	return box.bytes;
}

/** Cuts a fragmented MP4 whose first track is the video. */
function cutMp4(file: Buffer, mime: string): Media {
	const all = boxes(file);
	const moov = find(all, 'moov');
	const mdhd = find(boxes(find(boxes(find(boxes(moov, 8), 'trak'), 8), 'mdia'), 8), 'mdhd');
	const timescale = mdhd.readUInt32BE(mdhd[8] === 1 ? 28 : 20);
	const segments: MediaSegment[] = [];
	for (const [index, box] of all.entries()) {
		if (box.type !== 'moof') continue;
		const { start, length, isKey } = readTrack(find(boxes(box.bytes, 8), 'traf'));
		segments.push({
			bytes: Buffer.concat([box.bytes, all[index + 1]?.bytes ?? Buffer.alloc(0)]).toString(
				'base64',
			),
			startUs: Math.round((start / timescale) * 1e6),
			durationUs: Math.round((length / timescale) * 1e6),
			isKey,
		});
	}
	const init = Buffer.concat([find(all, 'ftyp'), moov]).toString('base64');
	return { mime, init, segments };
}

/** Start, length and first sample of a track fragment (ISO 14496-12 §8.8.6–8). */
function readTrack(traf: Buffer): { start: number; length: number; isKey: boolean } {
	const parts = boxes(traf, 8);
	const tfdt = find(parts, 'tfdt');
	const start = tfdt[8] === 1 ? Number(tfdt.readBigUInt64BE(12)) : tfdt.readUInt32BE(12);

	const tfhd = find(parts, 'tfhd');
	const defaults = tfhd.readUInt32BE(8) & 0xffffff;
	let at = 16 + (defaults & 1 ? 8 : 0) + (defaults & 2 ? 4 : 0);
	const duration = defaults & 8 ? tfhd.readUInt32BE(at) : 0;
	at += (defaults & 8 ? 4 : 0) + (defaults & 16 ? 4 : 0);
	let firstFlags = defaults & 32 ? tfhd.readUInt32BE(at) : 0;

	const trun = find(parts, 'trun');
	const has = trun.readUInt32BE(8) & 0xffffff;
	const samples = trun.readUInt32BE(12);
	at = 16 + (has & 1 ? 4 : 0);
	if (has & 4) firstFlags = trun.readUInt32BE(at);
	at += has & 4 ? 4 : 0;
	let length = 0;
	for (let i = 0; i < samples; i++) {
		length += has & 0x100 ? trun.readUInt32BE(at) : duration;
		at += has & 0x100 ? 4 : 0;
		at += has & 0x200 ? 4 : 0;
		if (has & 0x400 && i === 0) firstFlags = trun.readUInt32BE(at);
		at += has & 0x400 ? 4 : 0;
		at += has & 0x800 ? 4 : 0;
	}
	// sample_is_non_sync_sample
	return { start, length, isKey: (firstFlags & 0x10000) === 0 };
}

const CLUSTER = Buffer.from([0x1f, 0x43, 0xb6, 0x75]);
const TIMESTAMP = 0xe7;

/** Cuts a WebM file at the clusters (RFC 9559 §5.1.3) that begin with a key frame; its times are milliseconds. */
function cutWebm(file: Buffer, { mime, keyMs }: { mime: string; keyMs: number }): Media {
	const starts: number[] = [];
	const times: number[] = [];
	for (let at = file.indexOf(CLUSTER); at >= 0; at = file.indexOf(CLUSTER, at + 4)) {
		const sizeBytes = Math.clz32(file.readUInt8(at + 4)) - 23;
		const timestamp = at + 4 + sizeBytes;
		if (file[timestamp] !== TIMESTAMP) continue;
		const timeMs = file.readUIntBE(timestamp + 2, file.readUInt8(timestamp + 1) & 0x7f);
		if ((timeMs + 30) % keyMs > 60) continue; // begins between key frames
		starts.push(at);
		times.push(timeMs * 1000);
	}
	const segments = starts.slice(0, -1).map((start, i) => ({
		bytes: file.subarray(start, starts[i + 1]).toString('base64'),
		startUs: times[i]!,
		durationUs: times[i + 1]! - times[i]!,
		isKey: true,
	}));
	return { mime, init: file.subarray(0, starts[0]).toString('base64'), segments };
}
