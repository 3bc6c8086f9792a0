import { describe, expect, it } from 'vitest';
import { StallPenalty } from './stall-penalty.ts';

describe('StallPenalty', () => {
	it('adds little for one stall, ever more for one after another, and a second at most', () => {
		const penalty = new StallPenalty();
		const added = Array.from({ length: 9 }, () => {
			penalty.add();
			return penalty.seconds;
		});
		expect(penalty.seconds).toBe(1);
		expect(added.slice(0, 4).map((s) => Number(s.toFixed(2)))).toEqual([0.05, 0.13, 0.24, 0.41]);
	});

	it('fades, the more the faster', () => {
		const penalty = new StallPenalty();
		for (let i = 0; i < 9; i++) penalty.add();
		penalty.pass(140_000);
		expect(penalty.seconds).toBeCloseTo(0.5, 1);
		penalty.pass(600_000);
		expect(penalty.seconds).toBeLessThan(0.03);
	});

	it.each([10, 40, 80])('grows while there is a stall in %i s', (everyS) => {
		const penalty = new StallPenalty();
		for (let i = 0; i < 100; i++) {
			penalty.add();
			penalty.pass(everyS * 1000);
		}
		const before = penalty.seconds;
		penalty.add();
		penalty.pass(everyS * 1000);
		expect(penalty.seconds).toBeGreaterThanOrEqual(before);
		expect(before).toBeGreaterThan(0.4);
	});

	it('stays small where stalls are rare', () => {
		const penalty = new StallPenalty();
		for (let i = 0; i < 100; i++) {
			penalty.add();
			penalty.pass(600_000);
		}
		expect(penalty.seconds).toBeLessThan(0.01);
	});

	it('takes back what the last stall added, and nothing more', () => {
		const penalty = new StallPenalty();
		penalty.add();
		penalty.add();
		penalty.pass(1000);
		penalty.takeBack();
		expect(penalty.seconds).toBeCloseTo(0.05, 3);
		penalty.takeBack();
		expect(penalty.seconds).toBeCloseTo(0.05, 3);
	});
});
