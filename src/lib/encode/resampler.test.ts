import { expect, test } from 'vitest';
import { concatBytes } from '../util/bytes.ts';
import { Resampler } from './resampler.ts';

function sine(hertz: number, rate: number, count: number): Float32Array {
	return Float32Array.from({ length: count }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate));
}

function inChunks(
	resampler: Resampler,
	input: Float32Array,
	chunk: number,
	stretch = 1,
): Float32Array {
	const parts: Uint8Array[] = [];
	for (let at = 0; at < input.length; at += chunk) {
		parts.push(new Uint8Array(resampler.process(input.subarray(at, at + chunk), stretch).buffer));
	}
	return new Float32Array(concatBytes(...parts).buffer);
}

/** Root mean square of the difference to the best fitting sine of that frequency, over that of the signal. */
function distortion(signal: Float32Array, hertz: number, rate: number): number {
	let sin = 0;
	let cos = 0;
	let power = 0;
	signal.forEach((value, i) => {
		sin += value * Math.sin((2 * Math.PI * hertz * i) / rate);
		cos += value * Math.cos((2 * Math.PI * hertz * i) / rate);
		power += value * value;
	});
	const fitted = (2 * (sin * sin + cos * cos)) / signal.length;
	return Math.sqrt(Math.max(0, power - fitted) / power);
}

test('at equal rates the samples come out as they went in, nine samples later', () => {
	const input = sine(440, 48_000, 4800);
	const output = inChunks(new Resampler(48_000, 48_000), input, 480);
	expect(output.length).toBeGreaterThan(4780);
	output.subarray(9).forEach((value, i) => expect(value).toBeCloseTo(input[i]!, 6));
});

test.each([44_100, 32_000, 16_000, 8000, 96_000])(
	'a tone of %d Hz sampling stays one tone',
	(rate) => {
		const input = sine(1000, rate, rate);
		const output = inChunks(new Resampler(rate, 48_000), input, Math.floor(rate / 100));
		expect(Math.abs(output.length - 48_000)).toBeLessThan(100);
		expect(distortion(output.subarray(4000, 42_400), 1000, 48_000)).toBeLessThan(0.001);
	},
);

test('a stretch makes as much more of it, without a break between chunks', () => {
	const input = sine(1000, 48_000, 48_000);
	const output = inChunks(new Resampler(48_000, 48_000), input, 480, 1.005);
	expect(Math.abs(output.length - 48_240)).toBeLessThan(20);
	expect(distortion(output.subarray(4000, 40_180), 1000 / 1.005, 48_000)).toBeLessThan(0.001);
});

test('chunk sizes make no difference', () => {
	const input = sine(1000, 44_100, 44_100);
	const whole = new Resampler(44_100, 48_000).process(input, 1);
	const parts = inChunks(new Resampler(44_100, 48_000), input, 137);
	expect(parts.length).toBe(whole.length);
	for (let i = 0; i < whole.length; i += 97) expect(parts[i]).toBeCloseTo(whole[i]!, 5);
});
