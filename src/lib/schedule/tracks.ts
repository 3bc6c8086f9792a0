import type { SegmentTrack } from './segment-track.ts';

/** The segments that are tracked, in the order of their pieces. */
export class Tracks {
	#all: SegmentTrack[] = [];
	readonly #sought = new Set<SegmentTrack>();

	/** All of them, oldest first; not to be changed. */
	get all(): readonly SegmentTrack[] {
		return this.#all;
	}

	/** Those that are wanted and may still lack pieces, in the order in which they were taken up. */
	get sought(): Iterable<SegmentTrack> {
		return this.#sought;
	}

	/** The newest piece known of; −1 when there is none. */
	get newestPiece(): number {
		const newest = this.#all[this.#all.length - 1];
		return newest ? newest.firstPiece + newest.count - 1 : -1;
	}

	/** The segment that holds a piece. */
	of(index: number): SegmentTrack | undefined {
		const track = this.#all[this.#place(index)];
		return track && index < track.firstPiece + track.count ? track : undefined;
	}

	/** Notes that a piece, or a block of it, was sent to somebody. */
	noteLeft(index: number): void {
		const track = this.of(index);
		if (track) track.left[index - track.firstPiece] = 1;
	}

	/** Takes up a segment. */
	add(track: SegmentTrack): void {
		this.#all.splice(this.#place(track.firstPiece) + 1, 0, track);
		this.seek(track);
	}

	/** Notes that a segment came to be wanted. */
	seek(track: SegmentTrack): void {
		if (track.wanted && track.missing > 0 && !track.lost) this.#sought.add(track);
	}

	/** Notes that nothing of a segment is sought any more. */
	settle(track: SegmentTrack): void {
		this.#sought.delete(track);
	}

	/** Forgets the segment that begins with this piece, and gives it. */
	remove(firstPiece: number): SegmentTrack | undefined {
		const at = this.#place(firstPiece);
		const track = this.#all[at];
		if (track?.firstPiece !== firstPiece) return undefined;
		this.#all.splice(at, 1);
		this.#sought.delete(track);
		return track;
	}

	/** Place of the last track that doesn't begin after `index`; −1 when there is none. */
	#place(index: number): number {
		const last = this.#all.length - 1;
		// Nearly all that is said is about the newest segment.
		if ((this.#all[last]?.firstPiece ?? Infinity) <= index) return last;
		let low = 0;
		let high = this.#all.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#all[middle]?.firstPiece ?? 0) <= index) low = middle + 1;
			else high = middle;
		}
		return low - 1;
	}
}
