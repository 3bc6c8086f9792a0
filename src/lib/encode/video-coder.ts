import { avcNameOf, mendAvcRecord } from './avc-record.ts';
import type { MediaCodecs } from './media-codecs.ts';
import type { Packet } from './packet.ts';

/** What a `VideoCoder` tells its owner. */
export interface VideoCoderEvents {
	/** A packet, in order; `config` is what it decodes with, the same object as long as it is the same. */
	onPacket(packet: Packet, config: VideoDecoderConfig): void;
	/** The encoder broke and is closed; what was inside is lost. */
	onError(cause: unknown): void;
}

/** One `VideoEncoder` in one configuration but for its bitrate. */
export class VideoCoder {
	readonly #encoder: VideoEncoder;
	readonly #events: VideoCoderEvents;
	#config: VideoEncoderConfig;
	#decoderConfig: VideoDecoderConfig | undefined;
	#isOver = false;

	constructor(media: MediaCodecs, config: VideoEncoderConfig, events: VideoCoderEvents) {
		this.#config = config;
		this.#events = events;
		this.#encoder = new media.VideoEncoder({
			output: (chunk, metadata) => this.#onOutput(chunk, metadata),
			error: (cause) => this.#fail(cause),
		});
		this.#attempt(() => this.#encoder.configure(config));
	}

	/** RFC 6381 name of the codec. */
	get codec(): string {
		return this.#decoderConfig?.codec ?? this.#config.codec;
	}

	/** Frames that wait in front of the encoder. */
	get queuedFrames(): number {
		return this.#encoder.encodeQueueSize;
	}

	/** Encodes a frame at its timestamp; the frame is closed. */
	encode(frame: VideoFrame, keyFrame: boolean): void {
		this.#attempt(() => this.#encoder.encode(frame, { keyFrame }));
		frame.close();
	}

	/** Changes the bitrate from the next frame on. */
	setBps(bitrate: number): void {
		if (bitrate === this.#config.bitrate) return;
		this.#config = { ...this.#config, bitrate };
		this.#attempt(() => this.#encoder.configure(this.#config));
	}

	/** Lets out what is inside, then closes. */
	async retire(): Promise<void> {
		try {
			if (!this.#isOver) await this.#encoder.flush();
		} catch {
			// It broke on its last frames: nothing more comes out, which is what is wanted.
		}
		this.close();
	}

	/** Drops what is inside; idempotent. */
	close(): void {
		this.#isOver = true;
		if (this.#encoder.state !== 'closed') this.#encoder.close();
	}

	#attempt(work: () => void): void {
		if (this.#isOver) return;
		try {
			work();
		} catch (cause) {
			this.#fail(cause);
		}
	}

	#fail(cause: unknown): void {
		if (this.#isOver) return;
		this.close();
		this.#events.onError(cause);
	}

	#onOutput(chunk: EncodedVideoChunk, metadata: EncodedVideoChunkMetadata | undefined): void {
		if (this.#isOver) return;
		const announced = metadata?.decoderConfig && mended(metadata.decoderConfig);
		if (announced && !isSameConfig(announced, this.#decoderConfig)) {
			this.#decoderConfig = announced;
		}
		if (!this.#decoderConfig) return this.#fail(new Error('a packet without a configuration'));
		const data = new Uint8Array(chunk.byteLength);
		chunk.copyTo(data);
		const packet: Packet = {
			data,
			startUs: chunk.timestamp,
			durationUs: chunk.duration ?? 0,
			isKey: chunk.type === 'key',
		};
		this.#events.onPacket(packet, this.#decoderConfig);
	}
}

/** Whether two configurations need the same init segment. */
export function isSameConfig(a: VideoDecoderConfig, b: VideoDecoderConfig | undefined): boolean {
	if (!b || a.codedWidth !== b.codedWidth || a.codedHeight !== b.codedHeight) return false;
	const [mine, theirs] = [bytesOf(a.description), bytesOf(b.description)];
	if (!mine || !theirs) return a.codec === b.codec && mine === theirs;
	return mine.length === theirs.length && mine.every((byte, i) => byte === theirs[i]);
}

/** What decoders get, put right where browsers are known to be wrong. */
function mended(config: VideoDecoderConfig): VideoDecoderConfig {
	const record = bytesOf(config.description);
	if (!config.codec.startsWith('avc1') || !record) return config;
	const description = mendAvcRecord(record);
	return { ...config, description, codec: avcNameOf(description) ?? config.codec };
}

function bytesOf(source: AllowSharedBufferSource | undefined): Uint8Array | undefined {
	if (!source) return undefined;
	if (ArrayBuffer.isView(source)) {
		return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
	}
	return new Uint8Array(source);
}
