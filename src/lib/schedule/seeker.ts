import { SUBSTREAMS } from '../model/message.ts';
import { toHaves } from './announcer.ts';
import {
	BROKEN_PROMISES,
	MAX_PATIENCE_MS,
	REPAIR_SLACK_MS,
	REQUEST_TIMEOUT_MS,
	SNUB_MS,
} from './bounds.ts';
import { noteLag, noteService } from './lateness.ts';
import { canBeAsked, isHeard, type Neighbour } from './neighbour.ts';
import type { Parents } from './parents.ts';
import { chooseSource } from './pull.ts';
import type { RequestBook } from './request-book.ts';
import type { Roster } from './roster.ts';
import { MISSING, NOBODY, type SegmentTrack } from './segment-track.ts';

/** How pieces travel; the benchmark compares them, everything else uses `MIX`. */
export interface Strategy {
	/** Subscribers are pushed new pieces. */
	readonly push: boolean;
	/** Pieces are asked for when their manifest comes, and the request is held upstream. */
	readonly standing: boolean;
}

/** Push to subscribers, standing requests where nobody pushes, pull to repair. */
export const MIX: Strategy = { push: true, standing: true };

/** A snub is at most this many times `SNUB_MS`. */
const MOST_SNUB_TIMES = 16;
/** Part of the neighbours that share which may be passed over at one time. */
const MOST_SNUBBED = 0.35;
/** Pieces asked of one neighbour ahead of its having them, at most. */
const MAX_STANDING = 16;
/** What each piece already asked of a neighbour adds to the wait for the next, milliseconds. */
const STANDING_PIECE_MS = 10;

/**
 * Gets missing pieces: waits for a parent that usually brings them, asks ahead where there is none, and turns to a
 * other source when the first is late.
 */
export class Seeker {
	readonly #strategy: Strategy;
	readonly #roster: Roster;
	readonly #book: RequestBook;
	readonly #parents: Parents;

	constructor(options: {
		strategy: Strategy;
		roster: Roster;
		book: RequestBook;
		parents: Parents;
	}) {
		this.#strategy = options.strategy;
		this.#roster = options.roster;
		this.#book = options.book;
		this.#parents = options.parents;
	}

	/** Seeks one piece, if it has to be sought now. */
	consider(track: SegmentTrack, offset: number, nowMs: number): void {
		if (track.states[offset] !== MISSING || !track.wanted || track.lost) return;
		const holders = track.holders[offset] ?? 0;
		if (holders === 0) return;
		const first = this.#roster.at(track.asked[offset]);
		if (!first) {
			if (this.#isExpected(track, offset, nowMs)) {
				const unproven = this.#takeUnproven(holders, nowMs);
				if (unproven) this.#book.ask(track, offset, unproven, nowMs);
				return;
			}
			const source = chooseSource(this.#roster.all, holders, NOBODY, nowMs);
			if (source) this.#askInstead(track, offset, source, nowMs);
			return;
		}
		const waitedMs = nowMs - (track.askedAtMs[offset] ?? 0);
		const usualMs = Number.isNaN(first.serviceMs) ? first.rttMs : first.serviceMs;
		const patienceMs = Math.max(first.rttMs, 1.5 * usualMs) + REPAIR_SLACK_MS;
		const announced = (holders & (1 << first.slot)) !== 0;
		const late = waitedMs >= patienceMs || !canBeAsked(first, nowMs);
		// Who was asked ahead may get the piece late: the first that has it is asked instead.
		if (announced && !late) return;
		const source = chooseSource(this.#roster.all, holders, first.slot, nowMs);
		if (!source && (!late || waitedMs < Math.max(REQUEST_TIMEOUT_MS, 4 * first.rttMs))) return;
		if (late) noteService(first, waitedMs);
		if (announced) this.#breakPromise(first, nowMs);
		this.#book.withdraw(track, offset);
		if (source) this.#book.ask(track, offset, source, nowMs);
	}

	/** Asks for a piece, and its parent to keep what hasn't left; not the broadcaster, whose copy may be the only true one. */
	#askInstead(track: SegmentTrack, offset: number, source: Neighbour, nowMs: number): void {
		this.#book.ask(track, offset, source, nowMs);
		const parent = this.#parents.parentOf((track.firstPiece + offset) % SUBSTREAMS);
		if (parent && parent !== source && parent.role !== 'broadcaster')
			this.#book.cancel(track, offset, parent);
	}

	/** Of whom a piece that a parent is to bring is asked all the same: it must show first that it has any. */
	#takeUnproven(holders: number, nowMs: number): Neighbour | undefined {
		const unproven = this.#parents.takeUnproven(holders);
		const free = unproven && canBeAsked(unproven, nowMs) && unproven.outstanding === 0;
		return free ? unproven : undefined;
	}

