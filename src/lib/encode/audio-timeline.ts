import { Resampler } from './resampler.ts';

/** Samples per second of everything that is sent. */
export const SAMPLE_RATE = 48_000;
/** Sound is always sent as stereo, so that a change of source never changes the stream. */
export const CHANNELS = 2;
/** Samples in a block: the 20 ms of an Opus packet. */
export const BLOCK_SAMPLES = 960;

/** Sound this far ahead of the clock is cut off: a buffer played out in a burst, or a clock that runs fast. */
const MOST_AHEAD_US = 20_000;
/** Sound this far behind the clock all through a window has a hole, which silence fills. */
const MOST_BEHIND_US = 60_000;
const WINDOW_US = 1_000_000;
/** Errors below this are left alone. */
const FINE_US = 2000;
/** Most that sound is stretched or squeezed to follow the clock; 0.5 % is a twelfth of a semitone. */
const MOST_STRETCH = 0.005;
/** How much of an error one second of stretching takes away. */
const STRETCH_GAIN = 0.25;
const FADE_SAMPLES = 240;

/**
 * Sound on the master clock: whatever a source delivers, in whatever rate and rhythm, becomes one unbroken
 * run of stereo samples whose count is the media time. A source's own clock is followed by stretching;
 * holes become silence.
 */
export class AudioTimeline {
	readonly #queue: Float32Array[] = Array.from({ length: CHANNELS }, () => new Float32Array(0));
	/** Index of the first sample in the queue, counted from media time 0. */
	#first = 0;
	#resamplers: Resampler[] = [];
	#inputRate = 0;
	#isSynced = false;
	#stretch = 1;
	#windowEndUs = 0;
	#leastBehindUs = Infinity;
	#fadeLeft = 0;
	#silentSamples = 0;

	/** Media time that sound reaches to, microseconds. */
	get endUs(): number {
		return toUs(this.#end);
	}

	/** Silence put in so far where sound was missing, milliseconds. */
	get silentMs(): number {
		return (this.#silentSamples / SAMPLE_RATE) * 1000;
	}

	get #end(): number {
		return this.#first + (this.#queue[0]?.length ?? 0);
	}

	/** The next samples are another source's. */
	startSource(): void {
		this.#isSynced = false;
	}

	/**
	 * Appends sound, one array a channel, whose last sample was taken at media time `arrivalUs` at the latest.
	 * One channel is heard on both sides; of more than two, the first two are taken.
	 */
	push(channels: readonly Float32Array[], sampleRate: number, arrivalUs: number): void {
		const left = channels[0];
		if (!left || left.length === 0) return;
		this.#tuneTo(sampleRate, arrivalUs, left.length);
		const sides = [left, channels[1] ?? left];
		const made = this.#resamplers.map((resampler, side) =>
			resampler.process(sides[side] ?? left, this.#stretch),
		);
		this.#fadeIn(made);
		this.#append(made);
		this.#follow(arrivalUs);
	}

	/** Fills with silence up to a media time that sound doesn't reach. */
	fillTo(us: number): void {
		const missing = Math.ceil((us / 1e6) * SAMPLE_RATE) - this.#end;
		if (missing <= 0) return;
		this.#silentSamples += missing;
		this.#fadeLeft = FADE_SAMPLES;
		this.#append(this.#queue.map(() => new Float32Array(missing)));
	}

	/** Gives up all sound before a media time; blocks begin there. */
	skipTo(us: number): void {
		const first = Math.round((us / 1e6) * SAMPLE_RATE);
		if (first <= this.#first) return;
		const dropped = Math.min(first - this.#first, this.#end - this.#first);
		this.#queue.forEach((samples, side) => (this.#queue[side] = samples.slice(dropped)));
		this.#first = first;
		this.#isSynced = false;
	}

	/** The next 20 ms: left side, then right, in one array. */
	take(): { startUs: number; samples: Float32Array<ArrayBuffer> } | undefined {
		if ((this.#queue[0]?.length ?? 0) < BLOCK_SAMPLES) return undefined;
		const block = new Float32Array(BLOCK_SAMPLES * CHANNELS);
		this.#queue.forEach((samples, side) => {
			block.set(samples.subarray(0, BLOCK_SAMPLES), side * BLOCK_SAMPLES);
			this.#queue[side] = samples.slice(BLOCK_SAMPLES);
		});
		const startUs = toUs(this.#first);
		this.#first += BLOCK_SAMPLES;
		return { startUs, samples: block };
	}

	/** Sets up for the source's rate, and begins a new source where its first sample belongs. */
	#tuneTo(sampleRate: number, arrivalUs: number, length: number): void {
		if (sampleRate !== this.#inputRate || !this.#isSynced) {
			this.#inputRate = sampleRate;
			this.#resamplers = this.#queue.map(() => new Resampler(sampleRate, SAMPLE_RATE));
			this.#stretch = 1;
		}
		if (this.#isSynced) return;
		this.#isSynced = true;
		this.fillTo(arrivalUs - (length / sampleRate) * 1e6);
		this.#startWindow(arrivalUs);
	}

	/** Keeps to the clock: cuts what is ahead, measures how far behind the promptest samples are. */
	#follow(arrivalUs: number): void {
		const behindUs = arrivalUs - this.endUs;
		if (behindUs < -MOST_AHEAD_US) this.#cutBack(-behindUs);
		this.#leastBehindUs = Math.min(this.#leastBehindUs, arrivalUs - this.endUs);
		if (arrivalUs < this.#windowEndUs) return;
		const errorUs = this.#leastBehindUs;
		if (errorUs > MOST_BEHIND_US) this.fillTo(this.endUs + errorUs);
		const isFine = Math.abs(errorUs) < FINE_US || errorUs > MOST_BEHIND_US;
		const stretch = isFine ? 0 : (errorUs / WINDOW_US) * STRETCH_GAIN;
		this.#stretch = 1 + Math.max(-MOST_STRETCH, Math.min(MOST_STRETCH, stretch));
		this.#startWindow(arrivalUs);
	}

	#startWindow(nowUs: number): void {
		this.#windowEndUs = nowUs + WINDOW_US;
		this.#leastBehindUs = Infinity;
	}

	#cutBack(us: number): void {
		const excess = Math.floor((us / 1e6) * SAMPLE_RATE);
		this.#queue.forEach((samples, side) => {
			this.#queue[side] = samples.slice(0, Math.max(0, samples.length - excess));
		});
		this.#fadeLeft = FADE_SAMPLES;
	}

	#append(made: readonly Float32Array[]): void {
		this.#queue.forEach((samples, side) => {
			const more = made[side] ?? new Float32Array(0);
			const joined = new Float32Array(samples.length + more.length);
			joined.set(samples);
			joined.set(more, samples.length);
			this.#queue[side] = joined;
		});
	}

	/** Sound behind a hole comes in over 5 ms, so that it does not click. */
	#fadeIn(made: readonly Float32Array[]): void {
		const count = Math.min(this.#fadeLeft, made[0]?.length ?? 0);
		for (const samples of made) {
			for (let i = 0; i < count; i++) {
				samples[i] = (samples[i] ?? 0) * (1 - (this.#fadeLeft - i) / FADE_SAMPLES);
			}
		}
		this.#fadeLeft -= count;
	}
}

function toUs(samples: number): number {
	return (samples * 1e6) / SAMPLE_RATE;
}
