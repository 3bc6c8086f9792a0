import type { LiveSegment } from '../play/live-segment.ts';

/** A stretch of a made-up broadcast. */
export interface LiveStretch {
	readonly count: number;
	/** @default 500 */
	readonly segmentMs?: number;
	/** Segments from key frame to key frame. @default 1 */
	readonly keyEvery?: number;
	/** @default 1 */
	readonly epoch?: number;
	/** Number of the first segment. @default 0 */
	readonly fromSequence?: number;
	/** Media time of the first segment. @default where its number puts it */
	readonly fromMs?: number;
	/** Bytes of each segment. @default 1000 */
	readonly bytes?: number;
	/** Tells init segments apart. @default 1 */
	readonly init?: number;
}

/** Segments as a viewer hands them to the player, without real media in them. */
export function liveSegments(stretch: LiveStretch): LiveSegment[] {
	const { count, segmentMs = 500, keyEvery = 1, epoch = 1, fromSequence = 0 } = stretch;
	const { fromMs = fromSequence * segmentMs, bytes = 1000, init = 1 } = stretch;
	return Array.from({ length: count }, (_, i) => ({
		manifest: {
			epoch,
			sequence: fromSequence + i,
			startUs: (fromMs + i * segmentMs) * 1000,
			durationUs: segmentMs * 1000,
			sinceKeyFrame: (fromSequence + i) % keyEvery,
			discontinuity: i === 0,
			signedAtMs: 1_700_000_000_000 + fromMs + (i + 1) * segmentMs,
			initSha256: new Uint8Array(32).fill(init),
		},
		bytes: new Uint8Array(bytes),
		init: { bytes: new Uint8Array([init]), mime: 'video/mp4; codecs="avc1.42c01e,opus"' },
	}));
}
