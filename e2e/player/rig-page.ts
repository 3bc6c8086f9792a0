// Runs in the page: a viewer that needs no network, which hands out recorded segments in real time.
import { Player, type PlayerOptions, type ViewerLike } from '../../src/lib/player.ts';
import { Emitter } from '../../src/lib/util/emitter.ts';
import type { LiveSegment } from '../../src/lib/play/live-segment.ts';
import type { InitSegment } from '../../src/lib/model/segment.ts';
import type { Media } from './media.ts';

/** A stretch of the broadcast. */
export interface Leg {
	/** Name of the recording. */
	readonly media: string;
	/** Segments of the recording, first and behind the last. */
	readonly from: number;
	readonly to: number;
	/** A broadcaster who came back; media times begin anew. @default the epoch of the leg before */
	readonly epoch?: number;
	/** Silence before the leg, milliseconds. */
	readonly pauseMs?: number;
}

/** What is broadcast and what happens to it on the way. */
export interface Show {
	readonly legs: readonly Leg[];
	/** Segments (counted through all legs) that never come. */
	readonly lose?: readonly number[];
	/** Segments that come this much later, milliseconds. */
	readonly late?: Readonly<Record<number, number>>;
	/** Segments whose media is damaged after verification. */
	readonly corrupt?: readonly number[];
	/** Every segment comes up to this much later, milliseconds, by a seeded lot. */
	readonly jitterMs?: number;
	/** The first segments come all at once, as to one who joins late. */
	readonly burst?: number;
	/** The page's source buffers say that they are full at every so many appends, thirty times. */
	readonly fullEvery?: number;
}

interface FeedEvents {
	segment: LiveSegment;
	init: InitSegment;
	state: { readonly type: string };
}

class Feed extends Emitter<FeedEvents> implements ViewerLike {
	state = { type: 'receiving' };
	readonly playheads: (number | undefined)[] = [];
	/** When media time 0 of the first leg would have been before the camera, on the page's clock. */
	zeroMs = 0;
	done: Promise<void> = Promise.resolve();

	setPlayhead(behindMs: number | undefined): void {
		this.playheads.push(behindMs);
	}

	/** An init segment on its own. */
	init(init: InitSegment): void {
		this.emit('init', init);
	}

	end(): void {
		this.state = { type: 'ended' };
		this.emit('state', this.state);
	}

	air(show: Show, recordings: Readonly<Record<string, Media>>): void {
		const random = lot(7);
		const inits = new Map<string, InitSegment>();
		const pending: Promise<void>[] = [];
		let index = 0;
		let offsetMs: number | undefined;
		let endMs = performance.now();
		let epoch = 1;
		let sequence = 0;
		let sinceKeyFrame = 0;
		for (const leg of show.legs) {
			const media = recordings[leg.media]!;
			const init = inits.get(leg.media) ?? { bytes: bytesOf(media.init), mime: media.mime };
			inits.set(leg.media, init);
			const segments = media.segments.slice(leg.from, leg.to);
			const isNew = leg.epoch !== undefined && leg.epoch !== epoch;
			if (isNew) [epoch, sequence] = [leg.epoch, 0];
			const firstUs = segments[0]!.startUs;
			if (offsetMs === undefined) {
				// Whoever joins late gets what was broadcast before at once.
				const burstUs = show.burst ? segments[show.burst]!.startUs - firstUs : 0;
				offsetMs = endMs - (firstUs + burstUs) / 1000;
				this.zeroMs = offsetMs;
			} else if (isNew || leg.pauseMs) {
				offsetMs = endMs + (leg.pauseMs ?? 0) - firstUs / 1000;
			}
			for (const [at, segment] of segments.entries()) {
				sinceKeyFrame = segment.isKey ? 0 : sinceKeyFrame + 1;
				endMs = offsetMs + (segment.startUs + segment.durationUs) / 1000;
				const live: LiveSegment = {
					manifest: {
						epoch,
						sequence: sequence++,
						startUs: segment.startUs,
						durationUs: segment.durationUs,
						sinceKeyFrame,
						discontinuity: at === 0,
						signedAtMs: Math.round(endMs + performance.timeOrigin),
						initSha256: new Uint8Array(32).fill(1 + [...inits.keys()].indexOf(leg.media)),
					},
					bytes: bytesOf(segment.bytes),
					init,
				};
				if (show.corrupt?.includes(index)) live.bytes.fill(0xff, live.bytes.length >> 4);
				const lateMs = (show.late?.[index] ?? 0) + random() * (show.jitterMs ?? 0);
				const dueMs = endMs + lateMs;
				if (!show.lose?.includes(index)) pending.push(this.#send(live, dueMs));
				index++;
			}
		}
		this.done = Promise.all(pending).then(() => undefined);
	}

	async #send(live: LiveSegment, dueMs: number): Promise<void> {
		await sleep(Math.max(0, dueMs - performance.now()));
		this.emit('init', live.init);
		this.emit('segment', live);
	}
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
	return Uint8Array.from(atob(base64), (symbol) => symbol.charCodeAt(0));
}

