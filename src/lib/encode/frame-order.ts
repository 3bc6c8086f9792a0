import type { MediaCodecs } from './media-codecs.ts';
import { within } from './within.ts';

/** Pictures enough for an encoder that codes some out of order to do so. */
const PICTURES = 4;
/** An encoder that takes longer to show its order is taken at its word. */
const LONGEST_MS = 2000;

/** Whether a codec's pictures can be coded out of order: those of H.264 but for its Baseline profiles (ITU-T H.264 §A.2). */
export function mayReorder(codec: string): boolean {
	return codec.startsWith('avc1') && !codec.startsWith('avc1.42');
}

/**
 * Whether an encoder gives its packets in the order of their pictures, as `realtime` asks for (WebCodecs §4.6) and segments need.
 * Firefox (153) codes H.264 Main and High with B-frames all the same. Tells by encoding a few blank pictures; an encoder that breaks on them has
 * shown nothing against itself.
 */
export async function keepsFrameOrder(
	media: MediaCodecs,
	config: VideoEncoderConfig,
): Promise<boolean> {
	let lastUs = -Infinity;
	let isOrdered = true;
	const encoder = new media.VideoEncoder({
		output: ({ timestamp }) => {
			if (timestamp < lastUs) isOrdered = false;
			lastUs = timestamp;
		},
		error: () => undefined,
	});
	try {
		encoder.configure(config);
		for (let i = 0; i < PICTURES; i++) encodeBlank(encoder, config, i);
		await within(encoder.flush(), LONGEST_MS);
	} catch {
		// Broken before it showed anything: whoever uses it will notice.
	}
	if (encoder.state !== 'closed') encoder.close();
	return isOrdered;
}

function encodeBlank(encoder: VideoEncoder, config: VideoEncoderConfig, index: number): void {
	const { width, height, framerate = 30 } = config;
	const luma = width * height;
	const data = new Uint8Array(luma + luma / 2).fill(128);
	data.fill(16 + index * 8, 0, luma);
	const timestamp = Math.round((index * 1e6) / framerate);
	const layout = { format: 'I420', codedWidth: width, codedHeight: height, timestamp } as const;
	const frame = new VideoFrame(data, layout);
	try {
		encoder.encode(frame, { keyFrame: index === 0 });
	} finally {
		frame.close();
	}
}
