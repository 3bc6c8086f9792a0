import { ShoalError } from '../model/error.ts';
import type { EncoderBackend } from './encoder-backend.ts';
import type { EncoderReport, EncoderStats } from './encoder-message.ts';
import type { Profile } from './profile.ts';
import { RateMeter } from './rate-meter.ts';
import { RecordingCutter, type RecordedSegment } from './recording-cutter.ts';
import type { Encodable } from './track-feed.ts';
import { WebmReader } from './webm-reader.ts';

/** What recorders are asked for, best first; every one of them plays in Chromium and Firefox. */
const FORMATS = ['vp9,opus', 'vp8,opus', 'vp8'];
/** How often recorders hand over what they have. */
const SLICE_MS = 100;
const SLATE_MS = 250;

/** `videoKeyFrameIntervalDuration`, milliseconds, is Chromium's so far (MediaStream Recording §2.5). */
type RecorderOptions = MediaRecorderOptions & { videoKeyFrameIntervalDuration?: number };

/** One run of a recorder; a change of source needs another. */
interface Recording {
	readonly recorder: MediaRecorder;
	readonly release: () => void;
}

/**
 * The browser's own recorder, for where WebCodecs are missing (Firefox on Android): WebM, cut at key frames.
 * Its bitrate can't be changed while it runs, and each change of source begins a new header.
 */
export class RecorderBackend implements EncoderBackend {
	onReport: (report: EncoderReport) => void = () => undefined;
	#profile: Profile | undefined;
	#format = '';
	#recording: Recording | undefined;
	#inits = 0;
	#startMs = 0;
	#endUs = 0;
	#videoBps = 0;
	#segments = 0;
	#frames = 0;
	#keyFrames = 0;
	readonly #meter = new RateMeter();

	/** Whether this browser records anything that can be sent. */
	static isSupported(): boolean {
		return findFormat() !== undefined;
	}

	async open(source: Encodable | undefined, profile: Profile): Promise<void> {
		const format = findFormat();
		if (!format) throw new ShoalError('no-encoder', 'this browser records no WebM');
		this.#format = format;
		this.#profile = profile;
		this.#videoBps = profile.videoBps;
		this.#startMs = performance.now();
		await this.setSource(source);
	}

	setSource(source: Encodable | undefined): Promise<void> {
		this.#stop();
		const profile = this.#profile;
		if (!profile) return Promise.resolve();
		try {
			this.#start(source, profile);
			return Promise.resolve();
		} catch (cause) {
			const message = 'the recorder does not start';
			return Promise.reject(new ShoalError('encoder-failed', message, { cause }));
		}
	}

	/** Takes effect with the next source. */
	setVideoBps(bps: number): void {
		this.#videoBps = bps;
	}

	async close(): Promise<void> {
		this.#profile = undefined;
		this.#stop();
	}

