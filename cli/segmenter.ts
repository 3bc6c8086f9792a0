import type {
	AudioCodec,
	EncodedPacket,
	InputAudioTrack,
	InputVideoTrack,
	VideoCodec,
} from 'mediabunny';
import {
	EncodedAudioPacketSource,
	EncodedVideoPacketSource,
	Mp4OutputFormat,
	NullTarget,
	Output,
	WebMOutputFormat,
} from 'mediabunny';
import type { EncodedSegment } from '../src/lib/node.ts';
import { CliError, EXIT } from './cli-error.ts';
import { readFragmentTime, readTimescale } from './fragment-time.ts';
import { clearTimes } from './moov-times.ts';

/** What a segment may last, microseconds; viewers refuse longer ones. */
const MAX_SEGMENT_US = 10_000_000;
/** Key frames farther apart than this make joining slow. */
const SLOW_GOP_US = 3_000_000;
const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;

const FEW_KEY_FRAMES =
	'Its key frames are more than 10 s apart. Encode with one a second: ffmpeg -i SOURCE -c:v libx264 -g 30 -bf 0 -c:a aac -f mpegts - | shoal seed -';

const SOUND_GAP =
	'Its sound stops for more than 10 s while the picture goes on, which can’t be sent. ffmpeg fills the gap with silence: ffmpeg -i SOURCE -c:v copy -af aresample=async=1 -c:a aac -f mpegts - | shoal seed -';

type Kind = 'video' | 'audio';

/**
 * Packs packets into an init segment and media segments that each begin with a key frame: fragmented MP4, or WebM for the
 * codecs that MP4 lacks.
 */
