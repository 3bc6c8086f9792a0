import { ShoalError } from '../model/error.ts';

/**
 * Cuts a byte stream into length-prefixed frames (BEP 3), however it is fragmented. Fragments are kept as a list and
 * joined once per frame, so a trickle of tiny fragments costs linear time.
 */
export class FrameReader {
	readonly #maxFrameBytes: (id: number) => number;
	#parts: Uint8Array[] = [];
	#held = 0;

	/** `maxFrameBytes` gives the bound for a frame by its first byte; `0` refuses the kind. */
	constructor(maxFrameBytes: (id: number) => number) {
		this.#maxFrameBytes = maxFrameBytes;
	}

	/** Bytes held back for the rest of a frame. */
	get heldBytes(): number {
		return this.#held;
	}

	/** Adds bytes and calls `onFrame` for each frame now whole (without its length); throws `protocol` on an over-long one. */
	push(bytes: Uint8Array, onFrame: (frame: Uint8Array) => void): void {
		if (bytes.length > 0) {
			this.#parts.push(bytes);
			this.#held += bytes.length;
		}
		for (;;) {
			if (this.#held < 4) return;
			const length = this.#peekLength();
			if (length > 0) {
				// The kind is known one byte after the length; until then the loosest bound holds.
				const id = this.#held > 4 ? this.#byteAt(4) : undefined;
				const bound = id === undefined ? MAX_UNKNOWN_FRAME_BYTES : this.#maxFrameBytes(id);
				if (length > bound) {
					throw new ShoalError('protocol', `a message of ${length} bytes (kind ${id}) is too long`);
				}
			}
			if (this.#held < 4 + length) return;
			this.#skip(4);
			onFrame(this.#take(length));
		}
	}

	#peekLength(): number {
		return (
			this.#byteAt(0) * 0x1000000 +
			(this.#byteAt(1) << 16) +
			(this.#byteAt(2) << 8) +
			this.#byteAt(3)
		);
	}

	#byteAt(offset: number): number {
		for (const part of this.#parts) {
			if (offset < part.length) return part[offset] ?? 0;
			offset -= part.length;
		}
		return 0;
	}

	#skip(count: number): void {
		this.#take(count);
	}

	/** Takes the next `count` bytes; a view of what was pushed when they lie in one fragment. */
	#take(count: number): Uint8Array {
		this.#held -= count;
		const first = this.#parts[0];
		if (first && first.length >= count) {
			this.#replaceFirst(first, count);
			return first.subarray(0, count);
		}
		const joined = new Uint8Array(count);
		let at = 0;
		let used = 0;
		for (const part of this.#parts) {
			if (at === count) break;
			const piece = part.subarray(0, count - at);
			joined.set(piece, at);
			at += piece.length;
			if (piece.length === part.length) used++;
			else this.#parts[used] = part.subarray(piece.length);
		}
		this.#parts.splice(0, used);
		return joined;
	}

	#replaceFirst(first: Uint8Array, count: number): void {
		if (first.length === count) this.#parts.shift();
		else this.#parts[0] = first.subarray(count);
	}
}

const MAX_UNKNOWN_FRAME_BYTES = 64 * 1024;
