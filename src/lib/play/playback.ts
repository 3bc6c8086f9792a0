import { AppendQueue, type AppendBounds, type AppendStep } from './append-queue.ts';
import { Arrivals } from './arrivals.ts';
import { crossGap, isStuck } from './gap.ts';
import { holdEdge, START_AHEAD_S } from './live-edge.ts';
import type { LiveSegment } from './live-segment.ts';
import type { Range } from './ranges.ts';
import { StallPenalty } from './stall-penalty.ts';
import { Timeline } from './timeline.ts';

/** What the video element says at one moment. */
export interface VideoView {
	/** Monotonic, milliseconds. */
	readonly nowMs: number;
	readonly playheadS: number;
	readonly buffered: readonly Range[];
	readonly rate: number;
	readonly paused: boolean;
	readonly seeking: boolean;
	/** Whether it has nothing to show after the present frame (`readyState` below `HAVE_FUTURE_DATA`). */
	readonly starved: boolean;
	/** Whether more media is due: false once the broadcast has ended or pauses. */
	readonly expectsMedia: boolean;
}

/** Why the playhead is moved: first frame, a hole, far behind, or a decoder that needs a push. */
export type SeekReason = 'start' | 'gap' | 'jump' | 'nudge';

/** What the video element is to do. */
export type PlaybackStep =
	| { readonly type: 'seek'; readonly toS: number; readonly why: SeekReason }
	| { readonly type: 'rate'; readonly rate: number }
	/** The first frame is there, and so much media behind it that playing won't stop again at once. */
	| { readonly type: 'play' }
	/** It has all it needs and doesn't move: begin again with a new source. */
	| { readonly type: 'rebuild' };

/** Counters since the beginning. */
export interface PlaybackCounts {
	readonly stalls: number;
	readonly stalledMs: number;
	readonly jumps: number;
	readonly gaps: number;
	readonly nudges: number;
	readonly rateChanges: number;
}

/** Choices of the person or the page. */
export interface PlaybackOptions {
	/** Delay behind the live edge that is held at least, milliseconds; `auto` is the least that plays smoothly. */
	readonly targetMs?: number | 'auto';
	readonly bounds?: AppendBounds;
}

/** Chromium stops with 60 to 100 ms of sound in the buffer; at 110 ms it never did. */
const DECODER_S = 0.12;
/** The delay that is never exceeded on purpose, seconds. */
const MAX_TARGET_S = 4;
/** No jump and no push sooner after a seek than this. */
const AFTER_SEEK_MS = 700;
/** How long a decoder may take from a new source to its first frame. */
const FIRST_FRAME_MS = 2000;
/** The first frame stands no longer than this until playback begins. */
const MAX_HOLD_MS = 1000;
/** So near to the target delay playback begins. */
const HOLD_SLACK_S = 0.05;
/** For so long after a start the delay may still be found by jumping. */
const SETTLING_MS = 3000;
/** How long a seek may take where the media for it is there. */
const SEEK_PATIENCE_MS = 200;
/** Pushes without any progress before the source is given up. */
const MAX_NUDGES = 4;
/** A clock that leaps so far was asleep. */
const SLEEP_MS = 5000;

/**
 * One live playback, without a video element and without a clock: segments and moments in, steps out. `media` says
 * what to do with the source buffer, `steer` what to do with the playhead; both are asked on every event.
 */
export class Playback {
	readonly #timeline = new Timeline();
	readonly #arrivals = new Arrivals();
	readonly #penalty = new StallPenalty();
	readonly #queue: AppendQueue;
	#targetMs: number | 'auto';
	#following = true;
	#started = false;
	#holding = true;
	#hasPlayed = false;
	#hasPlayedSource = false;
	#sourceMs = -Infinity;
	#startedMs = -Infinity;
	#seekMs = -Infinity;
	#seekingSinceMs: number | undefined;
	#waitingSinceMs: number | undefined;
	#countedMs = 0;
	#waitingCounted = false;
	#nudges = 0;
	#lastMs: number | undefined;
	#lastPlayheadS = 0;
	#stalls = 0;
	#stalledMs = 0;
	#jumps = 0;
	#gaps = 0;
	#totalNudges = 0;
	#rateChanges = 0;
	#ownRate = 1;

	constructor({ targetMs = 'auto', bounds }: PlaybackOptions = {}) {
		this.#targetMs = targetMs;
		this.#queue = new AppendQueue(bounds);
	}

	/** Whether the playhead is held at the live edge; ends with a pause or a seek of the person. */
	get following(): boolean {
		return this.#following;
	}

	/** Whether playing is to wait for the step `play`. */
	get holding(): boolean {
		return this.#holding;
	}

	/** Since when the video waits for data, milliseconds of the clock; `undefined` while it doesn't. */
	get stalledSinceMs(): number | undefined {
		return this.#waitingSinceMs;
	}

