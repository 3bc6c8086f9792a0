// Runs in the page: a source whose frames carry the time.
import type { Source } from '../src/lib/capture/source.ts';
import { barsOf, CELLS, stripHeight } from './live-bars.ts';

/** What the source shows. */
export interface SourceShape {
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
}

/** A moving, detailed picture under a strip that tells the time it was drawn at, and a tone. */
export async function openClockSource({ width, height, frameRate }: SourceShape): Promise<Source> {
	const canvas = document.createElement('canvas');
	Object.assign(canvas, { width, height });
	// In the document, as browsers draw what is seen; small, as nobody looks.
	canvas.style.cssText = 'position:fixed;right:0;bottom:0;width:64px;height:36px;z-index:9';
	document.body.append(canvas);
	const picture = canvas.getContext('2d', { alpha: false })!;
	const texture = noise(width, height);
	const cell = width / CELLS;
	const strip = stripHeight(height);
	let tick = 0;

	function draw(): void {
		const seconds = tick++ / frameRate;
		const shift = Math.round(seconds * 60) % width;
		picture.drawImage(texture, -shift, 0);
		picture.drawImage(texture, width - shift, 0);
		for (let i = 0; i < 6; i++) {
			const turn = seconds * (0.4 + i / 7) + i;
			picture.fillStyle = `hsl(${i * 60 + seconds * 20} 70% 55%)`;
			picture.beginPath();
			const [x, y] = [0.5 + 0.4 * Math.sin(turn), 0.55 + 0.35 * Math.cos(turn * 1.3)];
			picture.arc(x * width, y * height, height / 10, 0, 7);
			picture.fill();
		}
		const bars = barsOf(Date.now());
		picture.fillStyle = '#000';
		picture.fillRect(0, 0, width, strip);
		picture.fillStyle = '#fff';
		for (const [i, isWhite] of bars.entries()) {
			if (isWhite) picture.fillRect(Math.round(i * cell), 0, Math.round(cell), strip);
		}
	}

	draw();
	const stopTicks = everyMs(1000 / frameRate, draw);
	const audio = new AudioContext();
	const tone = new OscillatorNode(audio, { frequency: 330 });
	const out = audio.createMediaStreamDestination();
	tone.connect(new GainNode(audio, { gain: 0.1 })).connect(out);
	tone.start();
	await audio.resume();
	const stream = new MediaStream([
		...canvas.captureStream(frameRate).getVideoTracks(),
		...out.stream.getAudioTracks(),
	]);
	return {
		kind: 'camera',
		label: 'Clock',
		stream,
		hasAudio: true,
		hasVideo: true,
		absent: [],
		onended: undefined,
		close() {
			stopTicks();
			for (const track of stream.getTracks()) track.stop();
			void audio.close();
			canvas.remove();
		},
	};
}

/** Soft blotches and fine grain: as hard to encode as a camera's picture. */
function noise(width: number, height: number): HTMLCanvasElement {
	const canvas = document.createElement('canvas');
	Object.assign(canvas, { width, height });
	const picture = canvas.getContext('2d')!;
	let state = 7;
	const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
	for (let i = 0; i < 900; i++) {
		picture.fillStyle = `hsl(${random() * 360} 40% ${20 + random() * 60}% / 0.6)`;
		const [x, y, size] = [random() * width, random() * height, (height / 12) * random()];
		picture.fillRect(x, y, size, size);
	}
	return canvas;
}

/** Ticks from a worker, which nothing slows down. */
function everyMs(periodMs: number, tick: () => void): () => void {
	const code = `setInterval(()=>postMessage(0),${periodMs})`;
	const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
	const worker = new Worker(url);
	URL.revokeObjectURL(url);
	worker.onmessage = tick;
	return () => worker.terminate();
}
