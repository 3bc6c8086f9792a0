import type { Manifest } from '../model/manifest.ts';
import type { InitSegment } from '../model/segment.ts';

/** What the player reads of a manifest. */
export type LiveManifest = Pick<
	Manifest,
	| 'epoch'
	| 'sequence'
	| 'startUs'
	| 'durationUs'
	| 'sinceKeyFrame'
	| 'discontinuity'
	| 'signedAtMs'
	| 'initSha256'
>;

/** A verified segment as it reaches the player, in any order. */
export interface LiveSegment {
	readonly manifest: LiveManifest;
	/** Whole and verified; not changed by the player, which drops it after appending. */
	readonly bytes: Uint8Array;
	/** What its bytes follow. */
	readonly init: InitSegment;
}

/** A segment with its place on the presentation timeline, which runs on through every epoch. */
export interface PlacedSegment {
	readonly segment: LiveSegment;
	/** Counts the segments of a channel through its epochs; a neighbour in the broadcast is one away. */
	readonly order: number;
	/** Which stretch of continuous media time it belongs to. */
	readonly run: number;
	readonly startS: number;
	readonly endS: number;
	/** What is added to the media time in the bytes. */
	readonly offsetS: number;
	/** Whether it starts with a key frame. */
	readonly isKey: boolean;
	/** Names its init segment: the SHA-256, hexadecimal. */
	readonly initId: string;
}
