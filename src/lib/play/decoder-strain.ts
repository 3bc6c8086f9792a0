/** The video at one moment. */
export interface StrainView {
	readonly atMs: number;
	readonly playheadS: number;
	readonly rate: number;
	/** Playable from the playhead on. */
	readonly aheadS: number;
	/** Since the beginning, and those of them that came too late for the screen. */
	readonly decodedFrames: number;
	readonly droppedFrames: number;
}

/** So long the video is looked at before it says anything. */
const WINDOW_MS = 5000;
/** With so much media ahead, a playhead that lags isn't waiting for the network. */
export const ENOUGH_S = 0.5;
/** Fewer frames in the window than this say nothing. */
const FEW_FRAMES = 30;
/** The share of frames left out, or of time lost, with which a device is strained, and below which it no longer is. */
const STRAINED = 0.3;
const RELIEVED = 0.1;

/**
 * Whether this device fails to show what it has: then it is the device that is slow, and not the network. Either frames come too
 * late for the screen and are dropped, or, in Chromium (4K, seven at a time), the playhead itself falls behind.
 */
export class DecoderStrain {
	#views: StrainView[] = [];
	#isStrained = false;

	get isStrained(): boolean {
		return this.#isStrained;
	}

	/** Takes a look while the video is to play and is seen. */
	update(now: StrainView): void {
		this.#views.push(now);
		while ((this.#views[1]?.atMs ?? Infinity) <= now.atMs - WINDOW_MS) this.#views.shift();
		const [first = now] = this.#views;
		if (now.atMs - first.atMs < WINDOW_MS) return;
		const share = Math.max(droppedShare(first, now), lostShare(this.#views));
		this.#isStrained = share >= (this.#isStrained ? RELIEVED : STRAINED);
	}

	/** Nobody sees it, or it is paused: what happens meanwhile says nothing. */
	reset(): void {
		this.#views = [];
		this.#isStrained = false;
	}
}

function droppedShare(from: StrainView, to: StrainView): number {
	const frames = to.decodedFrames - from.decodedFrames;
	return frames < FEW_FRAMES ? 0 : (to.droppedFrames - from.droppedFrames) / frames;
}

/** The share of the time by which the playhead fell behind though there was media for it. A jump ahead gains none back. */
function lostShare(views: readonly StrainView[]): number {
	let lostMs = 0;
	let beforeView: StrainView | undefined;
	for (const view of views) {
		const before = beforeView;
		beforeView = view;
		if (!before || before.aheadS < ENOUGH_S || view.aheadS < ENOUGH_S) continue;
		const passedMs = view.atMs - before.atMs;
		const playedMs = ((view.playheadS - before.playheadS) * 1000) / view.rate;
		lostMs += Math.min(Math.max(0, passedMs - playedMs), passedMs);
	}
	return lostMs / WINDOW_MS;
}
