/** Input samples that each output sample is made of. */
const TAPS = 16;
const HALF = TAPS / 2;
/** Steps between two input samples in the table; between steps it is interpolated. */
const PHASES = 128;

/** Windowed-sinc low-pass at the lower of the two rates' halves. `table[phase * TAPS + tap]`. */
function makeTable(cutoff: number): Float32Array {
	const table = new Float32Array((PHASES + 1) * TAPS);
	for (let phase = 0; phase <= PHASES; phase++) {
		let sum = 0;
		for (let tap = 0; tap < TAPS; tap++) {
			const x = tap - HALF + 1 - phase / PHASES;
			const sinc = x === 0 ? cutoff : Math.sin(Math.PI * x * cutoff) / (Math.PI * x);
			const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (HALF + 1));
			table[phase * TAPS + tap] = sinc * window;
			sum += sinc * window;
		}
		for (let tap = 0; tap < TAPS; tap++) {
			table[phase * TAPS + tap] = (table[phase * TAPS + tap] ?? 0) / sum;
		}
	}
	return table;
}

/** Turns one channel of sound from one sample rate into another, which may be stretched a little as it goes. */
export class Resampler {
	readonly #step: number;
	readonly #table: Float32Array;
	/** Input that later output still needs. */
	#tail = new Float32Array(TAPS);
	/** Where the next output lies, in input samples from the start of the tail. */
	#at = HALF - 1;

	constructor(fromRate: number, toRate: number) {
		this.#step = fromRate / toRate;
		this.#table = makeTable(Math.min(1, toRate / fromRate));
	}

	/** The output that `input` allows. `stretch` 1.001 makes a thousandth more of it. */
	process(input: Float32Array, stretch: number): Float32Array<ArrayBuffer> {
		const samples = new Float32Array(this.#tail.length + input.length);
		samples.set(this.#tail);
		samples.set(input, this.#tail.length);
		const step = this.#step / stretch;
		const table = this.#table;
		const lastAt = samples.length - HALF - 1;
		const count = Math.max(0, Math.floor((lastAt - this.#at) / step) + 1);
		if (step === 1 && Number.isInteger(this.#at)) {
			// Every output is a sample as it stands.
			const output = samples.slice(this.#at, this.#at + count);
			this.#keep(samples, this.#at + count);
			return output;
		}
		const output = new Float32Array(count);
		for (let i = 0; i < count; i++) {
			const at = this.#at + i * step;
			const base = Math.floor(at);
			const position = (at - base) * PHASES;
			const phase = Math.floor(position);
			const between = position - phase;
			const row = phase * TAPS;
			const first = base - HALF + 1;
			let sum = 0;
			for (let tap = 0; tap < TAPS; tap++) {
				const low = table[row + tap] ?? 0;
				const high = table[row + TAPS + tap] ?? 0;
				sum += (samples[first + tap] ?? 0) * (low + (high - low) * between);
			}
			output[i] = sum;
		}
		this.#keep(samples, this.#at + count * step);
		return output;
	}

	/** Keeps what the output at `next` still needs. */
	#keep(samples: Float32Array<ArrayBuffer>, next: number): void {
		const from = Math.max(0, Math.min(Math.floor(next) - HALF + 1, samples.length));
		this.#tail = samples.slice(from);
		this.#at = next - from;
	}
}
