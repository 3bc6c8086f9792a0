import { BLOCK_BYTES } from '../model/segment.ts';

/** Where a piece stands with this peer. */
export const MISSING = 0;
/** Its bytes are here and being hashed. */
export const CHECKING = 1;
/** It is here and verified. */
export const HELD = 2;

/** No neighbour. */
export const NOBODY = -1;

/** What the scheduler knows of one segment's pieces. Neighbours are bits in `holders`, by their slot. */
export interface SegmentTrack {
	readonly firstPiece: number;
	readonly count: number;
	/** Bytes in a piece; the last may have fewer. */
	readonly pieceLength: number;
	readonly length: number;
	/** When its manifest was accepted. */
	readonly knownAtMs: number;
	/** Whether this peer wants its pieces; a joiner doesn't want what lies before its start. */
	wanted: boolean;
	/** Whether it was given up. */
	lost: boolean;
	/** Pieces not `HELD`. */
	missing: number;
	/** `MISSING`, `CHECKING` or `HELD` per piece. */
	readonly states: Uint8Array;
	/** A bit per neighbour slot that is known to hold the piece. */
	readonly holders: Int32Array;
	/** A bit per neighbour slot that we pushed the piece to. */
	readonly pushed: Int32Array;
	/** A bit per neighbour slot that asked elsewhere for a piece that we might push to it. */
	readonly elsewhere: Int32Array;
	/** 1 for each piece of which a block was sent to anybody. */
	readonly left: Uint8Array;
	/** Slot that is asked for the piece, or `NOBODY`. */
	readonly asked: Int8Array;
	/** When it was asked last, of whomever; 0 when never. */
	readonly askedAtMs: number[];
	/** Slots that were sent the manifest or sent it to us. */
	informed: number;
}

/** A segment as it is taken up. */
type NewSegment = Pick<SegmentTrack, 'firstPiece' | 'count' | 'pieceLength' | 'length' | 'wanted'>;

/** Tracks a segment of `count` pieces, none of them here. */
export function trackSegment(segment: NewSegment, knownAtMs: number): SegmentTrack {
	const { firstPiece, count, pieceLength, length, wanted } = segment;
	return {
		firstPiece,
		count,
		pieceLength,
		length,
		wanted,
		knownAtMs,
		lost: false,
		missing: count,
		states: new Uint8Array(count),
		holders: new Int32Array(count),
		pushed: new Int32Array(count),
		elsewhere: new Int32Array(count),
		left: new Uint8Array(count),
		asked: new Int8Array(count).fill(NOBODY),
		askedAtMs: new Array<number>(count).fill(0),
		informed: 0,
	};
}

/** Forgets the neighbour in a slot, which is another's from now on. */
export function forgetSlot(track: SegmentTrack, slot: number): void {
	const others = ~(1 << slot);
	track.informed &= others;
	for (const slots of [track.holders, track.pushed, track.elsewhere]) {
		for (let offset = 0; offset < track.count; offset++) {
			slots[offset] = (slots[offset] ?? 0) & others;
		}
	}
}

/** Bytes in the piece at `offset` of the segment. */
export function trackedPieceBytes(track: SegmentTrack, offset: number): number {
	return Math.min(track.pieceLength, track.length - offset * track.pieceLength);
}

/** The bitmap of pieces held, most significant bit first, and how many. */
export function heldBits(track: SegmentTrack): { bits: Uint8Array; held: number } {
	const bits = new Uint8Array((track.count + 7) >> 3);
	let held = 0;
	for (let offset = 0; offset < track.count; offset++) {
		if (track.states[offset] !== HELD) continue;
		bits[offset >> 3] = (bits[offset >> 3] ?? 0) | (0x80 >> (offset & 7));
		held++;
	}
	return { bits, held };
}

/** Each block of the piece at `offset`: where it begins in the piece and how many bytes it has. */
export function forBlocks(
	track: SegmentTrack,
	offset: number,
	each: (begin: number, length: number) => void,
): void {
	const bytes = trackedPieceBytes(track, offset);
	for (let begin = 0; begin < bytes; begin += BLOCK_BYTES) {
		each(begin, Math.min(BLOCK_BYTES, bytes - begin));
	}
}
