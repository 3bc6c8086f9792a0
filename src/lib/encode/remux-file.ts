import type { InputAudioTrack, InputTrack, InputVideoTrack } from 'mediabunny';
import {
	ALL_FORMATS,
	CustomSource,
	EncodedAudioPacketSource,
	EncodedPacketSink,
	EncodedVideoPacketSource,
	Input,
	Mp4OutputFormat,
	NullTarget,
	Output,
	WebMOutputFormat,
} from 'mediabunny';
import { ShoalError } from '../model/error.ts';

/** A file that is read where it is needed; reads wait until the bytes are there. */
export interface ReadableFile {
	readonly lengthBytes: number;
	/** Some bytes from `start` on, at least one and at most `length`. */
	read(start: number, length: number): Promise<Uint8Array>;
}

/** What can be played of a file. */
export interface OpenedMedia {
	/** Container and codecs that parts will have, as MediaSource takes them. */
	readonly mime: string;
	readonly durationS: number;
	/** What had to be left out, in a sentence, because this browser can't play it. */
	readonly leftOut: string | undefined;
	/** The media from the key frame at or before `fromS` on, with times from 0: headers first, then parts, each as it is asked for. */
	parts(fromS: number, signal: AbortSignal): AsyncGenerator<Uint8Array>;
	close(): void;
}

/** Parts that are about this long, seconds. */
const PART_S = 1;

/**
 * Opens a media file (MP4, WebM, Matroska, MPEG-TS, MP3, Ogg …) for playing while it comes in: what MediaSource doesn't
 * take as it is gets another container, without decoding. Throws `bad-file` for what isn't media, `unsupported-codec`
 * where `canPlay` refuses all of it.
 */
export async function openMedia(
	file: ReadableFile,
	canPlay: (mime: string) => boolean,
): Promise<OpenedMedia> {
	const input = new Input({
		source: new CustomSource({
			getSize: () => file.lengthBytes,
			read: (start, end) => readExactly(file, start, end),
			maxCacheSize: 16 * 1024 * 1024,
			handleUnhandledError: () => undefined,
		}),
		formats: ALL_FORMATS,
	});
	try {
		const { tracks, mime, leftOut } = await chooseTracks(input, canPlay);
		// A recording may keep the clock of what it was taken from; a player begins at 0, and would wait there for ever.
		const played = [tracks.video, tracks.audio].filter((track) => track !== undefined);
		const originS = Math.max(0, await input.getFirstTimestamp(played));
		const known = await input.getDurationFromMetadata().catch(() => null);
		const endS = known ?? (await input.computeDuration());
		const durationS = endS > originS ? endS - originS : endS;
		return {
			mime,
			durationS,
			leftOut,
			parts: (fromS, signal) => parts(tracks, mime, { fromS: fromS + originS, originS }, signal),
			close: () => input.dispose(),
		};
	} catch (error) {
		input.dispose();
		if (error instanceof ShoalError) throw error;
		throw new ShoalError('bad-file', 'This file holds no picture or sound that can be played', {
			cause: error,
		});
	}
}

interface Tracks {
	readonly video: InputVideoTrack | undefined;
	readonly audio: InputAudioTrack | undefined;
}

/** Picture and sound if the browser plays both, else the one it plays. */
async function chooseTracks(
	input: Input,
	canPlay: (mime: string) => boolean,
): Promise<{ tracks: Tracks; mime: string; leftOut: string | undefined }> {
	const [video] = await input.getVideoTracks();
	const [audio] = await input.getAudioTracks();
	if (!video && !audio)
		throw new ShoalError('bad-file', 'There is neither picture nor sound in it');
	const choices: (Tracks & { leftOut?: string })[] = [{ video, audio }];
	if (video && audio) {
		const [picture, sound] = [await codecName(video), await codecName(audio)];
		choices.push({ video, audio: undefined, leftOut: `its sound (${sound})` });
		choices.push({ video: undefined, audio, leftOut: `its picture (${picture})` });
	}
	for (const { leftOut, ...tracks } of choices) {
		const mime = await mimeOf(tracks);
		if (!mime || !canPlay(mime)) continue;
		const sentence = leftOut && `This browser can’t play ${leftOut}; the rest plays.`;
		return { tracks, mime, leftOut: sentence };
	}
	const codecs = await Promise.all(
		[video, audio].flatMap((track) => (track ? [codecName(track)] : [])),
	);
	throw new ShoalError('unsupported-codec', `This browser can’t play ${codecs.join(' with ')}`);
}

async function codecName(track: InputTrack): Promise<string> {
	return (await track.getCodec()) ?? 'an unknown codec';
}

