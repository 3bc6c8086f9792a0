// Runs in the page: sources and encoders as a broadcast uses them, with everything they give written down.
import { openCamera } from '../../src/lib/capture/camera.ts';
import { openFile } from '../../src/lib/capture/file.ts';
import { openScreen } from '../../src/lib/capture/screen.ts';
import type { Source } from '../../src/lib/capture/source.ts';
import { Encoder } from '../../src/lib/encode/encoder.ts';
import { LOW_DELAY, STEADY, type Profile } from '../../src/lib/encode/profile.ts';
import type { EncodedSegment, InitSegment } from '../../src/lib/model/segment.ts';
import type { EncoderReport } from '../../src/lib/encode/encoder-message.ts';
import { Pipeline } from '../../src/lib/encode/pipeline.ts';
import { holdChannel } from '../../src/lib/sign/hold-channel.ts';
import { openSignStorage } from '../../src/lib/sign/indexed-db-storage.ts';
import { openChannelKeys } from '../../src/lib/sign/key-store.ts';
import { openPlace } from '../../src/lib/sign/place.ts';
import { machineClock } from '../../src/lib/worker-clock.ts';

/** A segment as the tests look at it. */
export interface Shot {
	/** When it came, milliseconds since the encoder was asked for. */
	readonly atMs: number;
	readonly startUs: number;
	readonly durationUs: number;
	readonly sinceKeyFrame: number;
	readonly discontinuity: boolean;
	readonly mime: string;
	/** Counts init segments, from 0. */
	readonly init: number;
	readonly length: number;
	/** Whether the page was hidden when it came. */
	readonly isHidden: boolean;
	/** From the end of its media to its last byte, as the encoder says. */
	readonly delayMs: number;
}

type Kind = 'camera' | 'screen' | 'file' | 'painted' | 'uneven' | 'none';

type TrackProcessor = new (init: { track: MediaStreamTrack }) => {
	readonly readable: ReadableStream<VideoFrame>;
};

/** One encoder and what came of it. */
class Lab {
	shots: Shot[] = [];
	warnings: string[] = [];
	states: string[] = [];
	ends: string[] = [];
	error: string | undefined;
	source: Source | undefined;
	canvas: HTMLCanvasElement | undefined;
	#encoder: Encoder | undefined;
	#inits: InitSegment[] = [];
	#segments: EncodedSegment[] = [];
	#openedMs = 0;
	#withheld: VideoFrame | undefined;
	#painting: ReturnType<typeof setInterval> | undefined;

	get stats() {
		return this.#encoder?.stats;
	}

	async open(kind: Kind, profile: 'steady' | 'low-delay', changes: Partial<Profile> = {}) {
		this.source = await this.#take(kind);
		this.#openedMs = performance.now();
		const base = profile === 'steady' ? STEADY : LOW_DELAY;
		this.#encoder = await Encoder.open(this.source, { ...base, ...changes });
		this.#encoder.on('segment', (segment) => this.#keep(segment));
		this.#encoder.on('warning', ({ code }) => this.warnings.push(code));
		this.#encoder.on('state', ({ type }) => this.states.push(type));
		this.#encoder.on('error', (error) => (this.error = error.code));
	}

	async change(kind: Kind) {
		const before = this.source;
		this.source = await this.#take(kind);
		await this.#encoder?.setSource(this.source);
		before?.close();
	}

	setVideoBps(bps: number) {
		this.#encoder?.setVideoBps(bps);
	}

