import { CHANNELS, SAMPLE_RATE } from './audio-timeline.ts';
import { AUDIO_PACKET_MS } from './profile.ts';

/** What is known of the video when a codec is chosen. */
export interface VideoShape {
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
	readonly bps: number;
}

/** H.264 levels: macroblocks a second and a frame at most (ITU-T H.264 table A-1). */
const AVC_LEVELS: readonly [hex: string, perSecond: number, perFrame: number][] = [
	['1e', 40_500, 1620],
	['1f', 108_000, 3600],
	['28', 245_760, 8192],
	['2a', 522_240, 8704],
	['33', 983_040, 36_864],
	['34', 2_073_600, 36_864],
];

/** VP9 levels: luma samples a second and a frame at most (VP9 levels, webmproject.org). */
const VP9_LEVELS: readonly [name: string, perSecond: number, perFrame: number][] = [
	['30', 20_736_000, 552_960],
	['31', 36_864_000, 983_040],
	['40', 83_558_400, 2_228_224],
	['41', 160_432_128, 2_228_224],
	['51', 588_251_136, 8_912_896],
];

/**
 * Video configurations to try, best first: H.264 High, Main, Constrained Baseline, then VP9.
 * `realtime` also means that no frame is coded out of order. No content hint is given: with `detail`,
 * Chromium's H.264 takes up to six times the bitrate it was given, and ten times the work.
 */
export function videoCandidates(shape: VideoShape): VideoEncoderConfig[] {
	const { width, height, frameRate, bps } = shape;
	const blocks = Math.ceil(width / 16) * Math.ceil(height / 16);
	const avc = levelFor(AVC_LEVELS, blocks * frameRate, blocks);
	const vp9 = levelFor(VP9_LEVELS, width * height * frameRate, width * height);
	const common = {
		width,
		height,
		framerate: frameRate,
		bitrate: bps,
		latencyMode: 'realtime',
	} satisfies Partial<VideoEncoderConfig>;
	const names = [`avc1.6400${avc}`, `avc1.4d00${avc}`, `avc1.42e0${avc}`, `vp09.00.${vp9}.08`];
	return names.map((codec) => ({
		...common,
		codec,
		...(codec.startsWith('avc1') ? { avc: { format: 'avc' } } : {}),
	}));
}

function levelFor(
	levels: readonly [string, number, number][],
	perSecond: number,
	perFrame: number,
): string {
	const fits = levels.find(([, second, frame]) => perSecond <= second && perFrame <= frame);
	return (fits ?? levels.at(-1))?.[0] ?? '';
}

/** Opus as it is sent, whatever the source. */
export function audioConfig(bps: number): AudioEncoderConfig {
	return {
		codec: 'opus',
		sampleRate: SAMPLE_RATE,
		numberOfChannels: CHANNELS,
		bitrate: bps,
		opus: { frameDuration: AUDIO_PACKET_MS * 1000 },
	};
}

/** The size that a picture is sent at: its own shape, within the bounds, in even numbers. Never enlarged. */
export function fitInto(
	picture: { width: number; height: number },
	bounds: { width: number; height: number },
): { width: number; height: number } {
	const scale = Math.min(1, bounds.width / picture.width, bounds.height / picture.height);
	return { width: even(picture.width * scale), height: even(picture.height * scale) };
}

/** Bits a pixel below which H.264 can't keep to its bitrate at 30 frames a second: measured at 0.03 to 0.045. */
const LEAST_BITS = 0.035;
/** A larger size is only gone back to with this much, so that sizes do not flutter. */
const AMPLE_BITS = 0.05;
const SCALES = [1, 0.75, 0.5, 0.25];

/**
 * The scale of the picture that a bitrate can carry: 1, ¾, ½ or ¼ of its full length and height.
 * `current` is the scale it has now.
 */
export function scaleFor(
	full: { width: number; height: number },
	rate: { bps: number; frameRate: number },
	current: number,
): number {
	const bits = rate.bps / (full.width * full.height * rate.frameRate);
	const carries = (scale: number) =>
		bits / (scale * scale) >= (scale > current ? AMPLE_BITS : LEAST_BITS);
	return SCALES.find(carries) ?? SCALES.at(-1) ?? 1;
}

/** The next smaller scale, or the smallest. */
export function smallerScale(scale: number): number {
	return SCALES.find((other) => other < scale) ?? scale;
}

/** The next larger scale, or full size. */
export function largerScale(scale: number): number {
	return SCALES.findLast((other) => other > scale) ?? scale;
}

function even(length: number): number {
	return Math.max(2, Math.round(length / 2) * 2);
}
