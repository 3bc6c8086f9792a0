import { expect, test } from 'vitest';
import { level } from './level.ts';

const constant = (value: number) => new Float32Array(256).fill(value);

test('silence is nothing and full scale is all', () => {
	expect(level(constant(0))).toBe(0);
	expect(level(constant(1))).toBe(1);
	expect(level(constant(-1))).toBe(1);
	expect(level(new Float32Array(0))).toBe(0);
});

test('each tenth of the amplitude costs a third of the meter', () => {
	expect(level(constant(0.1))).toBeCloseTo(2 / 3);
	expect(level(constant(0.01))).toBeCloseTo(1 / 3);
	expect(level(constant(0.0001))).toBe(0);
});