	async close() {
		await this.#encoder?.close();
		this.source?.close();
		this.#withheld?.close();
		clearInterval(this.#painting);
	}

	/** Keeps a frame of the camera, as the page before a reload does until its memory is cleaned up. */
	async withhold() {
		const { stream } = await openCamera({ audio: false });
		const Processor = (globalThis as unknown as { MediaStreamTrackProcessor: TrackProcessor })
			.MediaStreamTrackProcessor;
		const reader = new Processor({ track: stream.getVideoTracks()[0]! }).readable.getReader();
		this.#withheld = (await reader.read()).value;
		void reader.cancel();
	}

	/** Init and segments from one number to another (not included), as one file in base64. */
	file(from = 0, to = this.#segments.length): string {
		const segments = this.#segments.slice(from, to);
		const init = segments[0]?.init.bytes ?? new Uint8Array();
		let text = '';
		for (const bytes of [init, ...segments.map((segment) => segment.bytes)]) {
			for (const byte of bytes) text += String.fromCharCode(byte);
		}
		return btoa(text);
	}

	/** Frames that a video decodes when the segments are appended to it, one after the other, and played through. */
	async decoded(from: number, to: number): Promise<number> {
		const segments = this.#segments.slice(from, to);
		const video = document.createElement('video');
		const source = new MediaSource();
		video.muted = true;
		video.src = URL.createObjectURL(source);
		const until = (target: EventTarget, name: string) =>
			new Promise((resolve) => target.addEventListener(name, resolve, { once: true }));
		await until(source, 'sourceopen');
		const buffer = source.addSourceBuffer(segments[0]?.init.mime ?? '');
		for (const bytes of [segments[0]?.init.bytes, ...segments.map((segment) => segment.bytes)]) {
			if (bytes) buffer.appendBuffer(bytes);
			await until(buffer, 'updateend');
		}
		source.endOfStream();
		video.currentTime = video.buffered.start(0);
		video.playbackRate = 2;
		await Promise.all([until(video, 'ended'), video.play()]);
		return video.getVideoPlaybackQuality().totalVideoFrames;
	}

	#keep(segment: EncodedSegment) {
		if (!this.#inits.includes(segment.init)) this.#inits.push(segment.init);
		this.#segments.push(segment);
		const { startUs, durationUs, sinceKeyFrame, discontinuity, init } = segment;
		this.shots.push({
			...{ startUs, durationUs, sinceKeyFrame, discontinuity },
			atMs: performance.now() - this.#openedMs,
			mime: init.mime,
			init: this.#inits.indexOf(init),
			length: segment.bytes.length,
			isHidden: document.hidden,
			delayMs: this.#encoder?.stats.segmentDelayMs ?? 0,
		});
	}

	async #take(kind: Kind): Promise<Source | undefined> {
		const take = {
			camera: () => openCamera(),
			screen: () => openScreen(),
			file: async () => openFile(await (await fetch('/film.mp4')).blob()),
			painted: () => this.#paint(30),
			uneven: () => this.#paint(0),
			none: () => undefined,
		};
		const source = await take[kind]();
		if (source) source.onended = (why) => this.ends.push(why);
		return source;
	}

	/** A canvas that moves for as long as it is told to. At 0 frames a second it leaves out two of eleven, as a busy camera may. */
	#paint(frameRate: 30 | 0): Source {
		const canvas = document.createElement('canvas');
		canvas.width = 640;
		canvas.height = 360;
		this.canvas = canvas;
		this.move(true);
		const stream = canvas.captureStream(frameRate);
		const [track] = stream.getVideoTracks() as CanvasCaptureMediaStreamTrack[];
		let count = 0;
		const pace = setInterval(() => {
			if (frameRate === 0 && count++ % 11 < 9) track?.requestFrame();
		}, 33);
		const close = () => {
			clearInterval(pace);
			track?.stop();
		};
		const rest = {
			kind: 'screen',
			label: 'painted',
			hasAudio: false,
			hasVideo: true,
			absent: [],
		} as const;
		return { ...rest, stream, onended: undefined, close };
	}

	move(isMoving: boolean) {
		clearInterval(this.#painting);
		const context = this.canvas?.getContext('2d');
		if (!isMoving || !context) return;
		let count = 0;
		this.#painting = setInterval(() => {
			const { width, height } = context.canvas;
			// Enough going on that an encoder needs all the bits it may take.
			for (let i = 0; i < 8; i++, count++) {
				context.fillStyle = `hsl(${(count * 47) % 360} 80% ${(count * 13) % 100}%)`;
				context.fillRect((count * 7919) % width, (count * 104729) % height, 40, 25);
			}
		}, 33);
	}
}

/** Pictures wider than this are too much for an encoder that is slow. */
const SLOW_ABOVE = 640;

/** How an encoder goes wrong: at the planned frames, or with every picture that is too large for it. */
type Breakage = 'error' | 'throw' | 'mute' | 'slow';

