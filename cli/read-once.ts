import type { InputTrack } from 'mediabunny';

/** What mediabunny 1.61.0 keeps of an MPEG-TS stream to find its way back; private, so that its version is pinned. */
interface ElementaryStream {
	readonly referencePesPackets?: unknown;
	readonly demuxer?: { readonly sectionEndPositions?: unknown };
}

/** Positions that a reader going forward may still look up, and more. */
const MOST_POSITIONS = 4096;

/**
 * Call while a track is read front to back: lets go of what mediabunny keeps for seeking. Of MPEG-TS it keeps a packet with
 * all its data for every 48 kB, most of a stream of 10 Mbit/s, for as long as that is read.
 */
export function forgetRead(track: InputTrack): void {
	const { _backing } = track as unknown as {
		readonly _backing?: { readonly elementaryStream?: ElementaryStream };
	};
	const stream = _backing?.elementaryStream;
	// The newest stays: it keeps others of its neighbourhood out.
	keepLast(stream?.referencePesPackets, 1, 1);
	keepLast(stream?.demuxer?.sectionEndPositions, MOST_POSITIONS / 2, MOST_POSITIONS);
}

function keepLast(list: unknown, kept: number, most: number): void {
	if (Array.isArray(list) && list.length > most) list.splice(0, list.length - kept);
}
