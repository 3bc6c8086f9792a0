import type { PlacedSegment } from './live-segment.ts';
import { rangeAt, type Range } from './ranges.ts';

/** What the queue must know of the player to decide. */
export interface AppendView {
	readonly playheadS: number;
	/** Where the playhead should be now; `undefined` while it doesn't follow the live edge. */
	readonly scheduleS: number | undefined;
	readonly buffered: readonly Range[];
}

/** Bounds of the queue. */
export interface AppendBounds {
	/** Media kept in the source buffer, seconds. @default 60 */
	readonly windowS?: number;
	/** Media kept in the source buffer, bytes. @default 64 MiB */
	readonly windowBytes?: number;
	/** Media waiting to be appended, bytes. @default 32 MiB */
	readonly pendingBytes?: number;
	/** Segments waiting to be appended. @default 600 */
	readonly pendingSegments?: number;
}

/** What the queue remembers of a segment whose bytes it has given away. */
export interface AppendedSegment extends Omit<PlacedSegment, 'segment' | 'offsetS'> {
	readonly bytes: number;
	/** By the broadcaster's clock, milliseconds since 1970. */
	readonly signedAtMs: number;
}

/** What to do next with the source buffer. */
export type AppendStep =
	| { readonly type: 'append'; readonly placed: PlacedSegment }
	| { readonly type: 'remove'; readonly fromS: number; readonly toS: number };

/** Behind the playhead this much always stays, so that the group of pictures being decoded is whole. */
const KEEP_BEHIND_S = 1;
/** A hole is given up when the playhead comes this near to it. */
const NEAR_HOLE_S = 0.25;
/** What is appended behind a hole is appended this much before it is due. */
const APPEND_LEAD_S = 0.1;
/** Farther behind its schedule than this, the player leaves out what it missed. */
const LAG_S = 1;
/** The share of what is buffered that may stay after the source buffer was full. */
const SHRINK = 0.8;
/** After this long without being full the window grows by one such step. */
const GROW_AFTER_MS = 60_000;
/** Appends that a segment is tried for before it is given up. */
const MAX_TRIES = 3;

/**
 * Decides what goes into the source buffer and what leaves it. Segments come in any order and some never come; a
 * decoder takes those that don't start with a key frame only straight after their predecessor.
 */
export class AppendQueue {
	readonly #bounds: Required<AppendBounds>;
	/** Waiting, by order. */
	#pending: PlacedSegment[] = [];
	#pendingBytes = 0;
	/** In the source buffer, by time. */
	#appended: AppendedSegment[] = [];
	/** The highest order that was appended, and the last. */
	#tail: AppendedSegment | undefined;
	#last: AppendedSegment | undefined;
	/** The newest run in which a segment without a key frame was seen. */
	#chainedRun = 0;
	/** What is kept at present, seconds; less than the bound where the browser has less room. */
	#windowS: number;
	#fullMs = -Infinity;
	#tries = 0;
	#fullSinceRemove = false;