function sleep(delayMs: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** A repeatable source of numbers in [0, 1). */
function lot(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2 ** 32;
	};
}

/** A frame that was shown. */
export interface Shown {
	readonly atMs: number;
	readonly mediaS: number;
	/** Camera to screen, for broadcasts of one epoch. */
	readonly delayMs: number;
}

/** From and to, seconds. */
export type Stretch = readonly [number, number];

function stretchesOf(ranges: TimeRanges): Stretch[] {
	return Array.from({ length: ranges.length }, (_, i) => [ranges.start(i), ranges.end(i)]);
}

/** The page's side of a test. */
export class Rig {
	readonly video = document.body.appendChild(document.createElement('video'));
	readonly feed = new Feed();
	readonly player: Player;
	readonly shown: Shown[] = [];
	readonly states: string[] = [];
	/** Stretches of media that sources before the present one played. */
	readonly #past: Stretch[] = [];
	#present: Stretch[] = [];
	readonly log: string[] = [];

	constructor(show: Show, recordings: Readonly<Record<string, Media>>, options: PlayerOptions) {
		this.video.muted = true;
		this.video.width = 320;
		this.video.addEventListener(
			'timeupdate',
			() => (this.#present = stretchesOf(this.video.played)),
		);
		this.video.addEventListener('emptied', () => this.#past.push(...this.#present.splice(0)));
		if (show.fullEvery) overfill(show.fullEvery);
		this.player = new Player(this.video, this.feed, options);
		this.player.on('state', (state) => this.#note('state', state.type));
		this.player.on('livechange', ({ atEdge }) => this.#note('edge', String(atEdge)));
		this.video.addEventListener('seeking', () =>
			this.#note('seek', this.video.currentTime.toFixed(3)),
		);
		this.video.addEventListener('ratechange', () =>
			this.#note('rate', String(this.video.playbackRate)),
		);
		this.video.addEventListener('waiting', () => this.#note('waiting', ''));
		this.player.on('state', ({ type }) => this.states.push(type));
		this.#watch();
		this.feed.air(show, recordings);
		void this.player.play();
	}

	/** Every stretch of media that was played. */
	get played(): Stretch[] {
		return [...this.#past, ...stretchesOf(this.video.played)];
	}

	#note(what: string, detail: string): void {
		const { video } = this;
		const end = video.buffered.length ? video.buffered.end(video.buffered.length - 1) : 0;
		const ahead = (end - video.currentTime).toFixed(2);
		const at = ((performance.now() - this.feed.zeroMs) / 1000).toFixed(2);
		this.log.push(
			`${at} ${what} ${detail} @${video.currentTime.toFixed(2)} ahead ${ahead} target ${this.player.stats.targetMs}`,
		);
	}

	#watch(): void {
		this.video.requestVideoFrameCallback((nowMs, { mediaTime, expectedDisplayTime }) => {
			const delayMs = expectedDisplayTime - this.feed.zeroMs - mediaTime * 1000;
			this.shown.push({ atMs: nowMs, mediaS: mediaTime, delayMs });
			this.#watch();
		});
	}
}

let isOverfull = false;

/** Makes the page's source buffers say that they are full at every so many appends. */
function overfill(every: number): void {
	if (isOverfull) return;
	isOverfull = true;
	const append = SourceBuffer.prototype.appendBuffer;
	let calls = 0;
	let full = 0;
	SourceBuffer.prototype.appendBuffer = function (bytes) {
		if (++calls > 8 && calls % every === 0 && full++ < 30) {
			throw new DOMException('full', 'QuotaExceededError');
		}
		append.call(this, bytes);
	};
}

declare global {
	interface Window {
		/** Begins shows on the page, each on a video of its own. */
		begin(shows: readonly Show[], options?: PlayerOptions): Promise<void>;
		rigs: Rig[];
		/** The first. */
		rig: Rig;
		/** A recording by its name. */
		recording(name: string): Promise<Media>;
	}
}

window.recording = async (name) => (await (await fetch(`/${name}.json`)).json()) as Media;

window.begin = async (shows, options = {}) => {
	const names = new Set(shows.flatMap(({ legs }) => legs.map(({ media }) => media)));
	const recordings: Record<string, Media> = {};
	for (const name of names) recordings[name] = await window.recording(name);
	window.rigs = shows.map((show) => new Rig(show, recordings, options));
	window.rig = window.rigs[0]!;
};
