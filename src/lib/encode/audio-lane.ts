import { AudioTimeline, BLOCK_SAMPLES, CHANNELS, SAMPLE_RATE } from './audio-timeline.ts';
import { audioConfig } from './codecs.ts';
import type { MediaCodecs } from './media-codecs.ts';
import { AUDIO_PACKET_MS, type Profile } from './profile.ts';
import type { SegmentCutter } from './segment-cutter.ts';

/** A source that was silent for this long has no sound: silence is sent at once instead of being waited for. */
const MUTE_US = 500_000;
/** How long a segment waits for sound that is late. */
const LATE_US = 250_000;
/** Encoders that broke one after the other, without a packet between, until none is made any more. */
const MOST_FAILURES = 5;

interface AudioLaneOptions {
	readonly profile: Profile;
	readonly media: MediaCodecs;
	readonly cutter: SegmentCutter;
	/** Called after each packet that was given to the cutter. */
	readonly onPacket: (config: AudioDecoderConfig) => void;
	readonly onFailed: (cause: unknown) => void;
}

/** From sound to packets in the cutter, with silence where there is none. */
export class AudioLane {
	readonly #options: AudioLaneOptions;
	readonly #timeline = new AudioTimeline();
	readonly #segmentUs: number;
	#encoder: AudioEncoder | undefined;
	#config: AudioDecoderConfig | undefined;
	/** Start times of the blocks inside the encoder. */
	#pending: number[] = [];
	#lastHeardUs = -Infinity;
	#failures = 0;

	constructor(options: AudioLaneOptions) {
		this.#options = options;
		this.#segmentUs = options.profile.segmentMs * 1000;
	}

	/** Silence sent so far, milliseconds. */
	get silentMs(): number {
		return this.#timeline.silentMs;
	}

	/** Whether this browser encodes Opus. */
	async isSupported(): Promise<boolean> {
		const config = audioConfig(this.#options.profile.audioBps);
		const { supported } = await this.#options.media.AudioEncoder.isConfigSupported(config);
		return supported === true;
	}

	/** The next sound is another source's. */
	startSource(): void {
		this.#timeline.startSource();
		this.#lastHeardUs = -Infinity;
	}

	/** Takes sound and closes it. `arrivalUs` is media time. */
	take(data: AudioData, arrivalUs: number): void {
		const channels = Array.from({ length: Math.min(CHANNELS, data.numberOfChannels) }, (_, i) => {
			const samples = new Float32Array(data.numberOfFrames);
			data.copyTo(samples, { planeIndex: i, format: 'f32-planar' });
			return samples;
		});
		const { sampleRate } = data;
		data.close();
		this.takeSamples(channels, sampleRate, arrivalUs);
	}

	/** Takes sound as samples, one array a channel. */
	takeSamples(channels: readonly Float32Array[], sampleRate: number, arrivalUs: number): void {
		this.#lastHeardUs = arrivalUs;
		if (arrivalUs < 0) return;
		this.#timeline.push(channels, sampleRate, arrivalUs);
		this.#encode();
	}

	/** Puts silence where sound is missing. */
	tick(nowUs: number): void {
		const endUs = (this.#options.cutter.next + 1) * this.#segmentUs;
		if (nowUs - this.#lastHeardUs > MUTE_US) this.#timeline.fillTo(nowUs);
		else if (nowUs > endUs + LATE_US) this.#timeline.fillTo(endUs);
		this.#encode();
	}

	/** Begins again at a later time, on the grid of packets. */
	skipTo(us: number): void {
		this.#timeline.skipTo(us);
	}

	close(): void {
		if (this.#encoder?.state !== 'closed') this.#encoder?.close();
	}

	#encode(): void {
		for (let block = this.#timeline.take(); block; block = this.#timeline.take()) {
			const encoder = this.#encoder ?? this.#makeEncoder();
			if (!encoder) return;
			this.#pending.push(block.startUs);
			const data = new AudioData({
				format: 'f32-planar',
				sampleRate: SAMPLE_RATE,
				numberOfChannels: CHANNELS,
				numberOfFrames: BLOCK_SAMPLES,
				timestamp: Math.round(block.startUs),
				data: block.samples,
			});
			try {
				encoder.encode(data);
			} catch (cause) {
				this.#onError(encoder, cause);
			}
			data.close();
		}
	}

	#makeEncoder(): AudioEncoder | undefined {
		if (this.#failures > MOST_FAILURES) return undefined;
		const { cutter, media, onPacket, profile } = this.#options;
		const encoder: AudioEncoder = new media.AudioEncoder({
			output: (chunk, metadata) => {
				if (encoder !== this.#encoder) return;
				const startUs = this.#pending.shift();
				this.#config = metadata?.decoderConfig ?? this.#config;
				if (startUs === undefined || !this.#config) return;
				this.#failures = 0;
				const data = new Uint8Array(chunk.byteLength);
				chunk.copyTo(data);
				cutter.addAudio({ data, startUs, durationUs: AUDIO_PACKET_MS * 1000, isKey: true });
				onPacket(this.#config);
			},
			error: (cause) => this.#onError(encoder, cause),
		});
		this.#pending = [];
		this.#encoder = encoder;
		try {
			encoder.configure(audioConfig(profile.audioBps));
		} catch (cause) {
			this.#onError(encoder, cause);
			return undefined;
		}
		return encoder;
	}

	#onError(encoder: AudioEncoder, cause: unknown): void {
		if (encoder !== this.#encoder) return;
		this.#encoder = undefined;
		if (encoder.state !== 'closed') encoder.close();
		if (++this.#failures > MOST_FAILURES) this.#options.onFailed(cause);
	}
}
