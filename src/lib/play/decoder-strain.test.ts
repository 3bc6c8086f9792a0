import { describe, expect, test } from 'vitest';
import { DecoderStrain, type StrainView } from './decoder-strain.ts';

const smooth = { atMs: 0, playheadS: 0, rate: 1, aheadS: 1, decodedFrames: 0, droppedFrames: 0 };

/** Lets seconds of 30 frames pass, each changed as told; gives what is said after each. */
function pass(
	strain: DecoderStrain,
	seconds: number,
	change: (second: number) => Partial<StrainView>,
): boolean[] {
	return Array.from({ length: seconds }, (_, second) => {
		const usual = { atMs: second * 1000, playheadS: second, decodedFrames: second * 30 };
		strain.update({ ...smooth, ...usual, ...change(second) });
		return strain.isStrained;
	});
}

describe('a device is strained', () => {
	test('when it leaves out a third of the frames for seconds', () => {
		const told = pass(new DecoderStrain(), 8, (second) => ({ droppedFrames: second * 12 }));
		expect(told.lastIndexOf(false)).toBe(4);
		expect(told.at(-1)).toBe(true);
	});

	test('when its playhead falls behind with media ahead', () => {
		const told = pass(new DecoderStrain(), 8, (second) => ({ playheadS: second * 0.6 }));
		expect(told.at(-1)).toBe(true);
	});

	test('also when jumps bring the playhead back to where it should be', () => {
		const jumping = (second: number) => ({
			playheadS: second % 2 ? second - 0.9 : second,
		});
		expect(pass(new DecoderStrain(), 9, jumping).at(-1)).toBe(true);
	});
});

describe('it is not', () => {
	test('while all is shown', () => {
		expect(pass(new DecoderStrain(), 9, () => ({}))).not.toContain(true);
	});

	test('when the playhead waits for the network', () => {
		const late = (second: number) => ({ playheadS: second * 0.4, aheadS: 0.1 });
		expect(pass(new DecoderStrain(), 9, late)).not.toContain(true);
	});

	test('for a burst that is dropped, or a moment that a seek takes', () => {
		const burst = (second: number) => ({
			droppedFrames: second < 3 ? 0 : 25,
			playheadS: second < 3 ? second : second - 0.7,
		});
		expect(pass(new DecoderStrain(), 9, burst)).not.toContain(true);
	});

	test('once nearly all is shown again, nor after a pause', () => {
		const strain = new DecoderStrain();
		const told = pass(strain, 14, (second) => ({ droppedFrames: Math.min(second, 6) * 15 }));
		expect(told[6]).toBe(true);
		expect(told.at(-1)).toBe(false);
		pass(strain, 7, (second) => ({ atMs: 20_000 + second * 1000, playheadS: 0 }));
		expect(strain.isStrained).toBe(true);
		strain.reset();
		expect(strain.isStrained).toBe(false);
	});
});
