import type { Link, LinkEnd } from '../model/link.ts';
import { SUBSTREAMS, type PieceMessage } from '../model/message.ts';
import { BLOCK_BYTES } from '../model/segment.ts';
import { MAX_UNSOLICITED, MAX_WASTED_BLOCKS, WASTED_BLOCKS_PER_S } from './bounds.ts';
import { noteLag, noteService } from './lateness.ts';
import { count, type Neighbour } from './neighbour.ts';
import { addBlock, startPiece, type PartialPiece } from './partial-piece.ts';
import type { RequestBook } from './request-book.ts';
import { CHECKING, MISSING, trackedPieceBytes, type SegmentTrack } from './segment-track.ts';
import type { Tracks } from './tracks.ts';

/** Puts blocks that come in together to pieces: takes what was asked for or subscribed to, and drops all else unhashed. */
export class Receiver {
	readonly #tracks: Tracks;
	readonly #book: RequestBook;
	readonly #end: (link: Link, why: LinkEnd) => void;
	/** What has begun to come of each piece: from every neighbour by itself, as any of them may stop in the middle. */
	readonly #partials = new Map<number, PartialPiece[]>();
	/** Payload counts. */
	readonly stats = { bytesFromBroadcaster: 0, bytesFromViewers: 0, duplicateBytes: 0 };

	constructor(tracks: Tracks, book: RequestBook, end: (link: Link, why: LinkEnd) => void) {
		this.#tracks = tracks;
		this.#book = book;
		this.#end = end;
	}

	/** Takes a block; gives the piece when it is whole by it (it is `CHECKING` then), with how late it came. */
	take(
		from: Neighbour,
		{ index, begin, block }: PieceMessage,
		nowMs: number,
	): { whole: Uint8Array; lagMs: number } | undefined {
		count(from.bytesIn, block.length);
		const bit = 1 << (index % SUBSTREAMS);
		const subscribed =
			(from.asked & bit) !== 0 || ((from.former & bit) !== 0 && nowMs < from.graceUntilMs);
		const track = this.#tracks.of(index);
		if (!track) {
			if (subscribed) this.#countWasted(from, block.length, nowMs);
			else this.#countUnsolicited(from);
			return undefined;
		}
		const offset = index - track.firstPiece;
		const asked = this.#book.isAsked(track, offset, from.slot);
		track.holders[offset] = (track.holders[offset] ?? 0) | (1 << from.slot);
		track.informed |= 1 << from.slot;
		const lagMs = nowMs - track.knownAtMs;
		if (track.states[offset] !== MISSING) {
			// A source that was asked no more, a canceled request, or a push that crossed an announcement.
			if (subscribed && !asked && this.#book.wasAsked(track, offset))
				this.#book.noteRepair(false, nowMs);
			this.#countWasted(from, block.length, nowMs);
			this.#book.forget(track, offset, from.slot);
			if (subscribed) noteLag(from, index, lagMs);
			return undefined;
		}
		if (!asked && !subscribed && !this.#book.wasAsked(track, offset)) {
			this.#countUnsolicited(from);
			return undefined;
		}
		const whole = this.#assemble(from, track, offset, begin, block);
		if (!whole) return undefined;
		if (from.role === 'broadcaster') this.stats.bytesFromBroadcaster += whole.length;
		else this.stats.bytesFromViewers += whole.length;
		noteLag(from, index, lagMs);
		if (asked || this.#book.wasAsked(track, offset)) this.#book.noteRepair(asked, nowMs);
		if (asked) noteService(from, nowMs - (track.askedAtMs[offset] ?? nowMs));
		from.brokenPromises = 0;
		from.failures = 0;
		track.states[offset] = CHECKING;
		this.#book.release(track, offset, from.slot);
		return { whole, lagMs };
	}

	/** Forgets what a neighbour that left had begun to send. */
	forget({ slot }: Neighbour): void {
		for (const [index, begun] of this.#partials) {
			const kept = begun.filter((partial) => partial.slot !== slot);
			if (kept.length > 0) this.#partials.set(index, kept);
			else this.#partials.delete(index);
		}
	}

	/** Forgets the pieces of a segment that left the window. */
	forgetSegment({ firstPiece, count: pieces }: SegmentTrack): void {
		for (let offset = 0; offset < pieces; offset++) this.#partials.delete(firstPiece + offset);
	}

	#assemble(
		from: Neighbour,
		track: SegmentTrack,
		offset: number,
		begin: number,
		block: Uint8Array,
	): Uint8Array | undefined {
		const index = track.firstPiece + offset;
		const bytes = trackedPieceBytes(track, offset);
		if (block.length !== Math.min(BLOCK_BYTES, bytes - begin)) {
			this.#end(from.link, 'protocol');
			return undefined;
		}
		const begun = this.#partials.get(index) ?? [];
		let partial = begun.find(({ slot }) => slot === from.slot);
		if (!partial) {
			partial = startPiece(from.slot, bytes);
			this.#partials.set(index, [...begun, partial]);
		}
		const whole = addBlock(partial, begin, block);
		if (whole) this.#partials.delete(index);
		return whole;
	}

	/** Bytes that brought nothing. An honest neighbour sends few: who sends them on and on is flooding. */
	#countWasted(from: Neighbour, bytes: number, nowMs: number): void {
		from.duplicateBytes += bytes;
		this.stats.duplicateBytes += bytes;
		const forgotten = ((nowMs - from.wastedAtMs) * WASTED_BLOCKS_PER_S) / 1000;
		from.wastedBlocks = Math.max(0, from.wastedBlocks - forgotten) + 1;
		from.wastedAtMs = nowMs;
		if (from.wastedBlocks > MAX_WASTED_BLOCKS) this.#end(from.link, 'protocol');
	}

	#countUnsolicited(from: Neighbour): void {
		if (++from.unsolicited > MAX_UNSOLICITED) this.#end(from.link, 'protocol');
	}
}
