import { ShoalError } from '../model/error.ts';
import { AudioLane } from './audio-lane.ts';
import type { Emit, EncoderStats, SoundMessage, SourceTracks } from './encoder-message.ts';
import { writeFragment } from './fragment.ts';
import { makeInit, type Mp4Init } from './init-segment.ts';
import type { MediaCodecs } from './media-codecs.ts';
import type { Profile } from './profile.ts';
import { RateMeter } from './rate-meter.ts';
import { SegmentCutter, type CutSegment } from './segment-cutter.ts';
import { VideoLane } from './video-lane.ts';

/** How long the first picture is waited for; then the slate is sent. */
const FIRST_FRAME_MS = 3000;
/** How often time is looked at; everything else follows from frames and packets. */
const TICK_MS = 10;
/** Further behind than this, what was missed is given up: the machine slept, or the tab was frozen. */
const MOST_BEHIND_MS = 3000;
/** Size of the slate for a source that never had a picture. */
const BARE_SIZE = { width: 640, height: 360 };

interface PipelineOptions {
	readonly profile: Profile;
	readonly media: MediaCodecs;
	readonly emit: Emit;
}

/** An init segment under way, and which packets it is for. */
interface InitUnderWay {
	readonly id: number;
	readonly config: VideoDecoderConfig;
	readonly made: Promise<Mp4Init>;
}

/**
 * The whole way from frames and sound to segments, on one clock: media time is what this worker's clock
 * has counted since the first frame. A change of source never stops it.
 */
export class Pipeline {
	readonly #options: PipelineOptions;
	readonly #cutter: SegmentCutter;
	readonly #video: VideoLane;
	readonly #audio: AudioLane;
	readonly #meter = new RateMeter();
	#startMs: number | undefined;
	#timer: ReturnType<typeof setInterval> | undefined;
	#source = new AbortController();
	#isPumped = false;
	#lastWantMs = 0;
	#onFirstFrame: ((frame: VideoFrame | undefined) => void) | undefined;
	#audioConfig: AudioDecoderConfig | undefined;
	/** What the newest video packet of each segment decodes with. */
	readonly #configs = new Map<number, VideoDecoderConfig>();
	#init: InitUnderWay | undefined;
	#sentInit = 0;
	#written: Promise<void> = Promise.resolve();
	#segments = 0;
	#sinceKeyFrame = 0;
	#segmentDelayMs = 0;
	#isClosed = false;

