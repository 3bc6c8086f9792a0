import type { InitSegment } from './model/segment.ts';
import { ShoalError } from './model/error.ts';
import { mayBeBrowsersPause } from './play/browser-pause.ts';
import { DecoderStrain, ENOUGH_S } from './play/decoder-strain.ts';
import { FrameCount } from './play/frame-count.ts';
import type { AppendBounds } from './play/append-queue.ts';
import type { LiveSegment } from './play/live-segment.ts';
import { canPlay, rangesOf } from './play/media-sink.ts';
import {
	Playback,
	type PlaybackCounts,
	type PlaybackStep,
	type VideoView,
} from './play/playback.ts';
import { aheadS } from './play/ranges.ts';
import { SinkDriver } from './play/sink-driver.ts';
import { startVideo } from './play/start-video.ts';
import type { Clock } from './util/clock.ts';
import { Emitter } from './util/emitter.ts';
import { machineClock } from './worker-clock.ts';

/** What the player needs of a viewer. */
export interface ViewerLike {
	readonly state: { readonly type: string };
	on(name: 'segment', listener: (segment: LiveSegment) => void): () => void;
	on(name: 'init', listener: (init: InitSegment) => void): () => void;
	on(name: 'state', listener: (state: { readonly type: string }) => void): () => void;
	/** Told once a second how far behind the live edge the person watches. */
	setPlayhead?(behindMs: number | undefined): void;
}

/** What the player is doing. */
export type PlayerState =
	/** Nothing has arrived yet. */
	| { readonly type: 'idle' }
	/** Media arrives; the first frame is on its way. */
	| { readonly type: 'buffering' }
	| { readonly type: 'playing' }
	/** Playback waits since `sinceMs` (milliseconds since 1970): for media, or for this device, which has it and doesn't get it shown. */
	| { readonly type: 'stalled'; readonly sinceMs: number; readonly cause: 'network' | 'device' }
	| { readonly type: 'paused' }
	/** The broadcast is over and played out. A later one on the channel plays on by itself. */
	| { readonly type: 'ended' }
	/** `unsupported-codec`, until other media comes; `playback-failed`, until `play()` is called. */
	| { readonly type: 'failed'; readonly error: ShoalError };

/** Figures of a player; counters run from the beginning. */
export interface PlayerStats extends PlaybackCounts {
	/** Behind the live edge, that is behind the newest media this viewer could have by now. */
	readonly behindMs: number | undefined;
	/** From the broadcaster's signing to the screen, by both machines' clocks: off by as much as they disagree, and short of what capture and encoding take. */
	readonly glassToGlassMs: number | undefined;
	/** The delay behind the live edge that is aimed at. */
	readonly targetMs: number | undefined;
	/** Playable from the playhead on. */
	readonly bufferedMs: number;
	/** Segments that wait to be appended. */
	readonly pendingSegments: number;
	readonly rate: number;
	readonly droppedFrames: number;
	readonly decodedFrames: number;
	/** Whether this device leaves out so many of the pictures that come in time that it is seen. */
	readonly overloaded: boolean;
	readonly appendedBytes: number;
	/** From the construction of the player to its first frame. */
	readonly firstFrameMs: number | undefined;
	/** Sources that were built anew after an error. */
	readonly rebuilds: number;
}

/** Events of a player. */
export interface PlayerEvents {
	state: PlayerState;
	/** Once a second. */
	stats: PlayerStats;
	/** The browser refused sound, and playback goes on muted; or it refused to play at all (`video.paused`). */
	autoplayblocked: undefined;
	/** The playhead came to the live edge or left it. */
	livechange: { readonly atEdge: boolean; readonly behindMs: number };
}

/** Options of a player. */
export interface PlayerOptions {
	/** Delay behind the live edge that is held at least, milliseconds. @default 'auto', the least that plays smoothly */
	readonly targetLatencyMs?: number | 'auto';
	/** How much media is kept to go back to, and how much may wait. */
	readonly bounds?: AppendBounds;
	readonly clock?: Clock;
}