	/** Where nobody pushes, pieces are asked for before anybody announced them. */
	askAhead(track: SegmentTrack, nowMs: number): void {
		if (!this.#strategy.standing || !track.wanted) return;
		for (let offset = 0; offset < track.count; offset++) {
			if (track.states[offset] !== MISSING || track.asked[offset] !== NOBODY) continue;
			const substream = (track.firstPiece + offset) % SUBSTREAMS;
			if (this.#strategy.push && this.#parents.parentOf(substream)) continue;
			let best: Neighbour | undefined;
			let bestMs = Infinity;
			for (const neighbour of this.#roster.all) {
				const lagMs = neighbour.lagMs[substream] ?? NaN;
				if (Number.isNaN(lagMs) || neighbour.role === 'broadcaster') continue;
				if (!canBeAsked(neighbour, nowMs) || neighbour.outstanding >= MAX_STANDING) continue;
				const waitMs = lagMs + neighbour.outstanding * STANDING_PIECE_MS;
				if (waitMs < bestMs) {
					best = neighbour;
					bestMs = waitMs;
				}
			}
			if (best) this.#book.ask(track, offset, best, nowMs + bestMs);
		}
	}

	/** A new parent brings what nobody announced yet: the same isn't asked ahead of another any more. */
	leaveTo(parent: Neighbour, substreams: number, tracks: Iterable<SegmentTrack>): void {
		if (substreams === 0) return;
		for (const track of tracks) {
			for (let offset = 0; offset < track.count; offset++) {
				if ((substreams & (1 << ((track.firstPiece + offset) % SUBSTREAMS))) === 0) continue;
				const first = this.#roster.at(track.asked[offset]);
				if (!first || first === parent) continue;
				const announced = (1 << first.slot) | (1 << parent.slot);
				if (((track.holders[offset] ?? 0) & announced) !== 0) continue;
				this.#book.withdraw(track, offset);
			}
		}
	}

	/** A piece came from another than the parent: the parent is at least that late with it. */
	noteMissed(from: Neighbour, index: number, lagMs: number): void {
		const parent = this.#parents.parentOf(index % SUBSTREAMS);
		if (parent && parent !== from) noteLag(parent, index, lagMs + parent.rttMs);
	}

	/** A piece was found good: whoever brought it is proven, and a parent that is late with it can spare its copy. */
	noteGood(index: number, giver: Neighbour): void {
		giver.proven = true;
		const parent = this.#parents.parentOf(index % SUBSTREAMS);
		if (!parent || parent === giver) return;
		for (const have of toHaves([index])) parent.link.send(have);
	}

	/** Whether a parent pushes this piece and isn't late with it. */
	#isExpected(track: SegmentTrack, offset: number, nowMs: number): boolean {
		if (!this.#strategy.push) return false;
		const substream = (track.firstPiece + offset) % SUBSTREAMS;
		const parent = this.#parents.parentOf(substream);
		if (!parent || !canBeAsked(parent, nowMs) || !this.#parents.isFed(substream)) return false;
		// A parent announces only what it had before we hung on it, and doesn't push that.
		const announced = ((track.holders[offset] ?? 0) & (1 << parent.slot)) !== 0;
		if (announced && !this.#parents.isHandingOver(substream, nowMs)) return false;
		const lagMs = parent.lagMs[substream] ?? NaN;
		const usualMs = Number.isNaN(lagMs) ? 2 * parent.rttMs : lagMs;
		const spreadMs = 2 * (parent.lagSpreadMs[substream] ?? 0);
		const patienceMs =
			Math.min(usualMs + spreadMs, MAX_PATIENCE_MS) +
			(isHeard(parent, nowMs) ? parent.rttMs + this.#book.slackMs(nowMs) : 0);
		const lateMs = nowMs - track.knownAtMs - patienceMs;
		if (lateMs < 0) return true;
		if (lateMs > REQUEST_TIMEOUT_MS) {
			this.#parents.fail(parent, substream, nowMs);
			this.#breakPromise(parent, nowMs);
		}
		return false;
	}

	/** A neighbour let us wait; who does it again and again is passed over, unless all do: then it is nobody's fault. */
	#breakPromise(neighbour: Neighbour, nowMs: number): void {
		neighbour.failures++;
		if (++neighbour.brokenPromises < BROKEN_PROMISES) return;
		neighbour.brokenPromises = 0;
		let snubbed = 1;
		let sharing = 0;
		for (const other of this.#roster.all) {
			// Who shares nothing is no choice instead.
			if (other.uplinkKbps === 0) continue;
			sharing++;
			if (nowMs < other.snubbedUntilMs) snubbed++;
		}
		if (snubbed > sharing * MOST_SNUBBED) return;
		// Each time longer: whoever never delivers must not cost us the same wait again and again.
		const times = Math.min(MOST_SNUB_TIMES, 2 ** (neighbour.failures / BROKEN_PROMISES - 1));
		neighbour.snubbedUntilMs = nowMs + SNUB_MS * times;
	}
}
