// A page of the bench: the same source and encoder straight into a video of the same page, without any network.
import { Encoder } from '../src/lib/encode/encoder.ts';
import type { Profile } from '../src/lib/encode/profile.ts';
import type { EncodedSegment, InitSegment } from '../src/lib/model/segment.ts';
import type { LiveSegment } from '../src/lib/play/live-segment.ts';
import { Player, type ViewerLike } from '../src/lib/player.ts';
import { Emitter } from '../src/lib/util/emitter.ts';
import { watchFrames, type Seen } from './live-frames.ts';
import { openClockSource, type SourceShape } from './live-source.ts';

/** How a floor is measured. */
export interface FloorTask {
	readonly profile: Profile;
	readonly shape: SourceShape;
	readonly warmMs: number;
	readonly windowMs: number;
}

/** What came of it. */
export interface FloorLook {
	/** Segments appended as they come, with the smallest buffer that plays on. */
	readonly plain: Seen;
	/** The same segments through Shoal's player. */
	readonly player: Seen;
	readonly streamBps: number;
	readonly framesIn: number;
	readonly framesDropped: number;
}

declare global {
	interface Window {
		measureFloor(task: FloorTask): Promise<FloorLook>;
	}
}

/** Least media before the playhead when more is appended: with less, Chromium's audio output runs dry. */
const LEAST_AHEAD_S = 0.11;
const TRIM_MS = 3000;

window.measureFloor = async ({ profile, shape, warmMs, windowMs }) => {
	const source = await openClockSource(shape);
	const encoder = await Encoder.open(source, profile);
	const feed = new Feed();
	const plainVideo = addVideo();
	const playerVideo = addVideo();
	const plain = new PlainPlayer(plainVideo);
	const player = new Player(playerVideo, feed);
	void player.play();
	let bytes = 0;
	encoder.on('segment', (segment) => {
		bytes += segment.bytes.length;
		plain.take(segment);
		feed.take(segment);
	});
	const watches = [watchFrames(plainVideo), watchFrames(playerVideo)] as const;
	await pause(warmMs);
	plain.settle();
	for (const watch of watches) watch.reset();
	bytes = 0;
	const before = encoder.stats;
	await pause(windowMs);
	const after = encoder.stats;
	for (const watch of watches) watch.stop();
	await encoder.close();
	await player.close();
	source.close();
	return {
		plain: watches[0].seen,
		player: watches[1].seen,
		streamBps: (bytes * 8000) / windowMs,
		framesIn: after.framesIn - before.framesIn,
		framesDropped: after.framesDropped - before.framesDropped,
	};
};

/** Appends what comes and plays; waits lengthen the delay, and what is ahead for nothing is skipped while it warms up. */
class PlainPlayer {
	readonly #video: HTMLVideoElement;
	readonly #source = new MediaSource();
	readonly #waiting: BufferSource[] = [];
	#mime = '';
	#buffer: SourceBuffer | undefined;
	#leastAheadS = Infinity;
	#trimmedMs = performance.now();
	#settled = false;

	constructor(video: HTMLVideoElement) {
		this.#video = video;
		video.src = URL.createObjectURL(this.#source);
		this.#source.addEventListener('sourceopen', () => this.#drive());
		void video.play().catch(() => undefined);
	}

	take({ init, bytes }: EncodedSegment): void {
		if (this.#waiting.length === 0 && !this.#buffer) {
			this.#mime = init.mime;
			this.#waiting.push(init.bytes);
		}
		this.#waiting.push(bytes);
		this.#drive();
	}

	/** From now on nothing is skipped any more. */
	settle(): void {
		this.#settled = true;
	}

	#drive(): void {
		if (this.#source.readyState !== 'open' || !this.#mime) return;
		if (!this.#buffer) {
			this.#buffer = this.#source.addSourceBuffer(this.#mime);
			this.#buffer.addEventListener('updateend', () => this.#drive());
		}
		if (this.#buffer.updating) return;
		this.#trim();
		const next = this.#waiting.shift();
		if (next) this.#buffer.appendBuffer(next);
	}

	#trim(): void {
		const { buffered, currentTime } = this.#video;
		if (this.#settled || buffered.length === 0 || this.#waiting.length === 0) return;
		this.#leastAheadS = Math.min(this.#leastAheadS, buffered.end(0) - currentTime);
		if (performance.now() - this.#trimmedMs < TRIM_MS) return;
		const spareS = this.#leastAheadS - LEAST_AHEAD_S;
		if (spareS > 0.03) this.#video.currentTime = currentTime + spareS;
		this.#trimmedMs = performance.now();
		this.#leastAheadS = Infinity;
	}
}

interface FeedEvents {
	segment: LiveSegment;
	init: InitSegment;
	state: { readonly type: string };
}

/** Stands in for a viewer: hands over what the encoder makes. */
class Feed extends Emitter<FeedEvents> implements ViewerLike {
	readonly state = { type: 'receiving' };
	readonly #epoch = Date.now();
	#sequence = 0;

	take({ bytes, init, ...media }: EncodedSegment): void {
		if (this.#sequence === 0) this.emit('init', init);
		const manifest = {
			...media,
			epoch: this.#epoch,
			sequence: this.#sequence++,
			signedAtMs: Date.now(),
			initSha256: new Uint8Array(32),
		};
		this.emit('segment', { manifest, bytes, init });
	}
}

function addVideo(): HTMLVideoElement {
	const video = document.createElement('video');
	Object.assign(video, { muted: true, width: 480 });
	document.body.append(video);
	return video;
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
