import { expect, test } from 'vitest';
import { toHaves } from './announcer.ts';

test('tells neighbouring pieces in one message', () => {
	expect(toHaves([8, 9, 17])).toEqual([
		{ type: 'have', first: 8, bits: Uint8Array.of(0b1100_0000, 0b0100_0000) },
	]);
});

test('begins a new message where a bitmap would grow too long', () => {
	const haves = toHaves([0, 511, 512]);
	expect(haves.map(({ first, bits }) => [first, bits.length])).toEqual([
		[0, 64],
		[512, 1],
	]);
});

test('says nothing of nothing', () => {
	expect(toHaves([])).toEqual([]);
});
