import { pieceBytes, pieceCount, type Manifest } from '../model/manifest.ts';
import { equalBytes } from '../util/bytes.ts';
import type { SignedManifest } from '../model/manifest-delta.ts';

/** Bounds of a DVR window. */
export interface DvrLimits {
	/** Media time kept behind the newest segment, milliseconds. @default 60 000 */
	readonly windowMs?: number;
	/** Bytes kept. @default 64 MiB */
	readonly maxBytes?: number;
}

const DEFAULT_WINDOW_MS = 60_000;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
/** Most segments kept, whatever their times say. */
const MAX_SEGMENTS = 2048;

/** One segment of the window: its manifest and the verified pieces that are here. */
export interface StoredSegment {
	readonly signed: SignedManifest;
	/** Verified pieces by offset; views of what the wire or the encoder gave. Not to be changed. */
	readonly pieces: (Uint8Array | undefined)[];
	held: number;
}

/** Whether every piece is here. */
export function isWhole({ pieces, held }: StoredSegment): boolean {
	return held === pieces.length;
}

/** The pieces of a whole segment, in order. */
export function wholePieces({ pieces }: StoredSegment): Uint8Array[] {
	return pieces.filter((piece) => piece !== undefined);
}

/**
 * The last minute of a channel: manifests and verified pieces, in the order of their piece numbers, bounded in time and
 * bytes. What falls out of it is named, so that others can forget it too.
 */
export class DvrWindow {
	readonly #windowMs: number;
	readonly #maxBytes: number;
	#segments: StoredSegment[] = [];
	#bytes = 0;

	constructor({ windowMs = DEFAULT_WINDOW_MS, maxBytes = DEFAULT_MAX_BYTES }: DvrLimits = {}) {
		this.#windowMs = windowMs;
		this.#maxBytes = maxBytes;
	}

	/** Bytes of media held. */
	get bytes(): number {
		return this.#bytes;
	}

	/** The segments, oldest first; not to be changed. */
	get segments(): readonly StoredSegment[] {
		return this.#segments;
	}

	/** The newest segment. */
	get newest(): StoredSegment | undefined {
		return this.#segments[this.#segments.length - 1];
	}

	/**
	 * Takes up a segment; gives those that fall out of the window for it. The piece numbers of a run go on where the last one's ended; where they
	 * don't, as the place was lost, the older run's from there on make way.
	 */
	add(signed: SignedManifest): StoredSegment[] {
		const first = signed.manifest.firstPiece;
		const end = first + pieceCount(signed.manifest);
		const out = this.#removeWhere(
			({ signed: { manifest } }) =>
				manifest.epoch < signed.manifest.epoch &&
				manifest.firstPiece + pieceCount(manifest) > first,
		);
		const stored: StoredSegment = {
			signed,
			pieces: new Array<undefined>(end - first).fill(undefined),
			held: 0,
		};
		this.#segments.splice(this.#place(first) + 1, 0, stored);
		return [...out, ...this.#trim()];
	}

	/** Takes up a segment with all its bytes, whose pieces become views of them; gives those that fall out for it. */
	addWhole(signed: SignedManifest, bytes: Uint8Array): StoredSegment[] {
		const out = this.add(signed);
		const { firstPiece, pieceLength } = signed.manifest;
		for (let offset = 0; offset < pieceCount(signed.manifest); offset++) {
			const start = offset * pieceLength;
			out.push(...this.put(firstPiece + offset, bytes.subarray(start, start + pieceLength)).out);
		}
		return out;
	}

	/** The segment that holds a piece, with the piece's offset in it. */
	find(index: number): { stored: StoredSegment; offset: number } | undefined {
		const stored = this.#segments[this.#place(index)];
		if (!stored) return undefined;
		const offset = index - stored.signed.manifest.firstPiece;
		return offset < stored.pieces.length ? { stored, offset } : undefined;
	}

