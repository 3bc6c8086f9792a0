import { expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

it('allows a burst, then the rate, and never saves more than the burst', () => {
	let now = 0;
	const bucket = new TokenBucket(1, 10, () => now);
	const takeAll = () => {
		let taken = 0;
		while (bucket.take()) taken++;
		return taken;
	};
	expect(takeAll()).toBe(10);
	now += 2500;
	expect(takeAll()).toBe(2);
	now += 3_600_000;
	expect(takeAll()).toBe(10);
});

it('is not refilled by a clock that goes backwards', () => {
	let now = 10_000;
	const bucket = new TokenBucket(1, 1, () => now);
	bucket.take();
	now = 0;
	expect(bucket.take()).toBe(false);
});