export class Segmenter {
	readonly #tracks: {
		readonly video: InputVideoTrack | undefined;
		readonly audio: InputAudioTrack | undefined;
	};
	readonly #segmentS: number;
	readonly #onWarning: (text: string) => void;
	readonly #emit: (segment: EncodedSegment) => void;
	readonly #fail: (error: unknown) => void;
	readonly #primary: Kind;
	#output: Output | undefined;
	#sources: { video?: EncodedVideoPacketSource; audio?: EncodedAudioPacketSource } = {};
	#headers: Uint8Array[] = [];
	#init: EncodedSegment['init'] | undefined;
	#mime = '';
	#moof: Uint8Array | undefined;
	#timescale: number | undefined;
	#cluster: { bytes: Uint8Array; startS: number } | undefined;
	/** Where the segment under way begins, and where its track is now, seconds. */
	#segmentStartS: number | undefined;
	#endS = 0;
	/** Where the next segment could begin, were the other track as far. */
	#nextKeyS: number | undefined;
	#first = true;
	readonly #early: { bytes: Uint8Array; startS: number; endS: number; fault: string }[] = [];

	constructor({
		tracks,
		options,
		emit,
		fail,
	}: {
		tracks: { video: InputVideoTrack | undefined; audio: InputAudioTrack | undefined };
		options: { segmentMs: number; onWarning: (text: string) => void };
		emit: (segment: EncodedSegment) => void;
		/** Hears of what can't be sent where no caller waits: bytes come out of the container when they like. */
		fail: (error: unknown) => void;
	}) {
		this.#tracks = tracks;
		this.#segmentS = options.segmentMs / 1000;
		this.#onWarning = options.onWarning;
		this.#emit = emit;
		this.#fail = fail;
		this.#primary = tracks.video ? 'video' : 'audio';
	}

	/** Starts the container for the tracks' codecs. */
	async open(): Promise<void> {
		const { video, audio } = this.#tracks;
		const videoCodec = (await video?.getCodec()) ?? undefined;
		const audioCodec = (await audio?.getCodec()) ?? undefined;
		const format = this.#format(videoCodec, audioCodec);
		const output = new Output({ format, target: new NullTarget() });
		if (videoCodec) {
			this.#sources.video = new EncodedVideoPacketSource(videoCodec);
			output.addVideoTrack(this.#sources.video);
		}
		if (audioCodec) {
			this.#sources.audio = new EncodedAudioPacketSource(audioCodec);
			output.addAudioTrack(this.#sources.audio);
		}
		this.#output = output;
		await output.start();
		void output.getMimeType().then(
			(mime) => this.#onMime(mime),
			() => undefined,
		);
	}

	/** Adds a packet in decode order, its time on the channel's timeline. */
	async add(kind: Kind, packet: EncodedPacket): Promise<void> {
		if (kind === this.#primary) {
			this.#segmentStartS ??= packet.timestamp;
			this.#endS = Math.max(this.#endS, packet.timestamp + packet.duration);
			const isLater = packet.timestamp - this.#segmentStartS >= this.#segmentS;
			if (packet.type === 'key' && isLater) this.#nextKeyS ??= packet.timestamp;
			this.#checkLength();
		}
		if (kind === 'video') {
			const config = await this.#tracks.video?.getDecoderConfig();
			await this.#sources.video?.add(packet, config ? { decoderConfig: config } : undefined);
		} else {
			const config = await this.#tracks.audio?.getDecoderConfig();
			await this.#sources.audio?.add(packet, config ? { decoderConfig: config } : undefined);
		}
	}

	/** One track has ended; the other is not kept waiting for it. */
	finish(kind: Kind): void {
		this.#sources[kind]?.close();
	}

	/** Hands out what is left. */
	async close(): Promise<void> {
		await this.#output?.finalize();
		this.#closeCluster(this.#endS);
		if (this.#output && !this.#mime) this.#onMime(await this.#output.getMimeType());
	}

	#format(
		video: VideoCodec | undefined,
		audio: AudioCodec | undefined,
	): Mp4OutputFormat | WebMOutputFormat {
		const mp4 = new Mp4OutputFormat({
			fastStart: 'fragmented',
			minimumFragmentDuration: this.#segmentS,
			onFtyp: (bytes) => void this.#headers.push(bytes.slice()),
			onMoov: (bytes) => {
				const moov = bytes.slice();
				clearTimes(moov);
				this.#headers.push(moov);
			},
			onMoof: (bytes) => void (this.#moof = bytes.slice()),
			onMdat: (bytes) => this.#onMdat(bytes),
		});
		// VP8 in MP4 plays nowhere, though it can be written.
		const fits = new Set<string>(mp4.getSupportedCodecs().filter((codec) => codec !== 'vp8'));
		if ([video, audio].every((codec) => !codec || fits.has(codec))) return mp4;
		const webm = new WebMOutputFormat({
			appendOnly: true,
			minimumClusterDuration: this.#segmentS,
			onEbmlHeader: (bytes) => void this.#headers.push(bytes.slice()),
			onSegmentHeader: (bytes) => void this.#headers.push(bytes.slice()),
			onCluster: (bytes, _, timestamp) => this.#onCluster(bytes.slice(), timestamp),
		});
		const inWebm = new Set<string>(webm.getSupportedCodecs());
		for (const codec of [video, audio]) {
			if (!codec || inWebm.has(codec)) continue;
			throw new CliError(EXIT.input, `${codec} can't be sent; ffmpeg makes H.264 and AAC of it`);
		}
		return webm;
	}

	#onMdat(bytes: Uint8Array): void {
		const moof = this.#moof;
		this.#moof = undefined;
		if (!moof) return;
		this.#timescale ??= readTimescale(join(this.#headers));
		const time = readFragmentTime(moof, this.#timescale ?? 1);
		if (!time) return;
		const whole = new Uint8Array(moof.length + bytes.length);
		whole.set(moof);
		whole.set(bytes, moof.length);
		const endS = time.startS + time.durationS;
		this.#early.push({ bytes: whole, startS: time.startS, endS, fault: this.#lengthFault(endS) });
		this.#beginSegment(endS);
		this.#flush();
	}

	/** A cluster tells where it begins; where it ends, the next one. */
	#onCluster(bytes: Uint8Array, startS: number): void {
		this.#closeCluster(startS);
		this.#cluster = { bytes, startS };
		this.#beginSegment(startS);
	}

	#beginSegment(startS: number): void {
		this.#segmentStartS = startS;
		this.#nextKeyS = undefined;
	}

	#closeCluster(endS: number): void {
		if (!this.#cluster) return;
		this.#early.push({ ...this.#cluster, endS, fault: this.#lengthFault(endS) });
		this.#cluster = undefined;
		this.#flush();
	}

	#onMime(mime: string): void {
		this.#mime = mime;
		this.#flush();
	}

	/** The container's type is known a moment after its first bytes. */
	#flush(): void {
		if (!this.#mime || this.#early.length === 0) return;
		this.#init ??= { bytes: join(this.#headers), mime: this.#mime };
		for (const { bytes, startS, endS, fault } of this.#early.splice(0)) {
			const startUs = Math.round(startS * 1e6);
			const durationUs = Math.round(endS * 1e6) - startUs;
			if (durationUs <= 0) continue;
			if (durationUs > MAX_SEGMENT_US) {
				this.#fail(new CliError(EXIT.input, fault));
				return;
			}
			if (durationUs > SLOW_GOP_US) {
				this.#onWarning(
					`Key frames are ${(durationUs / 1e6).toFixed(1)} s apart, so that joining takes as long: with ffmpeg, -g and the frame rate set one a second.`,
				);
			}
			if (bytes.length > MAX_SEGMENT_BYTES) {
				this.#fail(new CliError(EXIT.input, 'It needs more than 16 MiB between key frames'));
				return;
			}
			this.#emit({
				bytes: bytes as Uint8Array<ArrayBuffer>,
				startUs,
				durationUs,
				sinceKeyFrame: 0,
				discontinuity: this.#first,
				init: this.#init,
			});
			this.#first = false;
		}
	}

	#checkLength(): void {
		// Twice: the other track may lag behind, and with it the end of a segment that is long enough.
		if ((this.#endS - (this.#segmentStartS ?? 0)) * 1e6 <= 2 * MAX_SEGMENT_US) return;
		throw new CliError(EXIT.input, this.#lengthFault(this.#endS));
	}

	/** Why the segment under way is long: for want of a key frame, or of sound while there are some. */
	#lengthFault(endS: number): string {
		const { video, audio } = this.#tracks;
		const isClosable = this.#nextKeyS !== undefined && this.#nextKeyS < endS - this.#segmentS;
		return isClosable && video && audio ? SOUND_GAP : FEW_KEY_FRAMES;
	}
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
	const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
	let at = 0;
	for (const part of parts) {
		joined.set(part, at);
		at += part.length;
	}
	return joined;
}
