import type MediaElementWrapper from 'mediasource';
import type { MediaStreamWriter } from 'mediasource';

/** Media kept ahead of what is shown, seconds; further parts wait. */
const AHEAD_S = 30;
/** Media kept behind it, seconds. */
const BEHIND_S = 20;

/**
 * Appends media parts to a video element through npm `mediasource`, which holds back what isn't needed yet. What has long
 * been shown is taken out between two appends, as the package never does; versions are pinned for its private fields.
 */
export class MediaSink {
	readonly #element: HTMLMediaElement;
	readonly #wrapper: MediaElementWrapper;
	#writer: MediaStreamWriter;
	#onError: (error: Error) => void = () => undefined;
	#closed = false;

	/** Loads the package and takes over the element's source. `durationS` makes its seek bar. */
	static async open(
		element: HTMLMediaElement,
		mime: string,
		durationS: number,
	): Promise<MediaSink> {
		const { default: Wrapper } = await import('mediasource');
		const wrapper = new Wrapper(element, { bufferDuration: AHEAD_S });
		const source = wrapper._mediaSource;
		const writer = wrapper.createWriteStream(mime);
		if (source.readyState !== 'open') {
			await new Promise((resolve) =>
				source.addEventListener('sourceopen', resolve, { once: true }),
			);
		}
		if (Number.isFinite(durationS)) source.duration = durationS;
		return new MediaSink(element, wrapper, writer);
	}

	private constructor(
		element: HTMLMediaElement,
		wrapper: MediaElementWrapper,
		writer: MediaStreamWriter,
	) {
		this.#element = element;
		this.#wrapper = wrapper;
		this.#writer = writer;
		this.#watch(writer);
	}

	/** Called when the media can't be appended or decoded. */
	set onError(listener: (error: Error) => void) {
		this.#onError = listener;
	}

	/** Whether a moment is there to be shown already. */
	holds(atS: number): boolean {
		const { buffered } = this.#element;
		for (let index = 0; index < buffered.length; index++) {
			if (buffered.start(index) <= atS && atS < buffered.end(index)) return true;
		}
		return false;
	}

	/** Appends a part; resolves when the next one is wanted. Never resolves after `restart` or `close`. */
	async write(bytes: Uint8Array): Promise<void> {
		const writer = this.#writer;
		await new Promise<void>((resolve) => writer.write(bytes, () => resolve()));
		if (writer === this.#writer && !writer.destroyed) await this.#forgetOld(writer);
	}

	/** Begins anew elsewhere on the timeline; parts have to start with the headers again. */
	restart(): void {
		if (this.#closed) return;
		this.#writer = this.#wrapper.createWriteStream(this.#writer);
		this.#watch(this.#writer);
	}

	/** The last part has been written. */
	end(): void {
		this.#writer.end();
	}

	/** Gives the element back; idempotent. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		const url = this.#element.src;
		this.#writer.destroy();
		this.#element.removeAttribute('src');
		this.#element.load();
		URL.revokeObjectURL(url);
	}

	#watch(writer: MediaStreamWriter): void {
		writer.on('error', (error) => {
			if (!this.#closed && writer === this.#writer) this.#onError(error);
		});
	}

	async #forgetOld(writer: MediaStreamWriter): Promise<void> {
		const buffer = writer._sourceBuffer;
		const before = this.#element.currentTime - BEHIND_S;
		if (!buffer || buffer.updating || buffer.buffered.length === 0) return;
		if (buffer.buffered.start(0) >= before - BEHIND_S) return;
		const done = new Promise((resolve) =>
			buffer.addEventListener('updateend', resolve, { once: true }),
		);
		buffer.remove(0, before);
		await done;
	}
}
