import { expect, test } from 'vitest';
import { FrameClock } from './frame-clock.ts';

const FRAME_US = 33_333;

test('frames that are held up on their way keep their own distances', () => {
	const clock = new FrameClock();
	clock.place(5_000_000, 1000);
	for (let i = 1; i < 200; i++) {
		const heldUpUs = (i * 7919) % 20_000;
		const placed = clock.place(5_000_000 + i * FRAME_US, 1000 + i * FRAME_US + heldUpUs);
		expect(Math.abs(placed - (1000 + i * FRAME_US))).toBeLessThan(1000);
	}
});

test('a clock that jumps, forwards or back, is followed at once', () => {
	for (const jumpUs of [-900_000_000, -700_000, 700_000, 900_000_000]) {
		const clock = new FrameClock();
		clock.place(0, 0);
		const placed = clock.place(FRAME_US + jumpUs, FRAME_US);
		expect(placed).toBe(FRAME_US);
	}
});

test('no frame is placed after its arrival, and none long before it', () => {
	const clock = new FrameClock();
	for (let i = 0; i < 5000; i++) {
		const arrivalUs = i * FRAME_US + ((i * 104729) % 60_000);
		// 500 parts per million slow
		const placed = clock.place(i * FRAME_US * 0.9995, arrivalUs);
		expect(placed).toBeLessThanOrEqual(arrivalUs);
		expect(placed).toBeGreaterThan(arrivalUs - 65_000);
	}
});
