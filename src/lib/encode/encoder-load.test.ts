import { expect, test } from 'vitest';
import { EncoderLoad } from './encoder-load.ts';

/** Lets seconds pass in which a share of 30 frames a second is dropped; gives the scale after each. */
function pass(load: EncoderLoad, fromS: number, toS: number, share: (scale: number) => number) {
	const scales: number[] = [];
	for (let second = fromS; second < toS; second++) {
		for (let i = 0; i < 30; i++) {
			load.noteTaken();
			if (i < 30 * share(load.mostScale)) load.noteDropped();
		}
		load.settle((second + 1) * 1e6);
		scales.push(load.mostScale);
	}
	return scales;
}

test('a frame dropped now and then changes nothing', () => {
	expect(new Set(pass(new EncoderLoad(), 0, 60, () => 0.1))).toEqual(new Set([1]));
});

test('the picture shrinks until the encoder keeps up, and no further', () => {
	const scales = pass(new EncoderLoad(), 0, 15, (scale) => (scale > 0.5 ? 0.6 : 0));
	expect([...new Set(scales)]).toEqual([1, 0.75, 0.5]);
	expect(scales.at(-1)).toBe(0.5);
});

test('one bad moment is no overload; two in a row are, and the share is told', () => {
	const load = new EncoderLoad();
	const window = (share: number, endS: number) => {
		for (let i = 0; i < 60; i++) {
			load.noteTaken();
			if (i < 60 * share) load.noteDropped();
		}
		return load.settle(endS * 1e6);
	};
	expect(window(0.8, 2)).toBeUndefined();
	expect(window(0, 4)).toBeUndefined();
	expect(window(0.8, 6)).toBeUndefined();
	expect(load.mostScale).toBe(1);
	expect(window(0.5, 8)).toBe(0.5);
	expect(load.mostScale).toBe(0.75);
});

test('an overload is over once the encoder has kept up for ten seconds, and not before', () => {
	const load = new EncoderLoad();
	const overloaded = (untilS: number, share: number) => {
		pass(load, untilS - 2, untilS, () => share);
		return load.isOverloaded;
	};
	expect([overloaded(2, 0.6), overloaded(4, 0.6)]).toEqual([false, true]);
	expect([overloaded(6, 0), overloaded(8, 0.6)]).toEqual([true, true]); // a bad moment prolongs it
	expect([10, 12, 14, 16, 18].map((s) => overloaded(s, 0))).toEqual([
		true,
		true,
		true,
		true,
		false,
	]);
	expect(overloaded(20, 0.6)).toBe(false); // and is no overload by itself
});

test('after a busy spell it grows back to its full size', () => {
	const load = new EncoderLoad();
	pass(load, 0, 12, () => 0.9);
	expect(load.mostScale).toBe(0.25);
	expect(pass(load, 12, 90, () => 0).at(-1)).toBe(1);
});

test('a machine that is busy for good is tried less and less often', () => {
	const load = new EncoderLoad();
	const scales = pass(load, 0, 600, (scale) => (scale > 0.75 ? 0.6 : 0));
	const tries = scales.flatMap((scale, i) => (scale > (scales[i - 1] ?? 1) ? [i] : []));
	const pauses = tries.slice(1).map((at, i) => at - tries[i]!);
	expect(tries.length).toBeGreaterThan(2);
	expect(tries.length).toBeLessThan(7);
	expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
});
