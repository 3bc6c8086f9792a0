import type { EncodedPacket, InputAudioTrack, InputTrack, InputVideoTrack } from 'mediabunny';
import {
	ALL_FORMATS,
	CustomSource,
	EncodedPacketSink,
	Input,
	MP4,
	QTFF,
	ReadableStreamSource,
} from 'mediabunny';
import type { EncodedSegment } from '../src/lib/node.ts';
import { CliError, EXIT } from './cli-error.ts';
import { forgetRead } from './read-once.ts';
import { Segmenter } from './segmenter.ts';
import type { SeekableFile } from './source-stretch.ts';
import { SegmentQueue } from './segment-queue.ts';
import { Timeline } from './timeline.ts';

/** How a source is turned into segments. */
export interface RemuxOptions {
	/** Shortest segment; it ends at the next key frame. */
	readonly segmentMs: number;
	/** Where the timeline goes on, microseconds. */
	readonly startUs: number;
	/** Something odd that was dealt with, or that people should change; each text once. */
	readonly onWarning: (text: string) => void;
	readonly signal: AbortSignal;
}

/** What has been read is kept as far as picture and sound may lie apart: 5 s of 10 Mbit/s. */
const CACHE_BYTES = 6 * 1024 * 1024;

/**
 * Media as it comes in (MP4, fMP4, WebM, Matroska, MPEG-TS, MP3, AAC, Ogg …) as segments for a channel, without decoding.
 * Ends with the stream. Throws a `CliError` for what can't be sent.
 */
export async function* remux(
	media: ReadableStream<Uint8Array> | SeekableFile,
	options: RemuxOptions,
): AsyncGenerator<EncodedSegment> {
	const input = new Input({
		source: sourceOf(media),
		formats: ALL_FORMATS,
	});
	const stop = () => input.dispose();
	options.signal.addEventListener('abort', stop);
	const queue = new SegmentQueue();
	try {
		const tracks = await openTracks(input, options);
		const pumping = pump(tracks, options, queue).then(
			() => queue.end(),
			async (error: unknown) => queue.end(await explained(error, input)),
		);
		yield* queue;
		await pumping;
	} catch (error) {
		if (!options.signal.aborted) throw error;
	} finally {
		queue.end();
		options.signal.removeEventListener('abort', stop);
		input.dispose();
	}
}

function sourceOf(media: ReadableStream<Uint8Array> | SeekableFile) {
	const bounds = { maxCacheSize: CACHE_BYTES, handleUnhandledError: () => undefined };
	if (media instanceof ReadableStream) return new ReadableStreamSource(media, bounds);
	return new CustomSource({
		...bounds,
		getSize: () => media.lengthBytes,
		read: (start, end) => media.read(start, end),
		prefetchProfile: 'fileSystem',
	});
}

/** What a person can do about what the reader met. */
async function explained(error: unknown, input: Input): Promise<unknown> {
	if (!(error instanceof Error) || !/already-evicted part of the cache/.test(error.message)) {
		return error;
	}
	const format = await input.getFormat().catch(() => undefined);
	const isMp4 = format === MP4 || format === QTFF;
	return new CliError(EXIT.input, isMp4 ? INDEX_BEHIND : APART, { cause: error });
}

const APART =
	'Its picture and sound lie too far apart: more than 6 MB of one between two pieces of the other. ' +
	'ffmpeg brings them together, and fills gaps: ffmpeg -i SOURCE -c:v copy -af aresample=async=1 -c:a aac -f mpegts - | shoal seed -';

const INDEX_BEHIND =
	'This MP4 can’t be read as it comes: its index is at its end, or picture and sound lie far apart. ' +
	'Give the file by its name instead of piping it, or: ffmpeg -i SOURCE -c copy -f mpegts - | shoal seed -';

/** What goes out: one video track, one audio track, or one of them. */
interface Tracks {
	readonly video: InputVideoTrack | undefined;
	readonly audio: InputAudioTrack | undefined;
}

async function openTracks(input: Input, { onWarning }: RemuxOptions): Promise<Tracks> {
	let videos: InputVideoTrack[];
	let audios: InputAudioTrack[];
	try {
		videos = await input.getVideoTracks();
		audios = await input.getAudioTracks();
	} catch (cause) {
		throw new CliError(EXIT.input, UNREADABLE, { cause });
	}
	const [video, audio] = [videos[0], audios[0]];
	if (!video && !audio) throw new CliError(EXIT.input, 'There is neither picture nor sound in it');
	for (const track of [video, audio]) {
		if (!track || (await track.getCodec()) !== null) continue;
		throw new CliError(
			EXIT.input,
			`Its ${track.type} has a codec that can't be sent. With ffmpeg: ffmpeg -i SOURCE -c:v libx264 -bf 0 -g 30 -c:a aac -f mpegts - | shoal seed -`,
		);
	}
	if (videos.length > 1 || audios.length > 1) {
		onWarning('It has several tracks; the first picture and the first sound are sent.');
	}
	return { video, audio };
}

const UNREADABLE =
	'This is no media that can be sent (MP4, WebM, Matroska, MPEG-TS, MP3, AAC, Ogg …). ' +
	'ffmpeg turns anything else, FLV too, into it: ffmpeg -i SOURCE -c copy -f mpegts - | shoal seed -';

async function pump(tracks: Tracks, options: RemuxOptions, queue: SegmentQueue): Promise<void> {
	const { video, audio } = tracks;
	const timeline = new Timeline(options.startUs / 1e6);
	const segmenter = new Segmenter({
		tracks,
		options,
		emit: (segment) => queue.push(segment),
		fail: (error) => queue.end(error),
	});
	const first = video ? await new EncodedPacketSink(video).getFirstKeyPacket() : null;
	if (video && !first) throw new CliError(EXIT.input, 'Its picture has no key frame');
	if (first) timeline.begin(first.timestamp);
	await segmenter.open();
	const lanes: Promise<void>[] = [];
	if (video && first) lanes.push(lane(video, first, timeline, segmenter, queue, options));
	if (audio) lanes.push(lane(audio, undefined, timeline, segmenter, queue, options));
	await Promise.all(lanes);
	await segmenter.close();
}

/** Moves one track's packets, on the channel's timeline, into the segmenter. */
async function lane(
	track: InputTrack,
	first: EncodedPacket | undefined,
	timeline: Timeline,
	segmenter: Segmenter,
	queue: SegmentQueue,
	{ onWarning, signal }: RemuxOptions,
): Promise<void> {
	const kind = track.type === 'video' ? 'video' : 'audio';
	const clock = timeline.lane(kind);
	for await (const packet of new EncodedPacketSink(track).packets(first)) {
		if (signal.aborted) return;
		forgetRead(track);
		await queue.room();
		const placed = clock.place(packet);
		if (placed.leapt) onWarning('The source’s clock leapt; the broadcast goes on without a gap.');
		if (placed.reordered) onWarning(B_FRAMES);
		const { timestamp, duration } = placed;
		if (timestamp !== undefined) await segmenter.add(kind, packet.clone({ timestamp, duration }));
	}
	segmenter.finish(kind);
}

const B_FRAMES =
	'It has B-frames, which cost delay and may judder: encode with -bf 0 (or -tune zerolatency).';
