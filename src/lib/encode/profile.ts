/** How a broadcast is encoded and cut. */
export interface Profile {
	/** Media time of a segment; a multiple of 20 ms, so that audio packets end where segments do. */
	readonly segmentMs: number;
	/** From key frame to key frame; a multiple of `segmentMs`. */
	readonly keyFrameMs: number;
	/** Bitrate that video starts with, and the most it is raised to. */
	readonly videoBps: number;
	readonly audioBps: number;
	/** Larger pictures are scaled down to fit, with their shape kept. */
	readonly maxWidth: number;
	readonly maxHeight: number;
	/** Frames per second at most. */
	readonly frameRate: number;
}

/** "Steady": for weak networks. Every segment starts with a key frame, so that each plays on its own. */
export const STEADY: Profile = {
	segmentMs: 500,
	keyFrameMs: 500,
	videoBps: 2_000_000,
	audioBps: 96_000,
	maxWidth: 1280,
	maxHeight: 720,
	frameRate: 30,
};

/** "Low delay": ten segments a second, a key frame each second; for good networks. */
export const LOW_DELAY: Profile = { ...STEADY, segmentMs: 100, keyFrameMs: 1000 };

/** Length of every Opus packet; segments are cut between two of them. */
export const AUDIO_PACKET_MS = 20;

/** Throws a `RangeError` when a profile breaks what its fields promise. */
export function checkProfile(profile: Profile): void {
	const { segmentMs, keyFrameMs, videoBps, audioBps, maxWidth, maxHeight, frameRate } = profile;
	const sound =
		segmentMs >= AUDIO_PACKET_MS &&
		segmentMs <= 5000 &&
		segmentMs % AUDIO_PACKET_MS === 0 &&
		keyFrameMs >= segmentMs &&
		keyFrameMs <= 10_000 &&
		keyFrameMs % segmentMs === 0 &&
		within(videoBps, 20_000, 50_000_000) &&
		within(audioBps, 6000, 512_000) &&
		within(maxWidth, 16, 7680) &&
		within(maxHeight, 16, 4320) &&
		within(frameRate, 1, 120);
	if (!sound) throw new RangeError(`not a profile: ${JSON.stringify(profile)}`);
}

function within(value: number, least: number, most: number): boolean {
	return value >= least && value <= most;
}