/** The type the tracks have in MP4, or in WebM for what MP4 lacks. */
async function mimeOf({ video, audio }: Tracks): Promise<string | undefined> {
	const names = await Promise.all(
		[video, audio].flatMap((track) => (track ? [track.getCodec()] : [])),
	);
	if (names.some((name) => name === null)) return undefined;
	const container = containerFor(names as string[]);
	if (!container) return undefined;
	const codecs = await Promise.all(
		[video, audio].flatMap((track) => (track ? [track.getCodecParameterString()] : [])),
	);
	return `${video ? 'video' : 'audio'}/${container}; codecs="${codecs.join(', ')}"`;
}

function containerFor(codecs: readonly string[]): 'mp4' | 'webm' | undefined {
	// VP8 in MP4 can be written, and plays nowhere.
	const mp4 = new Set<string>(new Mp4OutputFormat().getSupportedCodecs());
	mp4.delete('vp8');
	mp4.delete('vorbis');
	if (codecs.every((codec) => mp4.has(codec))) return 'mp4';
	const webm = new Set<string>(new WebMOutputFormat().getSupportedCodecs());
	return codecs.every((codec) => webm.has(codec)) ? 'webm' : undefined;
}

async function* parts(
	{ video, audio }: Tracks,
	mime: string,
	{ fromS, originS }: { readonly fromS: number; readonly originS: number },
	signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
	const made: Uint8Array[] = [];
	const take = (bytes: Uint8Array) => void made.push(bytes.slice());
	const format = mime.includes('/webm')
		? new WebMOutputFormat({
				appendOnly: true,
				minimumClusterDuration: PART_S,
				onEbmlHeader: take,
				onSegmentHeader: take,
				onCluster: take,
			})
		: new Mp4OutputFormat({
				fastStart: 'fragmented',
				minimumFragmentDuration: PART_S,
				onFtyp: take,
				onMoov: take,
				onMoof: take,
				onMdat: take,
			});
	const output = new Output({ format, target: new NullTarget() });
	const lanes: Lane[] = [];
	let startS = fromS;
	if (video) {
		const source = new EncodedVideoPacketSource((await video.getCodec()) ?? 'avc');
		output.addVideoTrack(source);
		const sink = new EncodedPacketSink(video);
		const first = (await sink.getKeyPacket(fromS)) ?? (await sink.getFirstKeyPacket());
		if (first) startS = first.timestamp;
		const config = await video.getDecoderConfig();
		const packets = sink.packets(first ?? undefined);
		lanes.push({
			packets,
			add: (p) => source.add(p, config ? { decoderConfig: config } : undefined),
			end: () => source.close(),
		});
	}
	if (audio) {
		const source = new EncodedAudioPacketSource((await audio.getCodec()) ?? 'aac');
		output.addAudioTrack(source);
		const sink = new EncodedPacketSink(audio);
		const first = (await sink.getPacket(startS)) ?? (await sink.getFirstPacket());
		const config = await audio.getDecoderConfig();
		const packets = sink.packets(first ?? undefined);
		lanes.push({
			packets,
			add: (p) => source.add(p, config ? { decoderConfig: config } : undefined),
			end: () => source.close(),
		});
	}
	await output.start();
	const heads = await Promise.all(lanes.map((lane) => lane.packets.next()));
	try {
		// Packets in the order of their times, whichever track they are of.
		for (let open = lanes.length; open > 0 && !signal.aborted;) {
			const at = earliest(heads);
			const head = heads[at];
			const lane = lanes[at];
			if (!lane || !head || head.done) break;
			const timestamp = head.value.timestamp - originS;
			// Times before zero (a decoder's run-in) can't be written and aren't played.
			if (timestamp >= 0)
				await lane.add(originS > 0 ? head.value.clone({ timestamp }) : head.value);
			const next = await lane.packets.next();
			heads[at] = next;
			if (next.done) {
				lane.end();
				open--;
			}
			while (made.length > 0) yield made.shift() as Uint8Array;
		}
		if (signal.aborted) return;
		await output.finalize();
		while (made.length > 0) yield made.shift() as Uint8Array;
	} finally {
		for (const { packets } of lanes) await packets.return();
		if (output.state === 'started') await output.cancel();
	}
}

interface Lane {
	readonly packets: ReturnType<EncodedPacketSink['packets']>;
	add(packet: Parameters<EncodedVideoPacketSource['add']>[0]): Promise<void>;
	end(): void;
}

function earliest(heads: readonly IteratorResult<{ timestamp: number }, void>[]): number {
	let best = -1;
	let bestS = Infinity;
	heads.forEach((head, index) => {
		if (head.done || head.value.timestamp >= bestS) return;
		best = index;
		bestS = head.value.timestamp;
	});
	return best;
}

async function readExactly(file: ReadableFile, start: number, end: number): Promise<Uint8Array> {
	const bytes = new Uint8Array(end - start);
	for (let at = 0; at < bytes.length;) {
		const part = await file.read(start + at, bytes.length - at);
		if (part.length === 0) throw new ShoalError('bad-file', 'the file ends early');
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}
