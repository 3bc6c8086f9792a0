import { equalBytes } from '../util/bytes.ts';
import type { StartField } from './start-field.ts';
import { startFieldsOf } from './start-fields.ts';

/** A segment as a recording takes it. */
export interface RecordedSegment {
	readonly init: Uint8Array;
	readonly bytes: Uint8Array<ArrayBuffer>;
	/** Microseconds on the broadcast's timeline. */
	readonly startUs: number;
	readonly durationUs: number;
	/** Segments since the last one that starts with a key frame. */
	readonly sinceKeyFrame: number;
}

/** Seams up to this long are rounding, microseconds. */
const SEAM_US = 100_000;

/**
 * Joins segments into files that any player takes: an init segment and what follows it, on a timeline of the file's own.
 * It begins at 0 however long the broadcast has been on, and goes on without a hole where segments are missing or the
 * broadcast began anew. Another format, which players of files can't follow, begins a next file. The same segments
 * always give the same bytes, so that all who keep them share one torrent.
 */
export class RecordingJoin {
	#init: Uint8Array | undefined;
	#fieldsIn: (segment: Uint8Array) => StartField[] = () => [];
	/** Where the segment before ended, on the broadcast's timeline. */
	#endUs = 0;
	#moveUs: number | undefined;

	/**
	 * The bytes that a segment adds, and whether they begin a file. None where the frames before it, which it needs, are
	 * missing. The segment is left unchanged.
	 */
	add({ init, bytes, startUs, durationUs, sinceKeyFrame }: RecordedSegment): {
		readonly begins: boolean;
		readonly parts: readonly Uint8Array<ArrayBuffer>[];
	} {
		const same = this.#init !== undefined && equalBytes(this.#init, init);
		const leaps = !same || Math.abs(startUs - this.#endUs) > SEAM_US;
		if (leaps && sinceKeyFrame > 0) return { begins: false, parts: [] };
		const moved = bytes.slice();
		if (!same) this.#begin(init);
		let fields = this.#fieldsIn(moved);
		if (this.#moveUs === undefined) this.#moveUs = beginning(fields);
		else if (leaps) this.#moveUs += this.#endUs - startUs;
		let begins = !same;
		if (!moveAll(fields, this.#moveUs)) {
			// After days a 32-bit clock is full: the rest is another file.
			begins = true;
			moved.set(bytes);
			fields = this.#fieldsIn(moved);
			this.#moveUs = beginning(fields);
			moveAll(fields, this.#moveUs);
		}
		this.#endUs = startUs + durationUs;
		return { begins, parts: begins ? [init.slice(), moved] : [moved] };
	}

	#begin(init: Uint8Array): void {
		this.#init = init;
		this.#fieldsIn = startFieldsOf(init);
		this.#moveUs = undefined;
	}
}

/** What a recording's next file is called: `all.mp4`, `all-2.mp4`, … */
export function partName(name: string, part: number): string {
	if (part === 1) return name;
	const end = /\.[^./\\]+$/.exec(name)?.[0] ?? '';
	return `${name.slice(0, name.length - end.length)}-${part}${end}`;
}

/** Takes the earliest of these to 0. */
function beginning(fields: readonly StartField[]): number {
	return fields.length > 0 ? -Math.min(...fields.map(({ startUs }) => startUs)) : 0;
}

function moveAll(fields: readonly StartField[], byUs: number): boolean {
	return fields.every((field) => field.move(byUs));
}