	#start(source: Encodable | undefined, profile: Profile): void {
		const { stream, isSlate, isSilent, release } = completed(source);
		this.onReport({ type: 'picture', isSlate });
		const options: RecorderOptions = {
			mimeType: `video/webm;codecs=${this.#format}`,
			videoBitsPerSecond: this.#videoBps,
			audioBitsPerSecond: profile.audioBps,
			videoKeyFrameIntervalDuration: profile.keyFrameMs,
		};
		const recorder = new MediaRecorder(stream, options);
		const recording: Recording = { recorder, release };
		this.#recording = recording;
		const reader = new WebmReader();
		// Never behind what was sent: two recordings must not overlap.
		const offsetMs = Math.max(performance.now() - this.#startMs, this.#endUs / 1000);
		const cutter = new RecordingCutter(profile.segmentMs, offsetMs);
		const init = ++this.#inits;
		let isBegun = false;
		let queue = Promise.resolve();
		recorder.ondataavailable = ({ data }) => {
			queue = queue.then(async () => {
				const blocks = reader.push(new Uint8Array(await data.arrayBuffer()));
				if (this.#recording !== recording) return;
				if (!isBegun && reader.header) {
					const mime = `video/webm; codecs="${this.#format}"`;
					this.onReport({ type: 'init', id: init, bytes: reader.header, mime });
				}
				for (const block of blocks) {
					if (block.isVideo) this.#frames++;
					if (block.isVideo && block.isKey) this.#keyFrames++;
					const segment = cutter.push(block);
					if (!segment) continue;
					this.#send(segment, { init, discontinuity: init > 1 && !isBegun });
					isBegun = true;
				}
			});
			queue.catch((cause: unknown) => this.#fail(recording, cause));
		};
		recorder.onerror = () => this.#fail(recording, new Error('the recorder broke'));
		// By itself it only stops when its tracks have ended.
		recorder.onstop = () => {
			if (this.#recording === recording) void this.setSource(undefined);
		};
		recorder.start(SLICE_MS);
		if (isSlate) this.#warn('source-lost', 'there is no picture');
		if (isSilent) this.#warn('no-audio', 'there is no sound');
	}

	#stop(): void {
		const recording = this.#recording;
		this.#recording = undefined;
		if (!recording) return;
		if (recording.recorder.state !== 'inactive') recording.recorder.stop();
		recording.release();
	}

	#fail(recording: Recording, cause: unknown): void {
		if (this.#recording !== recording) return;
		this.#stop();
		this.onReport({ type: 'failed', code: 'encoder-failed', message: String(cause) });
	}

	#warn(code: 'source-lost' | 'no-audio', detail: string): void {
		this.onReport({ type: 'warning', code, detail });
	}

	#send(segment: RecordedSegment, flags: { init: number; discontinuity: boolean }): void {
		this.#endUs = segment.startUs + segment.durationUs;
		this.#segments++;
		this.#meter.add(segment.bytes.length, performance.now());
		this.onReport({ type: 'segment', ...segment, ...flags, stats: this.#stats() });
	}

	#stats(): EncoderStats {
		return {
			framesIn: this.#frames,
			framesEncoded: this.#frames,
			framesDropped: 0,
			isOverloaded: false,
			framesRepeated: 0,
			keyFrames: this.#keyFrames,
			targetBps: this.#videoBps,
			videoBps: this.#meter.bps(performance.now()),
			codec: this.#format.split(',')[0] ?? '',
			encoderQueue: 0,
			width: 0,
			height: 0,
			segments: this.#segments,
			segmentDelayMs: performance.now() - this.#startMs - this.#endUs / 1000,
			silentMs: 0,
		};
	}
}

function findFormat(): string | undefined {
	if (typeof MediaRecorder === 'undefined') return undefined;
	return FORMATS.find((format) => MediaRecorder.isTypeSupported(`video/webm;codecs=${format}`));
}

/** A stream with both a picture and sound, whatever the source has: recorders can't be given more tracks later. */
function completed(source: Encodable | undefined): {
	stream: MediaStream;
	isSlate: boolean;
	isSilent: boolean;
	release: () => void;
} {
	const isLive = (track: MediaStreamTrack) => track.readyState === 'live';
	const video = source?.stream.getVideoTracks().find(isLive);
	const audio = source?.stream.getAudioTracks().find(isLive);
	const slate = video ? undefined : paintSlate();
	const silence = audio ? undefined : makeSilence();
	const tracks = [video ?? slate?.track, audio ?? silence?.track];
	return {
		stream: new MediaStream(tracks.filter((track) => track !== undefined)),
		isSlate: !video,
		isSilent: !audio,
		release() {
			slate?.close();
			silence?.close();
		},
	};
}

interface MadeTrack {
	readonly track: MediaStreamTrack | undefined;
	close(): void;
}

function paintSlate(): MadeTrack {
	const canvas = document.createElement('canvas');
	canvas.width = 640;
	canvas.height = 360;
	const context = canvas.getContext('2d');
	let count = 0;
	const paint = (): void => {
		if (!context) return;
		// A canvas that does not change gives no frames; nobody sees this change.
		context.fillStyle = count++ % 2 ? '#14161a' : '#14161b';
		context.fillRect(0, 0, canvas.width, canvas.height);
	};
	paint();
	const timer = setInterval(paint, SLATE_MS);
	const [track] = canvas.captureStream().getVideoTracks();
	return {
		track,
		close() {
			clearInterval(timer);
			track?.stop();
		},
	};
}

function makeSilence(): MadeTrack {
	const context = new AudioContext();
	const destination = context.createMediaStreamDestination();
	// A destination that nothing plays into gives no samples, not even silent ones.
	const source = new ConstantSourceNode(context, { offset: 0 });
	source.connect(destination);
	source.start();
	void context.resume();
	const [track] = destination.stream.getAudioTracks();
	return { track, close: () => void context.close() };
}
