/** The WebCodecs constructors in use; tests hand in ones that fail on purpose. */
export interface MediaCodecs {
	readonly VideoEncoder: typeof VideoEncoder;
	readonly AudioEncoder: typeof AudioEncoder;
}

/** This browser's WebCodecs, or `undefined` where a part is missing. */
export function findMediaCodecs(): MediaCodecs | undefined {
	const { VideoEncoder, AudioEncoder } = globalThis as Partial<MediaCodecs>;
	return VideoEncoder && AudioEncoder ? { VideoEncoder, AudioEncoder } : undefined;
}