const TICK_MS = 250;
const STATS_MS = 1000;
/** A wait shorter than this is not worth a word on the page. */
const STALL_SHOWN_MS = 150;
/** So near to the end of a broadcast there is nothing left to see: decoders stop a little before it. */
const END_S = 0.15;
/** So far behind the target one still counts as live. */
const LIVE_SLACK_S = 1.5;
/** What makes the player look at the video again. */
const VIDEO_EVENTS = [
	'waiting',
	'playing',
	'canplay',
	'seeked',
	'timeupdate',
	'ratechange',
] as const;

/** Plays a viewer's segments on a video element, as near to the live edge as they come smoothly. */
export class Player<V extends ViewerLike = ViewerLike> extends Emitter<PlayerEvents> {
	readonly viewer: V;
	readonly #video: HTMLVideoElement;
	readonly #clock: Clock;
	readonly #playback: Playback;
	readonly #driver: SinkDriver;
	readonly #undo: (() => void)[] = [];
	readonly #openedMs: number;
	#state: PlayerState = { type: 'idle' };
	/** The broadcast's codec, which this browser can't play. */
	#unsupported: ShoalError | undefined;
	#wantsPlay = false;
	#closed = false;
	#hasMedia = false;
	#ownSeekS: number | undefined;
	#wasAtEdge: boolean | undefined;
	#firstFrameMs: number | undefined;
	readonly #frames = new FrameCount();
	readonly #strain = new DecoderStrain();
	#statsMs = -Infinity;