/** A `VideoEncoder` that breaks at some frames, counted through all that were made. */
function breakingEncoder(breakAt: readonly number[], kind: Breakage) {
	let count = 0;
	return class extends VideoEncoder {
		#fail: (error: DOMException) => void;
		#isMute = false;
		#width = 0;

		override get encodeQueueSize() {
			return kind === 'slow' && this.#width > SLOW_ABOVE ? 5 : super.encodeQueueSize;
		}

		override configure(config: VideoEncoderConfig) {
			this.#width = config.width;
			super.configure(config);
		}

		constructor(init: VideoEncoderInit) {
			super({ ...init, output: (...output) => void (this.#isMute || init.output(...output)) });
			this.#fail = init.error;
		}

		override encode(frame: VideoFrame, options?: VideoEncoderEncodeOptions) {
			if (!breakAt.includes(count++)) return super.encode(frame, options);
			if (kind === 'throw') throw new DOMException('planned', 'InvalidStateError');
			if (kind === 'mute') this.#isMute = true;
			else this.#fail(new DOMException('planned', 'EncodingError'));
		}
	};
}

/** Runs the worker's part in the page with an encoder that breaks, until so many segments came or a while is over. */
async function runBreaking(
	breakAt: readonly number[],
	kind: Breakage,
	{ ms, segments = Infinity }: { ms: number; segments?: number },
) {
	const source = await openCamera();
	const reports: EncoderReport[] = [];
	const media = { VideoEncoder: breakingEncoder(breakAt, kind), AudioEncoder };
	const pipeline = new Pipeline({ profile: STEADY, media, emit: (report) => reports.push(report) });
	const read = (track: MediaStreamTrack | undefined) =>
		new (
			globalThis as unknown as {
				MediaStreamTrackProcessor: new (init: object) => { readable: ReadableStream };
			}
		).MediaStreamTrackProcessor({ track }).readable;
	const [video, audio] = [source.stream.getVideoTracks()[0], source.stream.getAudioTracks()[0]];
	await pipeline.open({ video: read(video), audio: read(audio) });
	const endMs = performance.now() + ms;
	const came = () => reports.filter(({ type }) => type === 'segment').length;
	while (performance.now() < endMs && came() < segments)
		await new Promise((resolve) => setTimeout(resolve, 50));
	pipeline.close();
	source.close();
	return reports.map((report) => {
		if (report.type === 'segment') {
			const { type, startUs, sinceKeyFrame, discontinuity, init, bytes, stats } = report;
			const { framesEncoded, width } = stats;
			const length = bytes.length;
			return { type, startUs, sinceKeyFrame, discontinuity, init, length, framesEncoded, width };
		}
		return { type: report.type, code: 'code' in report ? report.code : undefined };
	});
}

/** Lets the engine's clock beat, and counts. */
function startBeats(): void {
	const clock = machineClock();
	const beats = { shown: 0, hidden: 0 };
	const beat = () => {
		beats[document.hidden ? 'hidden' : 'shown']++;
		clock.after(50, beat);
	};
	beat();
	// Set while the page is shown, due while it is hidden.
	const early = { hasRun: false };
	clock.after(6000, () => (early.hasRun = document.hidden));
	window.beats = { beats, early };
}

/** What tests reach as `window.lab` and `window.sign`. */
declare global {
	interface Window {
		lab: Lab;
		newLab: () => Lab;
		runBreaking: typeof runBreaking;
		startBeats: typeof startBeats;
		beats: { beats: { shown: number; hidden: number }; early: { hasRun: boolean } };
		sign: {
			channelId(): Promise<string>;
			place(): Promise<{ epoch: number; nextPiece: number }>;
			hold(): Promise<string>;
			exportPrivate(): Promise<string>;
		};
	}
}

window.lab = new Lab();
window.newLab = () => (window.lab = new Lab());
window.runBreaking = runBreaking;
window.startBeats = startBeats;
window.sign = {
	async channelId() {
		return (await openChannelKeys(await openSignStorage())).channel.id;
	},
	async place() {
		const storage = await openSignStorage();
		const { channel } = await openChannelKeys(storage);
		const { epoch, nextPiece } = (await openPlace(channel, storage)).place;
		return { epoch, nextPiece };
	},
	async hold() {
		const { channel } = await openChannelKeys(await openSignStorage());
		return holdChannel(channel).then(
			() => 'held',
			(error: { code: string }) => error.code,
		);
	},
	async exportPrivate() {
		const pair = await (await openSignStorage()).loadPair(() => Promise.reject(new Error('none')));
		return crypto.subtle.exportKey('pkcs8', pair.privateKey).then(
			() => 'exported',
			(error: Error) => error.name,
		);
	},
};
