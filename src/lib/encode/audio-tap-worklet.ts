import type { SoundMessage } from './encoder-message.ts';

// The audio thread's scope (Web Audio §1.32), which the page's type library does not describe.
declare const sampleRate: number;
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
declare class AudioWorkletProcessor {
	readonly port: MessagePort;
}

/** Samples per message: 20 ms at 48 kHz, in whole render quanta of 128. */
const BATCH = 896;

/** Hands the sound it hears straight to the encoder's worker, past the page's thread. */
class AudioTap extends AudioWorkletProcessor {
	/** Where the sound goes; the first message brings it. */
	#encoder: MessagePort | undefined;
	#batch: Float32Array[] = [];
	#filled = 0;

	constructor() {
		super();
		this.port.onmessage = ({ data }: MessageEvent<MessagePort>) => (this.#encoder = data);
	}

	process([input]: Float32Array[][]): boolean {
		if (!input?.[0]) return true;
		if (this.#batch.length !== input.length) {
			this.#batch = input.map(() => new Float32Array(BATCH));
			this.#filled = 0;
		}
		input.forEach((samples, i) => this.#batch[i]?.set(samples, this.#filled));
		this.#filled += input[0].length;
		if (this.#filled >= BATCH) {
			const message: SoundMessage = { channels: this.#batch, sampleRate };
			this.#encoder?.postMessage(
				message,
				this.#batch.map((samples) => samples.buffer),
			);
			this.#batch = [];
		}
		return true;
	}
}

registerProcessor('shoal-audio-tap', AudioTap);
