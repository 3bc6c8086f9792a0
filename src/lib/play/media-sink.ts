import { ShoalError } from '../model/error.ts';
import type { InitSegment } from '../model/segment.ts';
import type { PlacedSegment } from './live-segment.ts';
import type { Range } from './ranges.ts';

/** How an append ended. `full`: no room, remove something first. `broken`: the source has to be built anew. */
export type AppendResult = 'done' | 'full' | 'broken';

/** The `MediaSource` of this browser, or the managed one where that is all there is (iPhone). */
function mediaSourceClass(): typeof MediaSource | undefined {
	const { MediaSource: plain, ManagedMediaSource: managed } = globalThis as {
		MediaSource?: typeof MediaSource;
		ManagedMediaSource?: typeof MediaSource;
	};
	return plain ?? managed;
}

/** Whether this browser plays such media; `mime` with codecs (RFC 6381). */
export function canPlay(mime: string): boolean {
	return mediaSourceClass()?.isTypeSupported(mime) ?? false;
}

/** Whether going on with another init segment needs a new source: its tracks are not of the same kinds. */
export function needsNewSource(from: InitSegment, to: InitSegment): boolean {
	return trackKinds(from.mime) !== trackKinds(to.mime);
}

function trackKinds(mime: string): string {
	const isAudio = /opus|mp4a|vorbis|flac|ac-3|ec-3/i;
	const codecs = (/codecs="?([^"]*)/.exec(mime)?.[1] ?? '').split(',');
	return codecs
		.map((codec) => (isAudio.test(codec) ? 'audio' : 'video'))
		.sort()
		.join();
}

/**
 * One `MediaSource` with its source buffer on a video element. Only one operation at a time; the caller awaits each.
 * A broken sink stays broken: close it and open another.
 */
export class MediaSink {
	readonly #video: HTMLVideoElement;
	readonly #source: MediaSource;
	readonly #buffer: SourceBuffer;
	#init: InitSegment | undefined;
	#initId = '';
	#mime: string;
	#run = 0;
	#closed = false;
	/** Whether the browser wants media; a managed source says when it has enough. */
	#wantsMedia = true;
	/** Called when the browser wants media again after it had enough. */
	onwanted: (() => void) | undefined;

	private constructor(
		video: HTMLVideoElement,
		source: MediaSource,
		{ buffer, mime }: { buffer: SourceBuffer; mime: string },
	) {
		this.#video = video;
		this.#source = source;
		this.#buffer = buffer;
		this.#mime = mime;
		source.addEventListener('startstreaming', () => {
			this.#wantsMedia = true;
			this.onwanted?.();
		});
		source.addEventListener('endstreaming', () => (this.#wantsMedia = false));
	}

	/** Puts a new source on the element in place of any before; throws `unsupported-codec` or `playback-failed`. */
	static async open(video: HTMLVideoElement, mime: string): Promise<MediaSink> {
		const Source = mediaSourceClass();
		if (!Source?.isTypeSupported(mime)) {
			throw new ShoalError('unsupported-codec', `this browser can't play ${mime}`);
		}
		const source = new Source();
		// A managed source opens only when the picture can't be sent to another screen.
		if (Source !== globalThis.MediaSource) video.disableRemotePlayback = true;
		const url = URL.createObjectURL(source);
		const listening = new AbortController();
		const { signal } = listening;
		try {
			await new Promise<void>((resolve, reject) => {
				source.addEventListener('sourceopen', () => resolve(), { signal });
				video.addEventListener('error', () => reject(videoError(video)), { signal });
				video.src = url;
			});
			const buffer = source.addSourceBuffer(mime);
			source.duration = Infinity;
			return new MediaSink(video, source, { buffer, mime });
		} catch (cause) {
			throw new ShoalError('playback-failed', 'the media source did not open', { cause });
		} finally {
			listening.abort();
			URL.revokeObjectURL(url);
		}
	}

	/** Whether it can take media now. */
	get isReady(): boolean {
		return this.isUsable && this.#wantsMedia && !this.#buffer.updating;
	}

	/** Whether it still works: not closed, detached or broken by bad media. */
	get isUsable(): boolean {
		return !this.#closed && this.#source.readyState === 'open' && !this.#video.error;
	}

	/** The init segment in force. */
	get init(): InitSegment | undefined {
		return this.#init;
	}

	/** Appends the init segment that the first segment will follow, so that the decoder is being made meanwhile. */
	async begin(init: InitSegment): Promise<void> {
		if (!this.isUsable || this.#init) return;
		this.#init = init;
		// What goes wrong shows in the first append.
		await this.#append(init.bytes).catch(() => undefined);
	}

	/** Appends a segment at its place, behind its init segment when that changes. */
	async append({ segment, run, offsetS, initId }: PlacedSegment): Promise<AppendResult> {
		if (!this.isUsable) return 'broken';
		try {
			if (initId !== this.#initId || run !== this.#run) {
				this.#buffer.abort(); // the parser may still wait for the rest of a cluster
				if (segment.init.mime !== this.#mime) this.#buffer.changeType(segment.init.mime);
				this.#mime = segment.init.mime;
				this.#buffer.timestampOffset = offsetS;
				const isBegun = this.#initId === '' && segment.init === this.#init;
				if (initId !== this.#initId && !isBegun) await this.#append(segment.init.bytes);
				this.#init = segment.init;
				this.#initId = initId;
				this.#run = run;
			}
			await this.#append(segment.bytes);
			return this.isUsable ? 'done' : 'broken';
		} catch (error) {
			const isFull = error instanceof DOMException && error.name === 'QuotaExceededError';
			return isFull && this.isUsable ? 'full' : 'broken';
		}
	}

	/** Removes what lies between two positions, seconds. */
	async remove(fromS: number, toS: number): Promise<AppendResult> {
		if (!this.isUsable) return 'broken';
		try {
			this.#buffer.remove(fromS, toS);
			await this.#settled();
			return 'done';
		} catch {
			return 'broken';
		}
	}

	/** Tells the element which part of the broadcast can be sought, seconds. */
	setSeekable(fromS: number, toS: number): void {
		if (this.isUsable && fromS <= toS) this.#source.setLiveSeekableRange(fromS, toS);
	}

	/** Lets go of the element; idempotent. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.onwanted = undefined;
	}

	async #append(bytes: Uint8Array): Promise<void> {
		this.#buffer.appendBuffer(bytes as Uint8Array<ArrayBuffer>);
		await this.#settled();
	}

	/** Resolves when the operation under way ends; rejects when the media was bad or the source is gone. */
	#settled(): Promise<void> {
		return new Promise((resolve, reject) => {
			const listening = new AbortController();
			const end = (then: () => void) => () => {
				listening.abort();
				then();
			};
			const { signal } = listening;
			const fail = end(() => reject(videoError(this.#video)));
			this.#buffer.addEventListener('updateend', end(resolve), { signal });
			this.#buffer.addEventListener('error', fail, { signal });
			this.#buffer.addEventListener('abort', fail, { signal });
			this.#source.addEventListener('sourceclose', fail, { signal });
			this.#video.addEventListener('error', fail, { signal });
		});
	}
}

/** The ranges of a media element as values. */
export function rangesOf(ranges: TimeRanges): Range[] {
	return Array.from({ length: ranges.length }, (_, i) => ({
		startS: ranges.start(i),
		endS: ranges.end(i),
	}));
}

/** What broke the element's media. */
export function videoError(video: HTMLVideoElement): ShoalError {
	const { error } = video;
	return new ShoalError('playback-failed', error?.message || `media error ${error?.code ?? 0}`);
}
