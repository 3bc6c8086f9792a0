import { ShoalError } from '../model/error.ts';
import { fitInto, scaleFor, videoCandidates } from './codecs.ts';
import type { Emit } from './encoder-message.ts';
import { EncoderLoad } from './encoder-load.ts';
import { FrameClock } from './frame-clock.ts';
import { keepsFrameOrder, mayReorder } from './frame-order.ts';
import { HeldPicture } from './held-picture.ts';
import type { MediaCodecs } from './media-codecs.ts';
import type { Packet } from './packet.ts';
import { Picture, type Size } from './picture.ts';
import type { Profile } from './profile.ts';
import type { SegmentCutter } from './segment-cutter.ts';
import { VideoCoder } from './video-coder.ts';

/** Frames in front of the encoder beyond which more are dropped: it is slower than they come. */
const MOST_QUEUED = 3;
/** The same for the frame that a segment begins with, which is worth a delay. */
const MOST_QUEUED_FIRST = 8;
/** A source is taken to be still, as a screen may be, when no frame came for this long. */
const STILL_US = 150_000;
/** An encoder that gives nothing back for this long is replaced. */
const STUCK_US = 3_000_000;
/** So many broken encoders within `FAILURES_US` are the end. */
const MOST_FAILURES = 6;
const FAILURES_US = 20_000_000;

interface VideoLaneOptions {
	readonly profile: Profile;
	readonly media: MediaCodecs;
	readonly cutter: SegmentCutter;
	readonly emit: Emit;
	/** Called after each packet that was given to the cutter. */
	readonly onPacket: (packet: Packet, config: VideoDecoderConfig) => void;
	/** Called when no encoder works any more. */
	readonly onFailed: (error: ShoalError) => void;
}

/** From frames to packets in the cutter: size, pace, key frames, still pictures, broken encoders. */
export class VideoLane {
	readonly #options: VideoLaneOptions;
	readonly #segmentUs: number;
	#clock = new FrameClock();
	#coder: VideoCoder | undefined;
	#configs: VideoEncoderConfig[] = [];
	#picture: Picture | undefined;
	readonly #held = new HeldPicture();
	/** A size and its configurations that the next segment begins with. */
	#switchTo: { picture: Picture; configs: VideoEncoderConfig[] } | undefined;
	/** The size that the source would have if all allowed it, and the scale of that which the bitrate allows. */
	#full: Size = { width: 0, height: 0 };
	#scale = 1;
	#needsSize = true;
	#isSlate = false;
	#bps: number;
	#dueUs = 0;
	#lastFrameUs = -Infinity;
	#distanceUs: number;
	#lastShape: string | undefined;
	/** No frame is encoded before this segment: an encoder broke in the one before. */
	#resumeSegment = 0;
	#lastOutputUs = 0;
	#failuresUs: number[] = [];
	#worksSince = false;
	readonly #load = new EncoderLoad();
	/** Tried once: it is the browser's way, not a size's. */
	#keepsOrder: Promise<boolean> | undefined;
	framesIn = 0;
	framesEncoded = 0;
	framesDropped = 0;
	framesRepeated = 0;
	keyFrames = 0;

	constructor(options: VideoLaneOptions) {
		this.#options = options;
		this.#segmentUs = options.profile.segmentMs * 1000;
		this.#bps = options.profile.videoBps;
		this.#distanceUs = 1e6 / options.profile.frameRate;
	}

	get size(): Size | undefined {
		return this.#picture?.size;
	}

	get codec(): string {
		return this.#coder?.codec ?? '';
	}

	get bps(): number {
		return this.#bps;
	}

	get isOverloaded(): boolean {
		return this.#load.isOverloaded;
	}

	get queuedFrames(): number {
		return this.#coder?.queuedFrames ?? 0;
	}

	/** Finds an encoder for a first picture; throws `no-encoder`. */
	async open(size: Size): Promise<void> {
		this.#full = fitInto(size, this.#bounds);
		this.#picture = new Picture(this.#wantedSize());
		this.#configs = await this.#supported(this.#picture.size);
		if (this.#configs.length === 0) {
			throw new ShoalError('no-encoder', 'this browser encodes neither H.264 nor VP9');
		}
		this.#needsSize = false;
	}

	/** The next frames are another source's; its first one decides the size anew. */
	startSource(): void {
		this.#clock = new FrameClock();
		this.#held.startSource();
		this.#needsSize = true;
		this.#distanceUs = 1e6 / this.#options.profile.frameRate;
	}

