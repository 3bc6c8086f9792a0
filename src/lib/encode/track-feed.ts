/// <reference types="vite/client" />
import audioTapUrl from './audio-tap-worklet.ts?worker&url';
import type { SourceTracks } from './encoder-message.ts';
import { within } from './within.ts';

/** Something with tracks to encode; a `Source` of the capture room is one. */
export interface Encodable {
	readonly stream: MediaStream;
}

/** A source's tracks ready for the worker, and what keeps them going in the page. */
export interface TrackFeed {
	readonly tracks: SourceTracks;
	/** To be handed over with `tracks`. */
	readonly transfer: Transferable[];
	/** The next frame of a pumped source, if there is one yet. */
	takeFrame(): PumpedFrame;
	close(): void;
}

/** What a pumped track gives when asked for its frame. */
type PumpedFrame = VideoFrame | 'ended' | undefined;

/** MediaStreamTrack Insertable Media Processing §3.1, as Chromium has it in windows. */
type TrackProcessor = new (init: { track: MediaStreamTrack }) => {
	readonly readable: ReadableStream;
};

/**
 * Opens the tracks of a source for reading in a worker: by `MediaStreamTrackProcessor` where there is one,
 * else by a hidden `<video>` whose frames the worker calls for, and an audio worklet.
 */
export async function openTrackFeed(source: Encodable): Promise<TrackFeed> {
	const { stream } = source;
	const [video] = stream.getVideoTracks().filter(isLive);
	const [audio] = stream.getAudioTracks().filter(isLive);
	const Processor = (globalThis as { MediaStreamTrackProcessor?: TrackProcessor })
		.MediaStreamTrackProcessor;
	if (Processor) {
		const tracks: SourceTracks = {
			video: video && new Processor({ track: video }).readable,
			audio: audio && new Processor({ track: audio }).readable,
		};
		const transfer = [tracks.video, tracks.audio].filter(
			(readable): readable is ReadableStream => readable instanceof ReadableStream,
		);
		// A stream once given away ends with its track, which is the source's to stop.
		return { tracks, transfer, takeFrame: () => undefined, close: () => undefined };
	}
	const picture = video && (await openFramePump(video));
	const sound = audio && (await openAudioTap(audio));
	return {
		tracks: { video: picture && 'pumped', audio: sound?.port },
		transfer: sound ? [sound.port] : [],
		takeFrame: () => picture?.takeFrame(),
		close() {
			picture?.close();
			sound?.close();
		},
	};
}

function isLive(track: MediaStreamTrack): boolean {
	return track.readyState === 'live';
}

interface FramePump {
	takeFrame(): PumpedFrame;
	close(): void;
}

async function openFramePump(track: MediaStreamTrack): Promise<FramePump> {
	const element = document.createElement('video');
	element.muted = true;
	element.playsInline = true;
	element.srcObject = new MediaStream([track]);
	// A picture that never starts is the worker's to notice.
	await element.play().catch(() => undefined);
	return {
		takeFrame() {
			if (track.readyState === 'ended') return 'ended';
			if (element.readyState < element.HAVE_CURRENT_DATA) return undefined;
			return new VideoFrame(element, { timestamp: Math.round(performance.now() * 1000) });
		},
		close() {
			element.pause();
			element.srcObject = null;
		},
	};
}

interface AudioTap {
	readonly port: MessagePort;
	close(): void;
}

/** How long a browser may take to start its audio. */
const AUDIO_START_MS = 1500;

/** `undefined` where audio does not start: Firefox never says that it runs while there is no loudspeaker, and gives nothing. */
async function openAudioTap(track: MediaStreamTrack): Promise<AudioTap | undefined> {
	const context = new AudioContext({ latencyHint: 'interactive' });
	await context.audioWorklet.addModule(audioTapUrl);
	const { port1, port2 } = new MessageChannel();
	const tap = new AudioWorkletNode(context, 'shoal-audio-tap', { numberOfOutputs: 0 });
	tap.port.postMessage(port1, [port1]);
	context.createMediaStreamSource(new MediaStream([track])).connect(tap);
	await within(context.resume(), AUDIO_START_MS);
	const close = (): void => void context.close();
	if (context.state === 'running') return { port: port2, close };
	close();
	return undefined;
}
