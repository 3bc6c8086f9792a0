import { BLOCK_BYTES } from '../model/segment.ts';
import { concatBytes } from '../util/bytes.ts';

/** A piece of several blocks on its way from one neighbour. */
export interface PartialPiece {
	/** Slot of the neighbour it comes from; a piece is never mixed, so a bad one has one culprit. */
	readonly slot: number;
	readonly blocks: (Uint8Array | undefined)[];
	left: number;
}

/** An empty one for a piece of `bytes`. */
export function startPiece(slot: number, bytes: number): PartialPiece {
	const count = Math.ceil(bytes / BLOCK_BYTES);
	return { slot, blocks: new Array<undefined>(count).fill(undefined), left: count };
}

/** Adds a block; gives the whole piece when it was the last. Repeated blocks change nothing. */
export function addBlock(
	partial: PartialPiece,
	begin: number,
	block: Uint8Array,
): Uint8Array | undefined {
	const at = begin / BLOCK_BYTES;
	if (partial.blocks[at] === undefined) {
		partial.blocks[at] = block;
		partial.left--;
	}
	if (partial.left > 0) return undefined;
	const [only] = partial.blocks;
	if (partial.blocks.length === 1) return only;
	return concatBytes(...partial.blocks.map((part) => part ?? new Uint8Array()));
}