	constructor(bounds: AppendBounds = {}) {
		this.#bounds = {
			windowS: 60,
			windowBytes: 64 * 1024 * 1024,
			pendingBytes: 32 * 1024 * 1024,
			pendingSegments: 600,
			...bounds,
		};
		this.#windowS = this.#bounds.windowS;
	}

	/** Segments and bytes that wait. */
	get pending(): { readonly segments: number; readonly bytes: number } {
		return { segments: this.#pending.length, bytes: this.#pendingBytes };
	}

	/** End of the newest media that was appended, seconds. */
	get tailS(): number | undefined {
		return this.#tail?.endS;
	}

	/** The segment in the source buffer that holds a position. */
	appendedAt(atS: number): AppendedSegment | undefined {
		return this.#appended.find(({ startS, endS }) => startS <= atS && atS < endS);
	}

	/** Takes a segment; says whether it is of use. */
	add(placed: PlacedSegment): boolean {
		if (!placed.isKey) this.#chainedRun = Math.max(this.#chainedRun, placed.run);
		if (this.#isStale(placed)) return false;
		const at = this.#pending.findIndex(({ order }) => order >= placed.order);
		if (this.#pending[at]?.order === placed.order) return false;
		this.#pending.splice(at < 0 ? this.#pending.length : at, 0, placed);
		this.#pendingBytes += placed.segment.bytes.length;
		this.#keepBounds();
		return this.#pending.includes(placed);
	}

	/** The next step, or `undefined` when there is nothing to do. Says the same until `done` or a failure is told. */
	next(view: AppendView): AppendStep | undefined {
		return this.#removal(view) ?? this.#append(view);
	}

	/** The step given by `next` was done. */
	done(step: AppendStep, nowMs: number): void {
		if (step.type === 'remove') {
			this.#appended = this.#appended.filter(({ startS }) => startS >= step.toS - 0.001);
			this.#fullSinceRemove = false;
			return;
		}
		const { placed } = step;
		this.#tries = 0;
		this.#take(placed);
		const appended = recordOf(placed);
		this.#last = appended;
		if (!this.#tail || placed.order > this.#tail.order) this.#tail = appended;
		const at = this.#appended.findIndex(({ startS }) => startS > placed.startS);
		this.#appended.splice(at < 0 ? this.#appended.length : at, 0, appended);
		if (nowMs - this.#fullMs > GROW_AFTER_MS) {
			this.#windowS = Math.min(this.#windowS / SHRINK, this.#bounds.windowS);
			this.#fullMs = nowMs;
		}
	}

	/** The source buffer is full (`QuotaExceededError`): keeps less from now on, gives a segment up that never fits. */
	full(step: AppendStep, nowMs: number): void {
		this.#fullMs = nowMs;
		const bufferedS = (this.#appended.at(-1)?.endS ?? 0) - (this.#appended[0]?.startS ?? 0);
		this.#windowS = Math.max(Math.min(this.#windowS, bufferedS) * SHRINK, KEEP_BEHIND_S);
		this.#fullSinceRemove = true;
		if (step.type !== 'append' || ++this.#tries < MAX_TRIES) return;
		this.#tries = 0;
		this.#take(step.placed);
	}

	/** The source buffer is gone: begins anew with the newest key frame that starts after `afterS`. */
	restart(afterS: number): void {
		this.#drop(({ startS }) => startS <= afterS);
		this.#appended = [];
		this.#tail = this.#last = undefined;
		this.#tries = 0;
		this.#fullSinceRemove = false;
	}

	/** Leaves out what waits before the newest key frame that waits. */
	dropBacklog(): void {
		const key = this.#pending.findLast(({ isKey }) => isKey);
		if (key) this.#drop(({ order }) => order < key.order);
	}

	#append(view: AppendView): AppendStep | undefined {
		const placed = this.#candidate(view);
		return placed && { type: 'append', placed };
	}

	#candidate({ playheadS, scheduleS, buffered }: AppendView): PlacedSegment | undefined {
		const tail = this.#tail;
		if (!tail) {
			this.dropBacklog();
			return this.#pending.find(({ isKey }) => isKey);
		}
		this.#drop((placed) => this.#isStale(placed));
		if (scheduleS !== undefined && tail.endS < scheduleS - LAG_S) this.#skipMissed(scheduleS);
		const first = this.#pending[0];
		if (!first) return undefined;
		if (first.isKey && first.order <= tail.order + 1) return first;
		if (!first.isKey && this.#follows(first)) return first;

		const key = this.#pending.find(({ isKey }) => isKey);
		if (!key) return undefined;
		// Groups of pictures in one segment each can be put in anywhere, and a hole filled later.
		if (this.#chainedRun !== key.run || key.run !== tail.run) return key;
		if (this.#isCrowded()) return key;
		const range = rangeAt(buffered, playheadS);
		const nearHole = tail.endS - playheadS < NEAR_HOLE_S || !range;
		const due = scheduleS === undefined || key.startS <= scheduleS + APPEND_LEAD_S;
		return nearHole && due ? key : undefined;
	}

	/** What should have been played long ago is not worth appending when a later key frame is due as well. */
	#skipMissed(scheduleS: number): void {
		const key = this.#pending.findLast(({ isKey, startS }) => isKey && startS <= scheduleS);
		if (key) this.#drop(({ order }) => order < key.order);
	}

	#follows(placed: PlacedSegment): boolean {
		return this.#last?.run === placed.run && this.#last.order === placed.order - 1;
	}

	#isStale(placed: PlacedSegment): boolean {
		const tail = this.#tail;
		if (!tail || placed.order > tail.order) return false;
		if (!placed.isKey || this.#chainedRun === placed.run || placed.run !== tail.run) return true;
		// Going back to another init segment for a late one is not worth two more resets of the decoder.
		if (placed.initId !== tail.initId) return true;
		const begin = this.#appended[0];
		if (begin && placed.endS < begin.startS - 0.001) return true;
		return this.#appended.some(({ order }) => order === placed.order);
	}

	#removal({ playheadS, buffered }: AppendView): AppendStep | undefined {
		const begin = buffered[0];
		const end = buffered.at(-1);
		if (!begin || !end) return undefined;
		const { windowS, windowBytes } = this.#bounds;
		const floorS = end.endS - this.#windowS;
		// Beyond the whole window even a paused playhead lets go; before, what it plays stays.
		const limitS = Math.max(
			end.endS - windowS,
			Math.min(Math.max(floorS, this.#byteFloorS(windowBytes)), playheadS - KEEP_BEHIND_S),
		);
		const patienceS = this.#fullSinceRemove ? 0 : this.#windowS * 0.1;
		const leastS = begin.startS + patienceS + 0.01;
		if (limitS <= leastS) return undefined;
		// A source buffer removes up to the next key frame, so the cut is made at one.
		const cut = this.#appended.findLast(({ isKey, startS }) => isKey && startS <= limitS);
		if (!cut || cut.startS <= leastS) return undefined;
		return { type: 'remove', fromS: 0, toS: cut.startS };
	}

	/** The position from which on the appended segments fit into so many bytes. */
	#byteFloorS(mostBytes: number): number {
		let bytes = 0;
		for (let i = this.#appended.length - 1; i >= 0; i--) {
			const appended = this.#appended[i];
			bytes += appended?.bytes ?? 0;
			if (bytes > mostBytes) return appended?.endS ?? 0;
		}
		return 0;
	}

	#isCrowded(): boolean {
		const { pendingBytes, pendingSegments } = this.#bounds;
		return this.#pendingBytes > pendingBytes / 2 || this.#pending.length > pendingSegments / 2;
	}

	#keepBounds(): void {
		const { pendingBytes, pendingSegments } = this.#bounds;
		while (this.#pendingBytes > pendingBytes || this.#pending.length > pendingSegments) {
			const oldest = this.#pending[0];
			if (!oldest) return;
			this.#take(oldest);
		}
	}

	#take(placed: PlacedSegment): void {
		this.#drop((other) => other === placed);
	}

	#drop(unwanted: (placed: PlacedSegment) => boolean): void {
		this.#pending = this.#pending.filter((placed) => {
			if (!unwanted(placed)) return true;
			this.#pendingBytes -= placed.segment.bytes.length;
			return false;
		});
	}
}

function recordOf({ segment, offsetS: _, ...placed }: PlacedSegment): AppendedSegment {
	const { bytes, manifest } = segment;
	return { ...placed, bytes: bytes.length, signedAtMs: manifest.signedAtMs };
}
