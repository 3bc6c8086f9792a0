import type { Packet } from './packet.ts';

/** The packets of one segment, ready to be written. */
export interface CutSegment {
	/** Number on the grid: the segment begins at `index` × its length. */
	readonly index: number;
	/** On the grid; the first frame lies up to a frame later. */
	readonly startUs: number;
	readonly durationUs: number;
	readonly video: readonly Packet[];
	/** Where the picture of the segment before ended: decoding goes on from there. */
	readonly videoFromUs: number;
	readonly audio: readonly Packet[];
	/** Whether segments were skipped in front of it. */
	readonly isAfterGap: boolean;
}

interface Draft {
	video: Packet[];
	audio: Packet[];
}

/** How much of a frame's usual distance must pass into the next segment for it to be the last of its own. */
const LAST_FRAME_SHARE = 0.75;

/**
 * Cuts packets into segments on a fixed grid of media time.
 *
 * A segment is whole when (1) no more frames can come into it, (2) all that went into the encoder for it
 * came out, and (3) sound reaches its end. (1) holds once a frame of a later segment was submitted, once
 * the next frame is foreseen behind its end, or by `closeVideo`. That the next frame is foreseen and not
 * waited for takes a frame's length off the delay.
 */
export class SegmentCutter {
	readonly #segmentUs: number;
	readonly #drafts = new Map<number, Draft>();
	/** Start times of the frames inside the encoder, in order. */
	#pending: number[] = [];
	#next = 0;
	#isAfterGap = false;
	/** No frame comes before this time any more; on the grid. */
	#videoOpenUs = 0;
	#lastFrameUs = -Infinity;
	#lastFrameSegment = -1;
	#audioEndUs = 0;
	/** End of the last segment that had a picture. */
	#pictureEndUs = 0;

	constructor(segmentUs: number) {
		this.#segmentUs = segmentUs;
	}

	/** The segment that comes out next. */
	get next(): number {
		return this.#next;
	}

	/** Frames inside the encoder. */
	get pendingFrames(): number {
		return this.#pending.length;
	}

	/** The newest segment that has had a frame submitted. */
	get lastFrameSegment(): number {
		return this.#lastFrameSegment;
	}

	/**
	 * Announces a frame that is about to go into the encoder. Gives the media time it must carry, moved on
	 * where its own has passed, and its segment. `usualDistanceUs`: when the next frame is to be expected.
	 */
	submit(wantedUs: number, usualDistanceUs: number): { startUs: number; segment: number } {
		const startUs = this.timeOf(wantedUs);
		const segment = Math.floor(startUs / this.#segmentUs);
		const endUs = (segment + 1) * this.#segmentUs;
		const isLast = startUs + usualDistanceUs * LAST_FRAME_SHARE >= endUs;
		this.#videoOpenUs = Math.max(this.#videoOpenUs, isLast ? endUs : segment * this.#segmentUs);
		this.#lastFrameUs = startUs;
		this.#lastFrameSegment = segment;
		this.#pending.push(startUs);
		return { startUs, segment };
	}

	/** The media time and so the segment that a frame would get. */
	timeOf(wantedUs: number): number {
		return Math.max(Math.round(wantedUs), this.#videoOpenUs, this.#lastFrameUs + 1000);
	}

	/** The segment that a frame would fall into. */
	segmentOf(wantedUs: number): number {
		return Math.floor(this.timeOf(wantedUs) / this.#segmentUs);
	}

	/** Takes what came out of the encoder; frames submitted before it were dropped there. */
	addVideo(packet: Packet): void {
		this.#pending = this.#pending.filter((startUs) => startUs > packet.startUs);
		const index = Math.floor(packet.startUs / this.#segmentUs);
		if (index >= this.#next) this.#draft(index).video.push(packet);
	}

	/** Takes the next 20 ms of sound. */
	addAudio(packet: Packet): void {
		this.#audioEndUs = packet.startUs + packet.durationUs;
		const index = Math.floor(packet.startUs / this.#segmentUs);
		if (index >= this.#next) this.#draft(index).audio.push(packet);
	}

	/** Nothing that is inside the encoder will come out any more. */
	forgetPending(): void {
		this.#pending = [];
	}

	/** No frame will come before the end of segment `index`. */
	closeVideo(index: number): void {
		this.#videoOpenUs = Math.max(this.#videoOpenUs, (index + 1) * this.#segmentUs);
	}

	/** Gives up everything before segment `index`: the clock ran on while nothing could be done. */
	skipTo(index: number): void {
		if (index <= this.#next) return;
		this.#next = index;
		this.#isAfterGap = true;
		this.closeVideo(index - 1);
		this.#audioEndUs = Math.max(this.#audioEndUs, index * this.#segmentUs);
		for (const key of this.#drafts.keys()) if (key < index) this.#drafts.delete(key);
	}

	/** The next segment if it is whole. */
	take(): CutSegment | undefined {
		const index = this.#next;
		const startUs = index * this.#segmentUs;
		const endUs = startUs + this.#segmentUs;
		if (this.#videoOpenUs < endUs || this.#audioEndUs < endUs) return undefined;
		if ((this.#pending[0] ?? endUs) < endUs) return undefined;

		const draft = this.#draft(index);
		const isAfterGap = this.#isAfterGap;
		this.#drafts.delete(index);
		this.#next++;
		this.#isAfterGap = false;
		const videoFromUs = isAfterGap ? startUs : this.#pictureEndUs;
		if (draft.video.length > 0) this.#pictureEndUs = endUs;
		return {
			index,
			startUs,
			durationUs: this.#segmentUs,
			video: untilNext(draft.video, endUs),
			videoFromUs,
			audio: draft.audio,
			isAfterGap,
		};
	}

	#draft(index: number): Draft {
		let draft = this.#drafts.get(index);
		if (!draft) this.#drafts.set(index, (draft = { video: [], audio: [] }));
		return draft;
	}
}

/** The last frame is shown at least to the end of the segment, so that no hole opens behind it. */
function untilNext(packets: readonly Packet[], endUs: number): readonly Packet[] {
	const last = packets.at(-1);
	if (!last) return packets;
	const durationUs = Math.max(last.durationUs, endUs - last.startUs);
	return [...packets.slice(0, -1), { ...last, durationUs }];
}
