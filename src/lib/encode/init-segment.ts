import {
	EncodedAudioPacketSource,
	EncodedPacket,
	EncodedVideoPacketSource,
	Mp4OutputFormat,
	NullTarget,
	Output,
} from 'mediabunny';
import { MAX_INIT_BYTES, type InitSegment } from '../model/segment.ts';
import { concatBytes } from '../util/bytes.ts';
import type { TrackLayout } from './fragment.ts';

/** An init segment and how its tracks count. */
export interface Mp4Init {
	readonly init: InitSegment;
	readonly video: TrackLayout;
	readonly audio: TrackLayout;
}

/** Codecs that `makeInit` takes; the first letters of RFC 6381 names. */
const MUXED_AS = { avc1: 'avc', vp09: 'vp9' } as const;

/**
 * `ftyp` and `moov` for one video and one Opus track, written by mediabunny, which knows every codec's
 * configuration record. Media segments are `writeFragment`'s: mediabunny ends a fragment only before a key
 * frame. The same configuration gives the same bytes, so viewers keep theirs when a broadcast resumes.
 */
export async function makeInit(
	video: VideoDecoderConfig,
	audio: AudioDecoderConfig,
): Promise<Mp4Init> {
	const parts: Uint8Array[] = [];
	const keep = (bytes: Uint8Array) => void parts.push(bytes.slice());
	const muxer = new Output({
		format: new Mp4OutputFormat({ fastStart: 'fragmented', onFtyp: keep, onMoov: keep }),
		target: new NullTarget(),
	});
	const name = video.codec.slice(0, 4) as keyof typeof MUXED_AS;
	const videoSource = new EncodedVideoPacketSource(MUXED_AS[name]);
	const audioSource = new EncodedAudioPacketSource('opus');
	muxer.addVideoTrack(videoSource);
	muxer.addAudioTrack(audioSource);
	await muxer.start();
	// The header is only written once each track has shown a packet; these two go nowhere.
	const packet = new EncodedPacket(new Uint8Array(1), 'key', 0, 1, 0);
	await videoSource.add(packet, { decoderConfig: video });
	await audioSource.add(packet, { decoderConfig: audio });
	await muxer.finalize();

	const bytes = concatBytes(...parts);
	if (bytes.length > MAX_INIT_BYTES)
		throw new RangeError(`an init segment of ${bytes.length} bytes`);
	const [first, second] = readTracks(bytes);
	if (!first || !second) throw new Error('the header has not both tracks');
	const mime = `video/mp4; codecs="${video.codec},opus"`;
	return { init: { bytes, mime }, video: first, audio: second };
}

const BOX_BYTES = 8;
const PARENTS = new Set(['moov', 'trak', 'mdia']);
/** Boxes that begin with creation and modification time (ISO 14496-12 §8.2.2, §8.3.2, §8.4.2). */
const TIMED = new Set(['mvhd', 'tkhd', 'mdhd']);

/** The tracks of a header in their order; sets the times of creation to zero on the way. */
function readTracks(bytes: Uint8Array<ArrayBuffer>): TrackLayout[] {
	const view = new DataView(bytes.buffer);
	const tracks: TrackLayout[] = [];
	let trackId = 0;

	function walk(from: number, to: number): void {
		for (let at = from; at + BOX_BYTES <= to;) {
			const length = view.getUint32(at);
			if (length < BOX_BYTES || at + length > to) throw new Error('a broken header');
			const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
			if (PARENTS.has(name)) walk(at + BOX_BYTES, at + length);
			if (TIMED.has(name)) {
				const isLong = bytes[at + BOX_BYTES] === 1;
				const times = at + BOX_BYTES + 4;
				const behind = times + (isLong ? 16 : 8);
				bytes.fill(0, times, behind);
				if (name === 'tkhd') trackId = view.getUint32(behind);
				if (name === 'mdhd') tracks.push({ trackId, timescale: view.getUint32(behind) });
			}
			at += length;
		}
	}

	walk(0, bytes.length);
	return tracks;
}
