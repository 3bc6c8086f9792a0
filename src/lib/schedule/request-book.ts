import { MAX_REPAIR_SLACK_MS, REPAIR_SLACK_MS } from './bounds.ts';
import type { Neighbour } from './neighbour.ts';
import type { Roster } from './roster.ts';
import { forBlocks, NOBODY, type SegmentTrack } from './segment-track.ts';

/** What a piece that was rightly asked for takes from the slack. */
const SLACK_STEP_MS = 5;
/** What each second takes from it: what was short for a moment is not remembered for the rest of a quiet broadcast. */
const SLACK_FORGOTTEN_MS_PER_S = 3;

/** What is asked of whom: one neighbour a piece. Sends the requests and takes them back. */
export class RequestBook {
	readonly #roster: Roster;
	requestsSent = 0;
	#slackMs = REPAIR_SLACK_MS;
	#slackAtMs = 0;

	constructor(roster: Roster) {
		this.#roster = roster;
	}

	/**
	 * How long a parent may be late before a piece is asked of another. In a swarm that is short of uplink for a moment all are late,
	 * and pieces asked elsewhere that come from the parent as well make it shorter yet: who finds that waits longer.
	 */
	slackMs(nowMs: number): number {
		const forgottenMs = ((nowMs - this.#slackAtMs) / 1000) * SLACK_FORGOTTEN_MS_PER_S;
		return Math.max(REPAIR_SLACK_MS, this.#slackMs - forgottenMs);
	}

	/** Notes whether a piece was rightly asked for, as nobody else brought it. Twice as many right as wrong ones keep the slack as it is. */
	noteRepair(wasNeeded: boolean, nowMs: number): void {
		const slackMs = this.slackMs(nowMs) + (wasNeeded ? -SLACK_STEP_MS : 2 * SLACK_STEP_MS);
		this.#slackMs = Math.max(REPAIR_SLACK_MS, Math.min(MAX_REPAIR_SLACK_MS, slackMs));
		this.#slackAtMs = nowMs;
	}

	/** Asks a neighbour for a piece that is asked of nobody; `atMs` is when its wait begins, later than now for a piece it doesn't have yet. */
	ask(track: SegmentTrack, offset: number, source: Neighbour, atMs: number): void {
		track.asked[offset] = source.slot;
		track.askedAtMs[offset] = atMs;
		source.outstanding++;
		this.requestsSent++;
		const index = track.firstPiece + offset;
		forBlocks(track, offset, (begin, length) =>
			source.link.send({ type: 'request', index, begin, length }),
		);
	}

	/** Takes back what is asked for a piece. */
	withdraw(track: SegmentTrack, offset: number): void {
		const source = this.#roster.at(track.asked[offset]);
		track.asked[offset] = NOBODY;
		if (!source) return;
		source.outstanding = Math.max(0, source.outstanding - 1);
		this.cancel(track, offset, source);
	}

	/** Ends what is asked for a piece; taken back unless this slot `delivered` what was asked of it. */
	release(track: SegmentTrack, offset: number, delivered: number): void {
		if (this.isAsked(track, offset, delivered)) this.forget(track, offset, delivered);
		else this.withdraw(track, offset);
	}

	/** A neighbour answered, refused or left: the piece is no longer asked of it. */
	forget(track: SegmentTrack, offset: number, slot: number): void {
		if (!this.isAsked(track, offset, slot)) return;
		track.asked[offset] = NOBODY;
		const source = this.#roster.at(slot);
		if (source) source.outstanding = Math.max(0, source.outstanding - 1);
	}

	/** Whether the piece is asked of this slot now. */
	isAsked(track: SegmentTrack, offset: number, slot: number): boolean {
		return track.asked[offset] === slot;
	}

	/** Whether it was asked of anybody at any time; a late answer to a request taken back is no offence. */
	wasAsked(track: SegmentTrack, offset: number): boolean {
		return (track.askedAtMs[offset] ?? 0) > 0;
	}

	/** Tells a neighbour that its copy of a piece can be spared if it hasn't left yet, whether it was asked for or is pushed. */
	cancel(track: SegmentTrack, offset: number, { link }: Neighbour): void {
		const index = track.firstPiece + offset;
		forBlocks(track, offset, (begin, length) =>
			link.send({ type: 'cancel', index, begin, length }),
		);
	}
}
