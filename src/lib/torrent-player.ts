import type { OpenedMedia } from './encode/remux-file.ts';
import { ShoalError } from './model/error.ts';
import { MediaSink } from './torrents/media-sink.ts';
import type { TorrentPatron } from './torrents/torrent-patron.ts';
import { Emitter } from './util/emitter.ts';

/** What a torrent's player is doing. */
export type TorrentPlayerState =
	| { readonly type: 'opening' }
	/** Plays, or waits for what comes next. */
	| { readonly type: 'ready'; readonly note: string | undefined }
	/** `bad-file`, `unsupported-codec`, `playback-failed` or `closed`. */
	| { readonly type: 'failed'; readonly error: ShoalError };

/** Shows one file of a torrent while it comes in; what is about to be shown is fetched first. Composition only. */
export class TorrentPlayer extends Emitter<{ state: TorrentPlayerState }> {
	readonly #video: HTMLMediaElement;
	readonly #undo: (() => void)[] = [];
	#state: TorrentPlayerState = { type: 'opening' };
	#media: OpenedMedia | undefined;
	#sink: MediaSink | undefined;
	#run = new AbortController();
	#closed = false;

	/** Begins at once; what goes wrong shows in `state`. */
	constructor(
		video: HTMLMediaElement,
		file: { patron: TorrentPatron; infoHash: string; index: number; lengthBytes: number },
	) {
		super();
		this.#video = video;
		void this.#open(file).catch((error: unknown) => this.#fail(error));
	}

	get state(): TorrentPlayerState {
		return this.#state;
	}

	/** Gives the element back; idempotent. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#run.abort();
		for (const undo of this.#undo) undo();
		this.#sink?.close();
		this.#media?.close();
		this.removeAllListeners();
	}

	async #open(file: {
		patron: TorrentPatron;
		infoHash: string;
		index: number;
		lengthBytes: number;
	}): Promise<void> {
		const { openMedia } = await import('./encode/remux-file.ts');
		const media = await openMedia(
			{
				lengthBytes: file.lengthBytes,
				read: (start, length) => file.patron.readAt(file.infoHash, file.index, start, length),
			},
			(mime) => MediaSource.isTypeSupported(mime),
		);
		if (this.#isClosed()) return media.close();
		this.#media = media;
		const sink = await MediaSink.open(this.#video, media.mime, media.durationS);
		if (this.#isClosed()) return sink.close();
		this.#sink = sink;
		sink.onError = (error) => this.#fail(error);
		const onSeek = () => this.#onSeek();
		this.#video.addEventListener('seeking', onSeek);
		this.#undo.push(() => this.#video.removeEventListener('seeking', onSeek));
		this.#setState({ type: 'ready', note: media.leftOut });
		this.#pump(0);
	}

	#onSeek(): void {
		const atS = this.#video.currentTime;
		if (this.#sink?.holds(atS)) return;
		this.#sink?.restart();
		this.#pump(atS);
	}

	/** Appends from a moment on, until a seek or the end. */
	#pump(fromS: number): void {
		this.#run.abort();
		const run = (this.#run = new AbortController());
		const { signal } = run;
		const work = async () => {
			if (!this.#media || !this.#sink) return;
			for await (const part of this.#media.parts(fromS, signal)) {
				if (signal.aborted) return;
				await this.#sink.write(part);
				if (signal.aborted) return;
			}
			if (!signal.aborted) this.#sink.end();
		};
		work().catch((error: unknown) => {
			if (!signal.aborted) this.#fail(error);
		});
	}

	#isClosed(): boolean {
		return this.#closed;
	}

	#fail(cause: unknown): void {
		if (this.#closed || this.#state.type === 'failed') return;
		this.#run.abort();
		const error =
			cause instanceof ShoalError
				? cause
				: new ShoalError('playback-failed', String(cause), { cause });
		this.#setState({ type: 'failed', error });
	}

	#setState(state: TorrentPlayerState): void {
		this.#state = state;
		this.emit('state', state);
	}
}