	/** No frames will come: shows the slate until they do. */
	showSlate(): void {
		if (!this.#picture || this.#isSlate) return;
		this.#isSlate = true;
		this.#lastFrameUs = -Infinity;
		this.#held.show(this.#picture.slate());
	}

	/** Takes effect with the next key frame; where it can't carry the picture, a smaller one follows. */
	setBps(bps: number): void {
		this.#bps = bps;
		this.#prepareSize();
	}

	/** Takes a frame and closes it. `arrivalUs` is media time. */
	take(frame: VideoFrame, arrivalUs: number): void {
		this.framesIn++;
		this.#load.noteTaken();
		const picture = this.#picture;
		if (!picture || frame.displayWidth === 0) return frame.close();
		this.#checkSize(frame);
		const frameUs = Math.max(0, this.#clock.place(frame.timestamp, arrivalUs));
		if (!this.#isDue(frameUs)) return frame.close();
		const sinceUs = frameUs - this.#lastFrameUs;
		if (sinceUs > 0 && sinceUs < STILL_US) this.#distanceUs += (sinceUs - this.#distanceUs) / 8;
		this.#lastFrameUs = frameUs;
		this.#isSlate = false;
		this.#held.take(frame, picture, arrivalUs);
		this.#encode(frameUs);
	}

	/** Does what time asks for: repeats a still picture, closes segments, replaces a stuck encoder. */
	tick(nowUs: number): void {
		const { cutter } = this.#options;
		this.#held.tick(this.#picture, nowUs);
		const isStill = nowUs - this.#lastFrameUs > Math.max(STILL_US, this.#distanceUs * 4);
		// A frame that is merely late shall still find its segment open.
		const graceUs = isStill ? 3000 : this.#distanceUs * 1.5 + 20_000;
		for (;;) {
			const bareUs = (cutter.lastFrameSegment + 1) * this.#segmentUs;
			if (nowUs < bareUs + graceUs || !this.#held.frame) break;
			this.framesRepeated++;
			if (!this.#encode(bareUs)) break;
		}
		if (nowUs >= (cutter.next + 1) * this.#segmentUs + graceUs) cutter.closeVideo(cutter.next);
		const hasWaited = nowUs - Math.max(this.#lastOutputUs, 0) > STUCK_US;
		if (cutter.pendingFrames > 0 && hasWaited)
			this.#onError(new Error('the encoder is stuck'), nowUs);
		this.#checkLoad(nowUs);
	}

	/** Begins again at a later time: the clock has jumped, or the encoder gave nothing back for as long. */
	skipTo(nowUs: number): void {
		const hasFrames = this.#options.cutter.pendingFrames > 0;
		this.#restart(nowUs);
		if (!hasFrames) return;
		const detail = 'the encoder gave nothing back';
		this.#options.emit({ type: 'warning', code: 'encoder-restarted', detail });
	}

	#restart(nowUs: number): void {
		this.#coder?.close();
		this.#coder = undefined;
		this.#lastOutputUs = nowUs;
		this.#options.cutter.forgetPending();
	}

	close(): void {
		this.#coder?.close();
		this.#held.close();
	}

	get #bounds(): Size {
		const { maxWidth, maxHeight } = this.#options.profile;
		return { width: maxWidth, height: maxHeight };
	}

	/** Frames beyond the profile's rate are left out, evenly. */
	#isDue(frameUs: number): boolean {
		const leastUs = 1e6 / this.#options.profile.frameRate;
		if (frameUs < this.#dueUs - leastUs / 2) return false;
		this.#dueUs = Math.max(this.#dueUs + leastUs, frameUs + leastUs / 2);
		return true;
	}

	/** Encodes the held frame at about `wantedUs`; false when it can't be now. */
	#encode(wantedUs: number): boolean {
		const { cutter, profile } = this.#options;
		const segment = cutter.segmentOf(wantedUs);
		if (segment < this.#resumeSegment) return false;
		const isFirst = segment > cutter.lastFrameSegment;
		if (isFirst) this.#switchSize();
		const isFresh = !this.#coder;
		const coder = this.#coder ?? this.#makeCoder();
		const { frame } = this.#held;
		if (!coder || !frame) return false;
		if (coder.queuedFrames > (isFirst ? MOST_QUEUED_FIRST : MOST_QUEUED)) {
			this.framesDropped++;
			this.#load.noteDropped();
			return false;
		}
		const isKey = isFresh || (isFirst && segment % (profile.keyFrameMs / profile.segmentMs) === 0);
		if (isKey) coder.setBps(this.#bps);
		if (cutter.pendingFrames === 0) this.#lastOutputUs = Math.max(this.#lastOutputUs, wantedUs);
		const { startUs } = cutter.submit(wantedUs, this.#distanceUs);
		const duration = Math.round(this.#distanceUs);
		coder.encode(new VideoFrame(frame, { timestamp: startUs, duration }), isKey);
		return true;
	}

	#makeCoder(): VideoCoder | undefined {
		const config = this.#configs[0];
		if (!config) return undefined;
		const { media, cutter, onPacket } = this.#options;
		const coder: VideoCoder = new VideoCoder(
			media,
			{ ...config, bitrate: this.#bps },
			{
				onPacket: (packet, decoderConfig) => {
					this.framesEncoded++;
					if (packet.isKey) this.keyFrames++;
					this.#lastOutputUs = packet.startUs;
					this.#worksSince = true;
					cutter.addVideo(packet);
					onPacket(packet, decoderConfig);
				},
				onError: (cause) => {
					if (coder === this.#coder) this.#onError(cause, this.#lastFrameUs);
				},
			},
		);
		this.#worksSince = false;
		this.#coder = coder;
		return coder;
	}

	/** A new encoder takes over with the next segment; one that never worked makes room for the next codec. */
	#onError(cause: unknown, nowUs: number): void {
		const { cutter, emit, onFailed } = this.#options;
		this.#restart(nowUs);
		this.#resumeSegment = cutter.lastFrameSegment + 1;
		if (!this.#worksSince && this.#configs.length > 1) this.#configs.shift();
		this.#failuresUs = [...this.#failuresUs, nowUs].filter((at) => nowUs - at < FAILURES_US);
		if (this.#failuresUs.length >= MOST_FAILURES) {
			onFailed(new ShoalError('encoder-failed', 'encoders break one after the other', { cause }));
			return;
		}
		emit({ type: 'warning', code: 'encoder-restarted', detail: String(cause) });
	}

	/** A new source brings its own size; a window that is merely resized keeps the old one and gets bars. */
	#checkSize(frame: VideoFrame): void {
		const { emit } = this.#options;
		const { displayWidth: width, displayHeight: height } = frame;
		if (this.#needsSize) {
			this.#needsSize = false;
			this.#lastShape = undefined;
			this.#full = fitInto({ width, height }, this.#bounds);
			this.#prepareSize();
			return;
		}
		const shape = `${width}×${height}`;
		if (this.#lastShape !== undefined && this.#lastShape !== shape) {
			emit({ type: 'warning', code: 'resized', detail: `the picture is now ${shape}` });
		}
		this.#lastShape = shape;
	}

	#wantedSize(): Size {
		const { frameRate } = this.#options.profile;
		this.#scale = scaleFor(this.#full, { bps: this.#bps, frameRate }, this.#scale);
		const scale = Math.min(this.#scale, this.#load.mostScale);
		const { width, height } = this.#full;
		return fitInto(this.#full, { width: width * scale, height: height * scale });
	}

	/** Has the size that source and bitrate ask for taken up with the next segment, if it is another one. */
	#prepareSize(): void {
		const size = this.#wantedSize();
		const coming = this.#switchTo?.picture.size ?? this.#picture?.size;
		if (size.width === coming?.width && size.height === coming.height) return;
		void this.#supported(size).then((configs) => {
			if (configs.length > 0) this.#switchTo = { picture: new Picture(size), configs };
		});
	}

	#switchSize(): void {
		const next = this.#switchTo;
		if (!next) return;
		this.#switchTo = undefined;
		void this.#coder?.retire();
		this.#coder = undefined;
		this.#configs = next.configs;
		this.#picture = next.picture;
		this.#held.resize(next.picture);
	}

	async #supported(size: Size): Promise<VideoEncoderConfig[]> {
		const { frameRate } = this.#options.profile;
		const shape = { ...size, frameRate, bps: this.#bps };
		const { VideoEncoder } = this.#options.media;
		const checks = videoCandidates(shape).map(async (config) => {
			const { supported } = await VideoEncoder.isConfigSupported(config);
			return supported ? [config] : [];
		});
		const settled = await Promise.allSettled(checks);
		return this.#inOrder(
			settled.flatMap((check) => (check.status === 'fulfilled' ? check.value : [])),
		);
	}

	/** Leaves out what this browser codes out of order: no segment could be cut from it. */
	async #inOrder(configs: VideoEncoderConfig[]): Promise<VideoEncoderConfig[]> {
		const trial = configs.find(({ codec }) => mayReorder(codec));
		if (!trial) return configs;
		this.#keepsOrder ??= keepsFrameOrder(this.#options.media, trial);
		if (await this.#keepsOrder) return configs;
		return configs.filter(({ codec }) => !mayReorder(codec));
	}

	/** A picture that the encoder can't keep up with is made smaller. */
	#checkLoad(nowUs: number): void {
		const before = this.#load.mostScale;
		const share = this.#load.settle(nowUs);
		if (share !== undefined) {
			const detail = `${Math.round(share * 100)} % of frames were dropped before the encoder`;
			this.#options.emit({ type: 'warning', code: 'overloaded', detail });
		}
		if (this.#load.mostScale !== before) this.#prepareSize();
	}
}