	constructor(options: PipelineOptions) {
		const { profile, media, emit } = options;
		this.#options = options;
		this.#cutter = new SegmentCutter(profile.segmentMs * 1000);
		const onFailed = (error: ShoalError): void => {
			emit({ type: 'failed', code: error.code, message: error.message });
			this.close();
		};
		this.#video = new VideoLane({
			...{ profile, media, emit, cutter: this.#cutter, onFailed },
			onPacket: (packet, config) => {
				this.#meter.add(packet.data.length, performance.now());
				this.#configs.set(Math.floor(packet.startUs / (profile.segmentMs * 1000)), config);
				this.#advance();
			},
		});
		this.#audio = new AudioLane({
			...{ profile, media, cutter: this.#cutter },
			onPacket: (config) => {
				this.#audioConfig ??= config;
				this.#advance();
			},
			onFailed: (cause) =>
				onFailed(new ShoalError('encoder-failed', 'sound cannot be encoded', { cause })),
		});
	}

	/** Waits for the first picture, finds encoders and starts the clock; throws `no-encoder`. */
	async open(source: SourceTracks | undefined): Promise<void> {
		if (!(await this.#audio.isSupported())) {
			throw new ShoalError('no-encoder', 'this browser does not encode Opus');
		}
		const first = this.#firstFrame(source);
		this.#read(source);
		const frame = await first;
		const size = frame ? { width: frame.displayWidth, height: frame.displayHeight } : BARE_SIZE;
		await this.#video.open(size);
		if (this.#isClosed) return frame?.close();
		this.#startMs = performance.now();
		if (frame) {
			this.#video.take(frame, 0);
		} else {
			this.#video.startSource();
			this.#video.showSlate();
		}
		this.#timer = setInterval(() => this.#tick(), TICK_MS);
	}

	/** Goes over to other tracks, or to slate and silence. */
	setSource(source: SourceTracks | undefined): void {
		this.#source.abort();
		this.#source = new AbortController();
		this.#video.startSource();
		this.#audio.startSource();
		this.#read(source);
	}

	/** Takes a frame that was not read from a stream, and closes it. */
	takeFrame(frame: VideoFrame | 'ended'): void {
		if (frame === 'ended') {
			if (this.#isPumped) this.#loseVideo(this.#source.signal);
			this.#isPumped = false;
		} else if (this.#onFirstFrame) this.#onFirstFrame(frame);
		else if (this.#startMs === undefined || !this.#isPumped) frame.close();
		else this.#video.take(frame, this.#nowUs());
	}

	/** Takes effect with the next key frame. */
	setVideoBps(bps: number): void {
		this.#video.setBps(bps);
	}

	/** Stops at once; idempotent. */
	close(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		clearInterval(this.#timer);
		this.#source.abort();
		this.#onFirstFrame?.(undefined);
		this.#video.close();
		this.#audio.close();
	}

	#nowUs(): number {
		return (performance.now() - (this.#startMs ?? 0)) * 1000;
	}

	#firstFrame(source: SourceTracks | undefined): Promise<VideoFrame | undefined> {
		if (!source?.video) return Promise.resolve(undefined);
		return new Promise((resolve) => {
			const done = (frame: VideoFrame | undefined): void => {
				clearTimeout(timer);
				clearInterval(asking);
				this.#onFirstFrame = undefined;
				resolve(frame);
			};
			const timer = setTimeout(() => done(undefined), FIRST_FRAME_MS);
			const ask = () => this.#options.emit({ type: 'want-frame' });
			const asking = source.video === 'pumped' ? setInterval(ask, 30) : undefined;
			this.#onFirstFrame = done;
		});
	}

	#read(source: SourceTracks | undefined): void {
		const { emit } = this.#options;
		const { signal } = this.#source;
		this.#isPumped = source?.video === 'pumped';
		if (source?.video instanceof ReadableStream) {
			const take = (frame: VideoFrame): void => {
				if (this.#onFirstFrame) this.#onFirstFrame(frame);
				else if (this.#startMs === undefined) frame.close();
				else this.#video.take(frame, this.#nowUs());
			};
			void readAll(source.video, signal, take).then(() => this.#loseVideo(signal));
		}
		if (!source?.video) this.#loseVideo(signal);
		else emit({ type: 'picture', isSlate: false });

		if (source?.audio instanceof ReadableStream) {
			const take = (data: AudioData): void => {
				if (this.#startMs === undefined) data.close();
				else this.#audio.take(data, this.#nowUs());
			};
			void readAll(source.audio, signal, take).then(() => this.#loseAudio(signal));
		} else if (source?.audio) {
			const port = source.audio;
			port.onmessage = ({ data }: MessageEvent<SoundMessage | 'ended'>) => {
				if (data === 'ended') this.#loseAudio(signal);
				else if (this.#startMs !== undefined && !signal.aborted) {
					this.#audio.takeSamples(data.channels, data.sampleRate, this.#nowUs());
				}
			};
			signal.addEventListener('abort', () => port.close(), { once: true });
		} else {
			this.#loseAudio(signal);
		}
	}

	#loseVideo(signal: AbortSignal): void {
		if (signal.aborted) return;
		this.#onFirstFrame?.(undefined);
		this.#video.showSlate();
		this.#options.emit({ type: 'picture', isSlate: true });
		this.#options.emit({ type: 'warning', code: 'source-lost', detail: 'there is no picture' });
	}

	#loseAudio(signal: AbortSignal): void {
		if (signal.aborted) return;
		this.#options.emit({ type: 'warning', code: 'no-audio', detail: 'there is no sound' });
	}

	#tick(): void {
		const { profile } = this.#options;
		const nowUs = this.#nowUs();
		const segmentUs = profile.segmentMs * 1000;
		if (nowUs - (this.#cutter.next + 1) * segmentUs > MOST_BEHIND_MS * 1000) {
			const index = Math.floor(nowUs / segmentUs);
			this.#cutter.skipTo(index);
			this.#video.skipTo(nowUs);
			this.#audio.skipTo(index * segmentUs);
		}
		this.#wantFrame();
		this.#video.tick(nowUs);
		this.#audio.tick(nowUs);
		this.#advance();
	}

	#wantFrame(): void {
		const nowMs = performance.now();
		const distanceMs = 1000 / this.#options.profile.frameRate;
		// Half a tick early on average rather than late: the rate shall not sink.
		if (!this.#isPumped || nowMs - this.#lastWantMs < distanceMs - TICK_MS / 2) return;
		this.#lastWantMs = Math.max(this.#lastWantMs + distanceMs, nowMs - distanceMs);
		this.#options.emit({ type: 'want-frame' });
	}

	/** Sends every segment that has become whole. */
	#advance(): void {
		// Not before both tracks can be described: a header once sent is not amended.
		if (this.#configs.size === 0 && !this.#init) return;
		if (!this.#audioConfig) return;
		for (let cut = this.#cutter.take(); cut; cut = this.#cutter.take()) this.#send(cut);
	}

	#send(cut: CutSegment): void {
		const before = this.#init;
		const config = this.#configs.get(cut.index);
		for (const index of this.#configs.keys()) if (index <= cut.index) this.#configs.delete(index);
		const init = this.#initFor(config);
		if (!init) return;
		const isDiscontinuous = cut.isAfterGap || (before !== undefined && before !== init);
		this.#sinceKeyFrame = cut.video[0]?.isKey ? 0 : this.#sinceKeyFrame + 1;
		const sinceKeyFrame = this.#sinceKeyFrame;
		this.#written = this.#written
			.then(() => this.#write(cut, init, { sinceKeyFrame, isDiscontinuous }))
			.catch((cause: unknown) => {
				if (this.#isClosed) return;
				const message = `a segment could not be written: ${String(cause)}`;
				this.#options.emit({ type: 'failed', code: 'encoder-failed', message });
				this.close();
			});
	}

	#initFor(config: VideoDecoderConfig | undefined): InitUnderWay | undefined {
		const audio = this.#audioConfig;
		if (!audio || !config || config === this.#init?.config) return this.#init;
		const id = (this.#init?.id ?? 0) + 1;
		const made = makeInit(config, audio);
		this.#init = { id, config, made };
		return this.#init;
	}

	async #write(
		cut: CutSegment,
		init: InitUnderWay,
		flags: { sinceKeyFrame: number; isDiscontinuous: boolean },
	): Promise<void> {
		const { video, audio, init: header } = await init.made;
		if (this.#isClosed) return;
		if (init.id !== this.#sentInit) {
			this.#sentInit = init.id;
			this.#options.emit({ type: 'init', id: init.id, ...header });
		}
		const bytes = writeFragment(++this.#segments, [
			{ track: video, packets: cut.video, decodeFromUs: cut.videoFromUs },
			{ track: audio, packets: cut.audio },
		]);
		this.#segmentDelayMs = (this.#nowUs() - cut.startUs - cut.durationUs) / 1000;
		const report = {
			type: 'segment',
			bytes,
			startUs: cut.startUs,
			durationUs: cut.durationUs,
			sinceKeyFrame: flags.sinceKeyFrame,
			discontinuity: flags.isDiscontinuous,
			init: init.id,
			stats: this.#stats(),
		} as const;
		this.#options.emit(report, [bytes.buffer]);
	}

	#stats(): EncoderStats {
		const video = this.#video;
		return {
			framesIn: video.framesIn,
			framesEncoded: video.framesEncoded,
			framesDropped: video.framesDropped,
			isOverloaded: video.isOverloaded,
			framesRepeated: video.framesRepeated,
			keyFrames: video.keyFrames,
			targetBps: video.bps,
			videoBps: this.#meter.bps(performance.now()),
			codec: video.codec,
			encoderQueue: video.queuedFrames,
			width: video.size?.width ?? 0,
			height: video.size?.height ?? 0,
			segments: this.#segments,
			segmentDelayMs: this.#segmentDelayMs,
			silentMs: this.#audio.silentMs,
		};
	}
}

/** Reads a track to its end, or until the signal; everything read is handed over, to be closed there. */
async function readAll<T extends { close(): void }>(
	stream: ReadableStream<T>,
	signal: AbortSignal,
	take: (item: T) => void,
): Promise<void> {
	const reader = stream.getReader();
	const stop = (): void => void reader.cancel().catch(() => undefined);
	signal.addEventListener('abort', stop, { once: true });
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			if (signal.aborted) value.close();
			else take(value);
		}
	} catch {
		// A track that breaks has ended.
	} finally {
		signal.removeEventListener('abort', stop);
	}
}
