import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

it('stays between the least and a ceiling that doubles up to the most', () => {
	const ceilings = [1, 2, 3, 4, 5, 6, 7, 1000].map((n) => backoffMs(n, 300, 10_000, () => 1));
	expect(ceilings).toEqual([600, 1200, 2400, 4800, 9600, 10_000, 10_000, 10_000]);
	for (const n of [1, 5, 1000]) expect(backoffMs(n, 300, 10_000, () => 0)).toBe(300);
});