	get counts(): PlaybackCounts {
		return {
			stalls: this.#stalls,
			stalledMs: Math.round(this.#stalledMs),
			jumps: this.#jumps,
			gaps: this.#gaps,
			nudges: this.#totalNudges,
			rateChanges: this.#rateChanges,
		};
	}

	/** Segments that wait to be appended. */
	get pendingSegments(): number {
		return this.#queue.pending.segments;
	}

	/** Takes a segment that arrived. */
	receive(segment: LiveSegment, nowMs: number): void {
		const { run } = this.#timeline;
		const placed = this.#timeline.place(segment);
		if (!placed) return;
		if (placed.run !== run) {
			this.#arrivals.reset();
			this.#startedMs = nowMs;
		}
		this.#arrivals.add(placed, nowMs);
		this.#queue.add(placed);
	}

	/** Where media arrives at the best now, seconds on the presentation timeline. */
	edgeS(nowMs: number): number | undefined {
		const least = this.#arrivals.leastDelayS;
		return least === undefined ? undefined : nowMs / 1000 - least;
	}

	/** Where the media that came so far ends, seconds on the presentation timeline. */
	get endS(): number {
		return this.#timeline.endS;
	}

	/** The delay behind the live edge that is aimed at, seconds. */
	get targetS(): number | undefined {
		const { leastDelayS, neededDelayS } = this.#arrivals;
		if (leastDelayS === undefined || neededDelayS === undefined) return undefined;
		const neededS = neededDelayS - leastDelayS + DECODER_S + this.#penalty.seconds;
		const wantedS = this.#targetMs === 'auto' ? 0 : this.#targetMs / 1000;
		return Math.max(Math.min(neededS, MAX_TARGET_S), wantedS);
	}

	/** Sets the delay that is held at least, milliseconds. */
	setTarget(targetMs: number | 'auto'): void {
		this.#targetMs = targetMs;
	}

	/** When the media under a position was signed, by the broadcaster's clock, milliseconds since 1970. */
	signedAtMs(atS: number): number | undefined {
		const appended = this.#queue.appendedAt(atS);
		return appended && appended.signedAtMs - (appended.endS - atS) * 1000;
	}

	/** The person paused or went elsewhere in the window: the playhead is left where they want it. */
	letGo(): void {
		this.#following = false;
	}

	/** Back to the live edge, by a jump if need be. */
	follow(nowMs: number): void {
		this.#following = true;
		this.#startedMs = nowMs;
		this.#seekMs = -Infinity;
	}

	/** The next step for the source buffer. */
	media(view: VideoView): AppendStep | undefined {
		const { playheadS, buffered } = view;
		return this.#queue.next({ playheadS, buffered, scheduleS: this.#scheduleS(view) });
	}

	/** A step of `media` was done. */
	done(step: AppendStep, nowMs: number): void {
		this.#queue.done(step, nowMs);
	}

	/** A step of `media` failed because the source buffer is full. */
	full(step: AppendStep, nowMs: number): void {
		this.#queue.full(step, nowMs);
	}

	/** The source is a new, empty one; what starts up to `afterS` is not tried again. */
	restart(afterS: number): void {
		this.#queue.restart(afterS);
		this.#started = this.#hasPlayedSource = false;
		this.#holding = true;
		this.#nudges = 0;
	}

	/** The next step for the playhead. */
	steer(view: VideoView): PlaybackStep | undefined {
		this.#watch(view);
		if (view.seeking) return this.#freeSeek(view);
		if (!this.#started) return this.#start(view) ?? this.#hold(view);
		if (this.#holding) return this.#hold(view);
		if (view.paused) return this.#restRate(view);
		return this.#crossGap(view) ?? this.#nudge(view) ?? this.#holdEdge(view);
	}

	/** Keeps account of the clock and of progress. */
	#watch(view: VideoView): void {
		const { nowMs, playheadS, paused, starved } = view;
		const elapsedMs = nowMs - (this.#lastMs ?? nowMs);
		this.#lastMs = nowMs;
		this.#penalty.pass(elapsedMs);
		if (elapsedMs > SLEEP_MS && this.#following) this.#wake(nowMs);
		if (playheadS > this.#lastPlayheadS && !starved && !paused) {
			this.#hasPlayed = this.#hasPlayedSource = true;
			this.#nudges = 0;
		}
		this.#lastPlayheadS = playheadS;
		this.#seekingSinceMs = view.seeking ? (this.#seekingSinceMs ?? nowMs) : undefined;
		this.#watchStall(view);
	}

	#watchStall({ nowMs, paused, starved, seeking, expectsMedia }: VideoView): void {
		if (!this.#started || !starved || paused) {
			this.#waitingSinceMs = undefined;
			return;
		}
		const counts = this.#hasPlayed && expectsMedia;
		if (this.#waitingSinceMs !== undefined) {
			if (counts) this.#stalledMs += nowMs - this.#countedMs;
			this.#countedMs = nowMs;
			return;
		}
		// A seek of the person waits, too, and is no stall.
		if (seeking) return;
		this.#waitingSinceMs = this.#countedMs = nowMs;
		this.#waitingCounted = false;
		if (!counts || nowMs - this.#seekMs < AFTER_SEEK_MS) return;
		this.#stalls++;
		this.#waitingCounted = true;
		this.#penalty.add();
	}

	#wake(nowMs: number): void {
		this.#arrivals.reset();
		this.#queue.dropBacklog();
		this.#startedMs = nowMs;
	}

	/** Where the playhead should be now. */
	#scheduleS({ nowMs }: VideoView): number | undefined {
		if (!this.#following) return undefined;
		const edgeS = this.edgeS(nowMs);
		const { targetS } = this;
		return edgeS === undefined || targetS === undefined ? undefined : edgeS - targetS;
	}

	#start({ nowMs, buffered, playheadS }: VideoView): PlaybackStep | undefined {
		const newest = buffered.at(-1);
		if (!newest) return undefined;
		this.#started = true;
		this.#startedMs = this.#sourceMs = nowMs;
		const backS = Math.max(START_AHEAD_S, this.targetS ?? 0);
		const toS = Math.max(newest.startS + 0.002, newest.endS - backS);
		if (Math.abs(toS - playheadS) < 0.005) return undefined;
		return this.#seek(toS, 'start', nowMs);
	}

	/** A beginning nearer to the edge than the target would run dry before the next segment comes. */
	#hold({ nowMs, playheadS, paused }: VideoView): PlaybackStep | undefined {
		if (!this.#started) return undefined;
		const edgeS = this.edgeS(nowMs);
		const behindS = edgeS === undefined ? Infinity : edgeS - playheadS;
		const isTime = nowMs - this.#sourceMs >= MAX_HOLD_MS;
		if (paused && !isTime && behindS < (this.targetS ?? 0) - HOLD_SLACK_S) return undefined;
		this.#holding = false;
		return { type: 'play' };
	}

	/** A seek ends only where there is enough to play; one that landed just before a hole would last for ever. */
	#freeSeek(view: VideoView): PlaybackStep | undefined {
		const waitingMs = view.nowMs - (this.#seekingSinceMs ?? view.nowMs);
		return waitingMs < SEEK_PATIENCE_MS ? undefined : this.#crossGap(view, waitingMs);
	}

	#crossGap(view: VideoView, waitingMs = this.#waitedMs(view.nowMs)): PlaybackStep | undefined {
		const { nowMs, playheadS, buffered } = view;
		const toS = crossGap({
			playheadS,
			buffered,
			scheduleS: this.#scheduleS(view),
			waitingMs,
		});
		if (toS === undefined) return undefined;
		this.#gaps++;
		if (this.#waitingCounted) this.#penalty.takeBack();
		this.#waitingCounted = false;
		return this.#seek(toS, 'gap', nowMs);
	}

	#nudge({ nowMs, playheadS, buffered }: VideoView): PlaybackStep | undefined {
		// The first frame of a source takes the decoder a while; a push would only send it back to the start.
		const calmMs = this.#hasPlayedSource ? AFTER_SEEK_MS : FIRST_FRAME_MS;
		if (nowMs - Math.max(this.#seekMs, this.#sourceMs) < calmMs) return undefined;
		const waitingMs = this.#waitedMs(nowMs);
		if (!isStuck({ playheadS, buffered, scheduleS: undefined, waitingMs })) return undefined;
		if (this.#nudges >= MAX_NUDGES) return { type: 'rebuild' };
		this.#totalNudges++;
		return this.#seek(playheadS + 0.001 * ++this.#nudges, 'nudge', nowMs);
	}

	#holdEdge(view: VideoView): PlaybackStep | undefined {
		const { nowMs, playheadS, buffered, rate } = view;
		const edgeS = this.edgeS(nowMs);
		const { targetS } = this;
		if (!this.#following || edgeS === undefined || targetS === undefined) {
			return this.#restRate(view);
		}
		const step = holdEdge({
			playheadS,
			buffered,
			behindS: edgeS - playheadS,
			targetS,
			rate,
			settling: nowMs - this.#startedMs < SETTLING_MS,
		});
		if (step?.type === 'rate') {
			// A video that waits is not to be slowed down or hurried.
			return this.#waitingSinceMs === undefined ? this.#setRate(step.rate) : undefined;
		}
		if (!step || nowMs - this.#seekMs < AFTER_SEEK_MS) return undefined;
		this.#jumps++;
		return this.#seek(step.toS, 'jump', nowMs);
	}

	#waitedMs(nowMs: number): number | undefined {
		return this.#waitingSinceMs === undefined ? undefined : nowMs - this.#waitingSinceMs;
	}

	#seek(toS: number, why: SeekReason, nowMs: number): PlaybackStep {
		this.#seekMs = nowMs;
		return { type: 'seek', toS, why };
	}

	/** Takes back the rate that was set here; one that the person chose stays. */
	#restRate({ rate }: VideoView): PlaybackStep | undefined {
		return rate === this.#ownRate && rate !== 1 ? this.#setRate(1) : undefined;
	}

	#setRate(rate: number): PlaybackStep {
		this.#ownRate = rate;
		this.#rateChanges++;
		return { type: 'rate', rate };
	}
}
