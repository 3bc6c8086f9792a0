import type { Random } from '../util/clock.ts';

/**
 * How long to wait before try number `failures` (1 after the first failure): uniformly between `leastMs` and a
 * ceiling that doubles up to `mostMs`, so that a crowd that lost the same server doesn't return at once.
 */
export function backoffMs(
	failures: number,
	leastMs: number,
	mostMs: number,
	random: Random,
): number {
	const ceilingMs = Math.min(mostMs, leastMs * 2 ** Math.min(30, Math.max(1, failures)));
	return leastMs + random() * (ceilingMs - leastMs);
}
