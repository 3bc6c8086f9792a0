import type { ShoalError } from '../model/error.ts';
import type { InitSegment } from '../model/segment.ts';
import type { Clock } from '../util/clock.ts';
import type { AppendStep } from './append-queue.ts';
import { MediaSink, needsNewSource, rangesOf, videoError } from './media-sink.ts';
import type { Playback, VideoView } from './playback.ts';

/** What a driver works with. */
export interface SinkDriverOptions {
	readonly video: HTMLVideoElement;
	readonly playback: Playback;
	readonly clock: Clock;
	/** The video as it is now. */
	readonly view: () => VideoView;
	/** A source was opened, something was appended or went wrong. */
	readonly onchange: () => void;
}

const MAX_REBUILDS = 3;
const REBUILD_WINDOW_MS = 60_000;

/** Carries out what a playback's queue asks for, one operation after another, and builds a broken source anew. */
export class SinkDriver {
	readonly #options: SinkDriverOptions;
	#sink: MediaSink | undefined;
	#running = false;
	#closed = false;
	#error: ShoalError | undefined;
	#rebuildsMs: number[] = [];
	#rebuilds = 0;
	#appendedBytes = 0;

	constructor(options: SinkDriverOptions) {
		this.#options = options;
	}

	/** Whether there is a source on the video. */
	get isOpen(): boolean {
		return !!this.#sink?.isUsable;
	}

	/** Why it gave up: more than three rebuilds within a minute, or no source to be had. */
	get error(): ShoalError | undefined {
		return this.#error;
	}

	/** Sources built anew after an error. */
	get rebuilds(): number {
		return this.#rebuilds;
	}

	/** Segment bytes appended so far. */
	get appendedBytes(): number {
		return this.#appendedBytes;
	}

	/** Opens a source while the first segment is still on its way. */
	prepare(init: InitSegment): void {
		if (!this.#sink) void this.#run(init);
	}

	/** Does what there is to do. */
	drive(): void {
		if (!this.#sink || this.#sink.isReady) void this.#run();
	}

	/** Tries anew after it gave up. */
	retry(): void {
		this.#error = undefined;
		this.#rebuildsMs = [];
	}

	/** The media broke while nothing was being appended, or nothing moves it. */
	mend(): void {
		// An append under way finds out by itself, and knows which segment it was.
		if (this.#sink && !this.#running) this.#rebuild(-Infinity);
	}

	/** Lets go of the video; idempotent. */
	close(): void {
		this.#closed = true;
		this.#sink?.close();
		this.#sink = undefined;
	}

	async #run(first?: InitSegment): Promise<void> {
		if (this.#running) return;
		this.#running = true;
		try {
			if (first) {
				await this.#open(first);
				await this.#sink?.begin(first);
			}
			while (!this.#closed && !this.#error) {
				const step = this.#options.playback.media(this.#options.view());
				if (!step || !(await this.#carryOut(step))) break;
			}
		} finally {
			this.#running = false;
		}
	}

	/** Does one step; `false` when it has to wait. */
	async #carryOut(step: AppendStep): Promise<boolean> {
		const { playback, clock, onchange } = this.#options;
		if (step.type === 'append') await this.#suit(step);
		const sink = this.#sink;
		if (!sink?.isReady) return false;
		const result = await (step.type === 'append'
			? sink.append(step.placed)
			: sink.remove(step.fromS, step.toS));
		if (this.#closed || sink !== this.#sink) return false;
		if (result === 'full') playback.full(step, clock.now());
		if (result === 'broken') this.#rebuild(step.type === 'append' ? step.placed.startS : -Infinity);
		if (result === 'done') {
			playback.done(step, clock.now());
			if (step.type === 'append') this.#appendedBytes += step.placed.segment.bytes.length;
			this.#showSeekable(sink);
		}
		onchange();
		return true;
	}

	/** Makes sure of a source with the kinds of tracks that the segment has. */
	async #suit({ placed }: Extract<AppendStep, { type: 'append' }>): Promise<void> {
		const { init } = placed.segment;
		const present = this.#sink?.init;
		if (present && needsNewSource(present, init)) this.#discard(placed.startS - 0.001);
		if (!this.#sink) await this.#open(init);
	}

	async #open(init: InitSegment): Promise<void> {
		const { video, onchange } = this.#options;
		try {
			const sink = await MediaSink.open(video, init.mime);
			if (this.#closed) return;
			sink.onwanted = onchange;
			this.#sink = sink;
			onchange();
		} catch (error) {
			this.#error = error as ShoalError;
			onchange();
		}
	}

	#discard(afterS: number): void {
		this.#sink?.close();
		this.#sink = undefined;
		this.#options.playback.restart(afterS);
	}

	/** Begins with a new source behind what broke the old one; gives up when that doesn't help. */
	#rebuild(afterS: number): void {
		const nowMs = this.#options.clock.now();
		const error = videoError(this.#options.video);
		this.#discard(afterS);
		this.#rebuildsMs = this.#rebuildsMs.filter((atMs) => nowMs - atMs < REBUILD_WINDOW_MS);
		if (this.#rebuildsMs.length >= MAX_REBUILDS) {
			this.#error = error;
			return;
		}
		this.#rebuildsMs.push(nowMs);
		this.#rebuilds++;
	}

	#showSeekable(sink: MediaSink): void {
		const ranges = rangesOf(this.#options.video.buffered);
		const first = ranges[0];
		const last = ranges.at(-1);
		if (first && last) sink.setSeekable(first.startS, last.endS);
	}
}
