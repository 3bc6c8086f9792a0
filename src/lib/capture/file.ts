import { ShoalError } from '../model/error.ts';
import { streamSource, type Source } from './source.ts';

/** `captureStream` as browsers have it (Media Capture from DOM Elements §2.1; Firefox prefixes it). */
interface CapturingElement extends HTMLVideoElement {
	captureStream?: () => MediaStream;
	mozCaptureStream?: () => MediaStream;
}

const START_TIMEOUT_MS = 10_000;
/** An audio context that may not start without a gesture leaves its promise open for ever. */
const AUDIO_TIMEOUT_MS = 500;
/** Frames leave a playing element one frame later than its sound; measured in Chromium. */
const PICTURE_DELAY_S = 0.035;

/**
 * Plays a video or audio file at its own pace into a source; the element that plays it is never shown or heard.
 * Rejects with `bad-file` when this browser can't play it.
 */
export async function openFile(file: File | Blob): Promise<Source> {
	const element = document.createElement('video') as CapturingElement;
	const url = URL.createObjectURL(file);
	const audio = await startAudio();

	function release(): void {
		element.pause();
		element.removeAttribute('src');
		element.load();
		URL.revokeObjectURL(url);
		void audio?.close();
	}

	try {
		const sound = audio && routeSound(element, audio);
		// Without a gesture only a muted element may start; what is captured from it is not muted.
		element.muted = !sound;
		element.playsInline = true;
		element.preload = 'auto';
		element.src = url;
		await untilPlaying(element);
		const stream = captureFrom(element, sound);
		const label = file instanceof File ? file.name : 'file';
		const source = streamSource({
			kind: 'file',
			label,
			stream,
			trackEnd: 'finished',
			onRelease: release,
		});
		element.addEventListener('ended', () => source.end('finished'), { once: true });
		element.addEventListener('error', () => source.end('unreadable'), { once: true });
		return source;
	} catch (cause) {
		release();
		if (cause instanceof ShoalError) throw cause;
		throw new ShoalError('bad-file', 'this browser cannot play the file', { cause });
	}
}

/** A running audio context, or `undefined` where the page may not have one yet. */
async function startAudio(): Promise<AudioContext | undefined> {
	const context = new AudioContext();
	let timer: ReturnType<typeof setTimeout> | undefined;
	const tooLate = new Promise((resolve) => (timer = setTimeout(resolve, AUDIO_TIMEOUT_MS)));
	await Promise.race([context.resume().catch(() => undefined), tooLate]);
	clearTimeout(timer);
	if (context.state === 'running') return context;
	void context.close();
	return undefined;
}

/**
 * Leads the element's sound past the speakers into a track. The sound of `captureStream` leads the picture
 * by a tenth of a second in Chromium; this way it is in step.
 */
function routeSound(element: HTMLVideoElement, audio: AudioContext): MediaStream {
	const destination = audio.createMediaStreamDestination();
	const delay = audio.createDelay();
	delay.delayTime.value = PICTURE_DELAY_S;
	audio.createMediaElementSource(element).connect(delay).connect(destination);
	return destination.stream;
}

async function untilPlaying(element: HTMLVideoElement): Promise<void> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const tooLate = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error('the file does not start')), START_TIMEOUT_MS);
	});
	try {
		await Promise.race([element.play(), tooLate]);
	} finally {
		clearTimeout(timer);
	}
}

function captureFrom(element: CapturingElement, sound: MediaStream | undefined): MediaStream {
	const capture = element.captureStream ?? element.mozCaptureStream;
	const captured = capture?.call(element);
	const picture = captured?.getVideoTracks() ?? paintPicture(element);
	// Where it can be told that the file has no sound, a track of silence would only hide that.
	const isSilent = captured?.getAudioTracks().length === 0;
	const heard = (sound && !isSilent ? sound : captured)?.getAudioTracks() ?? [];
	const stream = new MediaStream([...picture, ...heard]);
	if (stream.getTracks().length === 0) throw new Error('the file has neither picture nor sound');
	return stream;
}

/** The picture through a canvas, for browsers without `captureStream` (Safari). */
function paintPicture(element: HTMLVideoElement): MediaStreamTrack[] {
	if (element.videoWidth === 0) return [];
	const canvas = document.createElement('canvas');
	canvas.width = element.videoWidth;
	canvas.height = element.videoHeight;
	const context = canvas.getContext('2d');
	function draw(): void {
		context?.drawImage(element, 0, 0, canvas.width, canvas.height);
		element.requestVideoFrameCallback(draw);
	}
	element.requestVideoFrameCallback(draw);
	return canvas.captureStream(30).getVideoTracks();
}
