import { ShoalError } from '../model/error.ts';
import { streamSource, type Source } from './source.ts';

/** `captureStream` as browsers have it (Media Capture from DOM Elements §2.1; Firefox prefixes it). */
interface CapturingElement extends HTMLVideoElement {
	captureStream?: () => MediaStream;
	mozCaptureStream?: () => MediaStream;
}

const START_TIMEOUT_MS = 10_000;

/**
 * Plays a video or audio file at its own pace into a source; the element that plays it is never shown or heard.
 * Rejects with `bad-file` when this browser can't play it.
 */
export async function openFile(file: File | Blob): Promise<Source> {
	const element = document.createElement('video') as CapturingElement;
	const url = URL.createObjectURL(file);

	function release(): void {
		element.pause();
		element.removeAttribute('src');
		element.load();
		URL.revokeObjectURL(url);
	}

	try {
		// A muted element may start without a gesture; what is captured from it is not muted.
		element.muted = true;
		element.playsInline = true;
		element.preload = 'auto';
		element.src = url;
		await untilPlaying(element);
		const stream = await captureFrom(element);
		const label = file instanceof File ? file.name : 'file';
		const source = streamSource({
			kind: 'file',
			label,
			stream,
			trackEnd: 'finished',
			onRelease: release,
		});
		element.addEventListener('ended', () => source.end('finished'), { once: true });
		element.addEventListener('error', () => source.end('stopped'), { once: true });
		return source;
	} catch (cause) {
		release();
		if (cause instanceof ShoalError) throw cause;
		throw new ShoalError('bad-file', 'this browser cannot play the file', { cause });
	}
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

async function captureFrom(element: CapturingElement): Promise<MediaStream> {
	const capture = element.captureStream ?? element.mozCaptureStream;
	const stream = capture ? capture.call(element) : await captureByCanvas(element);
	if (stream.getTracks().length === 0) throw new Error('the file has neither picture nor sound');
	return stream;
}

/** For browsers without `captureStream` (Safari): the picture through a canvas, the sound through Web Audio. */
async function captureByCanvas(element: HTMLVideoElement): Promise<MediaStream> {
	const stream = new MediaStream();
	if (element.videoWidth > 0) {
		const canvas = document.createElement('canvas');
		canvas.width = element.videoWidth;
		canvas.height = element.videoHeight;
		const context = canvas.getContext('2d');
		function draw(): void {
			context?.drawImage(element, 0, 0, canvas.width, canvas.height);
			element.requestVideoFrameCallback(draw);
		}
		element.requestVideoFrameCallback(draw);
		for (const track of canvas.captureStream(30).getVideoTracks()) stream.addTrack(track);
	}
	const audio = new AudioContext();
	element.addEventListener('emptied', () => void audio.close(), { once: true });
	const sound = audio.createMediaStreamDestination();
	audio.createMediaElementSource(element).connect(sound);
	// Routed away from the speakers, so it may sound inside the graph.
	element.muted = false;
	await audio.resume();
	for (const track of sound.stream.getAudioTracks()) stream.addTrack(track);
	return stream;
}