	/** Keeps a verified piece; gives its segment when that became whole by it, and what falls out for it. */
	put(
		index: number,
		bytes: Uint8Array,
	): { whole: StoredSegment | undefined; out: StoredSegment[] } {
		const found = this.find(index);
		if (!found || found.stored.pieces[found.offset]) return { whole: undefined, out: [] };
		const { stored, offset } = found;
		stored.pieces[offset] = bytes;
		stored.held++;
		this.#bytes += bytes.length;
		return { whole: isWhole(stored) ? stored : undefined, out: this.#trim() };
	}

	/** A block of a held piece, a view; `undefined` when it isn't here or doesn't lie in the piece. */
	block(index: number, begin: number, length: number): Uint8Array | undefined {
		const found = this.find(index);
		const piece = found?.stored.pieces[found.offset];
		if (
			!found ||
			!piece ||
			begin + length > pieceBytes(found.stored.signed.manifest, found.offset)
		) {
			return undefined;
		}
		return piece.subarray(begin, begin + length);
	}

	/** The oldest segment of the newest's epoch. */
	get oldestOfRun(): StoredSegment | undefined {
		const epoch = this.newest?.signed.manifest.epoch;
		return this.#segments.find(({ signed }) => signed.manifest.epoch === epoch);
	}

	/** Whether a segment of this epoch has this init segment. */
	needsInit(sha256: Uint8Array, epoch: number | undefined): boolean {
		return this.#segments.some(
			({ signed: { manifest } }) =>
				manifest.epoch === epoch && equalBytes(manifest.initSha256, sha256),
		);
	}

	/** Whether the segment before this one, which is here, would stay in the window. */
	hasRoomBefore({ epoch, startUs, durationUs }: Manifest): boolean {
		const newest = this.newest?.signed.manifest;
		if (newest?.epoch !== epoch) return false;
		const behindMs = (newest.startUs - startUs + durationUs) / 1000;
		const inBounds = this.#bytes < this.#maxBytes && this.#segments.length < MAX_SEGMENTS;
		return inBounds && behindMs <= this.#windowMs;
	}

	#trim(): StoredSegment[] {
		const newest = this.newest?.signed.manifest;
		if (!newest) return [];
		let cut = 0;
		let bytes = this.#bytes;
		// The newest stays whatever its size: a window with nothing in it serves nobody.
		for (; cut < this.#segments.length - 1; cut++) {
			const oldest = this.#segments[cut];
			if (!oldest) break;
			const { manifest } = oldest.signed;
			const behindMs =
				manifest.epoch === newest.epoch
					? (newest.startUs - manifest.startUs) / 1000
					: newest.signedAtMs - manifest.signedAtMs;
			const inTime = behindMs <= this.#windowMs;
			const inBounds = bytes <= this.#maxBytes && this.#segments.length - cut <= MAX_SEGMENTS;
			if (inTime && inBounds) break;
			bytes -= heldBytes(oldest);
		}
		if (cut === 0) return [];
		this.#bytes = bytes;
		return this.#segments.splice(0, cut);
	}

	#removeWhere(goes: (stored: StoredSegment) => boolean): StoredSegment[] {
		const out = this.#segments.filter(goes);
		if (out.length === 0) return out;
		this.#segments = this.#segments.filter((stored) => !out.includes(stored));
		for (const stored of out) this.#bytes -= heldBytes(stored);
		return out;
	}

	/** Place of the last segment that doesn't begin after `index`; −1 when there is none. */
	#place(index: number): number {
		const last = this.#segments.length - 1;
		// Nearly all that is looked for is in the newest.
		if ((this.#segments[last]?.signed.manifest.firstPiece ?? Infinity) <= index) return last;
		let low = 0;
		let high = this.#segments.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#segments[middle]?.signed.manifest.firstPiece ?? 0) <= index) low = middle + 1;
			else high = middle;
		}
		return low - 1;
	}
}

function heldBytes({ pieces }: StoredSegment): number {
	let bytes = 0;
	for (const piece of pieces) bytes += piece?.length ?? 0;
	return bytes;
}
