import type { Picture } from './picture.ts';

/** Who gave no frame for so long while its last one is kept here may be waiting for that. */
const LENT_US = 150_000;
/** A frame that comes this soon after the last one was given back may have waited for it… */
const PROMPT_US = 100_000;
/** …and when so many in a row do, they have: somebody who types into a shared screen has no such rhythm for long. */
const SURE_WAITS = 5;

/**
 * The newest picture of a source, in the size that is encoded, for when none comes. A frame is a buffer of its source, which may have few:
 * Chromium lends a page two of a camera's, counts those of a page before a reload until its memory is cleaned up, and sends nothing while
 * both are out. So the buffer of a picture that stands is given back for a copy, and where frame after frame comes at once by that, every
 * picture is copied. Times are media time, in microseconds.
 */
export class HeldPicture {
	#frame: VideoFrame | undefined;
	#isLent = false;
	#sinceUs = 0;
	#returnedUs = -Infinity;
	/** Frames in a row that waited for the one before. */
	#waits = 0;
	#isScarce = false;

	/** The picture, which stays here; `undefined` before the first. */
	get frame(): VideoFrame | undefined {
		return this.#frame;
	}

	/** The next frames come from another source. */
	startSource(): void {
		this.#isScarce = false;
		this.#waits = 0;
		this.#returnedUs = -Infinity;
	}

	/** Takes over a frame of the source, fitted into `picture`. */
	take(frame: VideoFrame, picture: Picture, nowUs: number): void {
		this.#waits = nowUs - this.#returnedUs < PROMPT_US ? this.#waits + 1 : 0;
		if (this.#waits >= SURE_WAITS) this.#isScarce = true;
		this.#returnedUs = -Infinity;
		const fitted = this.#isScarce ? picture.copy(frame) : picture.fit(frame);
		this.#keep(fitted, fitted === frame, nowUs);
	}

	/** Takes over a picture that is nobody's buffer. */
	show(frame: VideoFrame): void {
		this.#keep(frame, false, 0);
	}

	/** What is held goes over to another size. */
	resize(picture: Picture): void {
		if (this.#frame && picture.differs(this.#frame)) this.#copy(picture);
	}

	/** Gives a buffer back that the source may be waiting for. */
	tick(picture: Picture | undefined, nowUs: number): void {
		if (!this.#isLent || !picture || nowUs - this.#sinceUs < LENT_US) return;
		this.#copy(picture);
		this.#returnedUs = nowUs;
	}

	close(): void {
		this.#frame?.close();
		this.#frame = undefined;
	}

	#copy(picture: Picture): void {
		if (this.#frame) this.#frame = picture.copy(this.#frame);
		this.#isLent = false;
	}

	#keep(frame: VideoFrame, isLent: boolean, nowUs: number): void {
		this.#frame?.close();
		this.#frame = frame;
		this.#isLent = isLent;
		this.#sinceUs = nowUs;
	}
}