	/** The element and the viewer stay the caller's; `close` gives the element back empty. */
	constructor(video: HTMLVideoElement, viewer: V, options: PlayerOptions = {}) {
		super();
		this.viewer = viewer;
		this.#video = video;
		this.#clock = options.clock ?? machineClock();
		this.#playback = new Playback({ targetMs: options.targetLatencyMs, bounds: options.bounds });
		this.#openedMs = this.#clock.now();
		this.#driver = new SinkDriver({
			video,
			playback: this.#playback,
			clock: this.#clock,
			view: () => this.#view(),
			onchange: () => this.#evaluate(),
		});
		video.preservesPitch = true;
		this.#undo.push(
			viewer.on('init', (init) => this.#onInit(init)),
			viewer.on('segment', (segment) => this.#onSegment(segment)),
			viewer.on('state', () => this.#evaluate()),
		);
		for (const name of VIDEO_EVENTS) this.#listen(video, name, () => this.#evaluate());
		this.#listen(video, 'seeking', () => this.#onSeeking());
		this.#listen(video, 'pause', () => this.#onPause());
		this.#listen(video, 'play', () => this.#onPlay());
		this.#listen(video, 'error', () => this.#onError());
		this.#listen(video.ownerDocument, 'visibilitychange', () => this.#onVisibility());
		this.#tick();
	}

	get state(): PlayerState {
		return this.#state;
	}

	/** Where media arrives at the best by now, or ended with its broadcast; seconds of `video.currentTime`. */
	get liveEdgeS(): number | undefined {
		if (this.#isOver && this.#hasMedia) return this.#playback.endS;
		return this.#playback.edgeS(this.#clock.now());
	}

	/** Behind the live edge, milliseconds. */
	get behindMs(): number | undefined {
		const edgeS = this.liveEdgeS;
		return edgeS === undefined || !this.#hasMedia
			? undefined
			: toMs(edgeS - this.#video.currentTime);
	}

	get stats(): PlayerStats {
		const video = this.#video;
		const { targetS } = this.#playback;
		const signedAtMs = this.#playback.signedAtMs(video.currentTime);
		return {
			...this.#playback.counts,
			behindMs: this.behindMs,
			glassToGlassMs: signedAtMs && Math.round(this.#clock.wallNow() - signedAtMs),
			targetMs: targetS === undefined ? undefined : toMs(targetS),
			bufferedMs: toMs(this.#aheadS),
			pendingSegments: this.#playback.pendingSegments,
			rate: video.playbackRate,
			...this.#frames.update(video.getVideoPlaybackQuality()),
			overloaded: this.#strain.isStrained,
			appendedBytes: this.#driver.appendedBytes,
			firstFrameMs: this.#firstFrameMs,
			rebuilds: this.#driver.rebuilds,
		};
	}

	/**
	 * Plays, now or as soon as there is something; muted where the browser refuses sound (`autoplayblocked`).
	 * After `playback-failed` it tries anew.
	 */
	async play(): Promise<void> {
		if (this.#closed) throw new ShoalError('closed', 'the player is closed');
		this.#wantsPlay = true;
		this.#driver.retry();
		if (!this.#playback.holding) await this.#startVideo();
		this.#evaluate();
	}

	/** Pauses because a person wants it: in a hidden tab a pause of the video alone is taken for the browser's own. */
	pause(): void {
		this.#video.pause();
		this.#rest();
	}

	/** Goes to the live edge and stays there. */
	seekToLive(): void {
		this.#playback.follow(this.#clock.now());
		this.#evaluate();
	}

	/** Stops for good and empties the element; idempotent. */
	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		for (const undo of this.#undo.splice(0)) undo();
		this.#driver.close();
		this.#video.removeAttribute('src');
		this.#video.load();
		this.viewer.setPlayhead?.(undefined);
		this.removeAllListeners();
	}

	/** Playable from the playhead on, seconds. */
	get #aheadS(): number {
		return aheadS(rangesOf(this.#video.buffered), this.#video.currentTime);
	}

	/** Whether the broadcast ended: its edge moves no more, and is nothing to keep near to. */
	get #isOver(): boolean {
		return this.viewer.state.type === 'ended';
	}

	#listen(target: EventTarget, name: string, listener: () => void): void {
		target.addEventListener(name, listener);
		this.#undo.push(() => target.removeEventListener(name, listener));
	}

	#tick(): void {
		if (this.#closed) return;
		this.#evaluate();
		const nowMs = this.#clock.now();
		this.#watchStrain(nowMs);
		if (nowMs - this.#statsMs >= STATS_MS - TICK_MS / 2) {
			this.#statsMs = nowMs;
			this.viewer.setPlayhead?.(this.behindMs);
			this.emit('stats', this.stats);
		}
		const cancel = this.#clock.after(TICK_MS, () => {
			this.#undo.splice(this.#undo.indexOf(cancel), 1);
			this.#tick();
		});
		this.#undo.push(cancel);
	}

	#watchStrain(atMs: number): void {
		const { currentTime: playheadS, playbackRate: rate, paused, ownerDocument } = this.#video;
		if (paused || ownerDocument.hidden || this.#state.type === 'ended') return this.#strain.reset();
		const frames = this.#frames.update(this.#video.getVideoPlaybackQuality());
		this.#strain.update({ atMs, playheadS, rate, aheadS: this.#aheadS, ...frames });
	}

	#onInit(init: InitSegment): void {
		if (this.#accepts(init)) this.#driver.prepare(init);
	}

	#onSegment(segment: LiveSegment): void {
		if (segment.bytes.length === 0 || !this.#accepts(segment.init)) return;
		this.#hasMedia = true;
		this.#playback.receive(segment, this.#clock.now());
		this.#evaluate();
	}

	#accepts({ mime }: InitSegment): boolean {
		const accepts = canPlay(mime);
		if (accepts === !this.#unsupported) return accepts;
		const text = `this browser can't play ${mime}`;
		this.#unsupported = accepts ? undefined : new ShoalError('unsupported-codec', text);
		this.#evaluate();
		return accepts;
	}

	/** The one place where anything is decided; every event ends here. */
	#evaluate(): void {
		if (this.#closed) return;
		if (this.#driver.isOpen) this.#perform(this.#playback.steer(this.#view()));
		this.#driver.drive();
		this.#frames.update(this.#video.getVideoPlaybackQuality());
		this.#showState();
		this.#showEdge();
	}

	#view(): VideoView {
		const video = this.#video;
		return {
			nowMs: this.#clock.now(),
			playheadS: video.currentTime,
			buffered: rangesOf(video.buffered),
			rate: video.playbackRate,
			paused: video.paused,
			seeking: video.seeking,
			starved: video.readyState < video.HAVE_FUTURE_DATA,
			expectsMedia: !['ended', 'waiting'].includes(this.viewer.state.type),
		};
	}

	#perform(step: PlaybackStep | undefined): void {
		switch (step?.type) {
			case 'seek':
				this.#ownSeekS = step.toS;
				this.#video.currentTime = step.toS;
				break;
			case 'rate':
				this.#video.playbackRate = step.rate;
				break;
			case 'play':
				if (this.#wantsPlay) void this.#startVideo();
				break;
			case 'rebuild':
				this.#driver.mend();
				break;
			case undefined:
		}
	}

	#onError(): void {
		this.#driver.mend();
		this.#evaluate();
	}

	async #startVideo(): Promise<void> {
		const start = await startVideo(this.#video);
		if (this.#closed || start === 'playing') return;
		if (start === 'refused') this.#wantsPlay = false;
		this.emit('autoplayblocked', undefined);
		this.#evaluate();
	}

	#onPlay(): void {
		this.#wantsPlay = true;
		if (!this.#isOver && this.#isNearEdge(this.#video.currentTime)) {
			this.#playback.follow(this.#clock.now());
		}
		this.#evaluate();
	}

	#onPause(): void {
		// What the browser did is nobody's wish.
		if (!mayBeBrowsersPause(this.#video) && this.#driver.isOpen) this.#rest();
	}

	/** Somebody wants it to stand where it is. */
	#rest(): void {
		this.#wantsPlay = false;
		this.#playback.letGo();
		this.#evaluate();
	}

	#onVisibility(): void {
		const { paused, ownerDocument } = this.#video;
		if (!ownerDocument.hidden && this.#wantsPlay && paused && !this.#playback.holding) {
			void this.#startVideo();
		}
		this.#evaluate();
	}

	#onSeeking(): void {
		const atS = this.#video.currentTime;
		const isOwn = this.#ownSeekS !== undefined && Math.abs(atS - this.#ownSeekS) < 0.02;
		this.#ownSeekS = undefined;
		if (!isOwn && this.#hasMedia && this.#driver.isOpen) {
			if (!this.#isOver && this.#isNearEdge(atS)) this.#playback.follow(this.#clock.now());
			else this.#playback.letGo();
		}
		this.#evaluate();
	}

	#isNearEdge(atS: number): boolean {
		const { targetS } = this.#playback;
		const edgeS = this.liveEdgeS;
		if (edgeS === undefined || targetS === undefined) return true;
		return edgeS - atS < targetS + LIVE_SLACK_S;
	}

	#showState(): void {
		const state = this.#findState();
		if (isSame(state, this.#state)) return;
		this.#state = state;
		this.emit('state', state);
	}

	#findState(): PlayerState {
		const video = this.#video;
		const error = this.#unsupported ?? this.#driver.error;
		if (error) return { type: 'failed', error };
		const waitsSinceMs = this.#playback.stalledSinceMs;
		const isShown = waitsSinceMs !== undefined || this.#playback.endS - video.currentTime < END_S;
		if (this.#isOver && (!this.#hasMedia || isShown)) return { type: 'ended' };
		if (!this.#hasMedia) return { type: 'idle' };
		const canShow =
			this.#driver.isOpen && video.readyState >= video.HAVE_CURRENT_DATA && !video.seeking;
		if (canShow) this.#firstFrameMs ??= Math.round(this.#clock.now() - this.#openedMs);
		if (video.paused && !this.#wantsPlay) return { type: 'paused' };
		if (this.#firstFrameMs === undefined || video.paused) return { type: 'buffering' };
		const waitedMs = waitsSinceMs === undefined ? 0 : this.#clock.now() - waitsSinceMs;
		if (!this.#driver.isOpen || waitedMs >= STALL_SHOWN_MS) {
			const sinceMs = Math.round(this.#clock.wallNow() - waitedMs);
			return { type: 'stalled', sinceMs, cause: this.#aheadS > ENOUGH_S ? 'device' : 'network' };
		}
		// A short wait leaves the word as it is.
		return waitedMs > 0 && this.#state.type === 'stalled' ? this.#state : { type: 'playing' };
	}

	#showEdge(): void {
		const { behindMs } = this;
		if (behindMs === undefined || this.#video.readyState === 0) return;
		const atEdge = this.#playback.following && this.#isNearEdge(this.#video.currentTime);
		if (atEdge === this.#wasAtEdge) return;
		this.#wasAtEdge = atEdge;
		this.emit('livechange', { atEdge, behindMs });
	}
}

function isSame(a: PlayerState, b: PlayerState): boolean {
	if (a.type === 'failed' && b.type === 'failed') return a.error === b.error;
	if (a.type === 'stalled' && b.type === 'stalled') return a.cause === b.cause;
	return a.type === b.type;
}

function toMs(seconds: number): number {
	return Math.round(seconds * 1000);
}
