import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdEdge, MAX_RATE, MIN_RATE, type EdgeView } from './live-edge.ts';
import { aheadS } from './ranges.ts';

function view(behindS: number, change: Partial<EdgeView> = {}): EdgeView {
	const edgeS = 100;
	return {
		playheadS: edgeS - behindS,
		buffered: [{ startS: 60, endS: edgeS }],
		behindS,
		targetS: 0.6,
		rate: 1,
		settling: false,
		...change,
	};
}

describe('holdEdge', () => {
	it('leaves a delay near the target alone', () => {
		expect(holdEdge(view(0.6))).toBeUndefined();
		expect(holdEdge(view(0.64))).toBeUndefined();
		expect(holdEdge(view(0.56))).toBeUndefined();
	});

	it('plays a little faster when behind, a little slower when too near', () => {
		expect(holdEdge(view(0.75))).toEqual({ type: 'rate', rate: 1.06 });
		expect(holdEdge(view(1.2))).toEqual({ type: 'rate', rate: MAX_RATE });
		expect(holdEdge(view(0.4))).toEqual({ type: 'rate', rate: MIN_RATE });
	});

	it('keeps the rate on the way and ends at the target', () => {
		expect(holdEdge(view(0.65, { rate: 1.06 }))).toBeUndefined();
		expect(holdEdge(view(0.61, { rate: 1.06 }))).toEqual({ type: 'rate', rate: 1 });
	});

	it('jumps when more than twice the target, and a second, behind', () => {
		expect(holdEdge(view(1.55))).toMatchObject({ type: 'rate' });
		expect(holdEdge(view(1.65))).toEqual({ type: 'jump', toS: expect.closeTo(99.4) });
		expect(holdEdge(view(3.5, { targetS: 2 }))).toMatchObject({ type: 'rate' });
		expect(holdEdge(view(4.1, { targetS: 2 }))).toMatchObject({ type: 'jump' });
	});

	it('jumps sooner at the beginning', () => {
		expect(holdEdge(view(1, { settling: true }))).toMatchObject({ type: 'jump' });
	});

	it('does not hurry into a buffer that is nearly empty', () => {
		const buffered = [{ startS: 60, endS: 99.05 }];
		expect(holdEdge(view(1, { buffered }))).toBeUndefined();
	});

	it('stops hurrying while the next segment is late, before the decoder runs dry', () => {
		// Behind the target, and yet less left than between two looks at the video is played at the faster rate.
		const buffered = [{ startS: 60, endS: 99.2 }];
		expect(holdEdge(view(1, { buffered, rate: 1.09 }))).toEqual({ type: 'rate', rate: 1 });
	});

	it('does not jump to where there is nothing', () => {
		const buffered = [{ startS: 60, endS: 90.28 }];
		expect(holdEdge(view(10, { buffered }))).toMatchObject({ type: 'rate' });
	});

	it('jumps over a hole to what follows it', () => {
		const buffered = [
			{ startS: 60, endS: 97 },
			{ startS: 99.5, endS: 100 },
		];
		expect(holdEdge(view(5, { buffered }))).toEqual({ type: 'jump', toS: 99.5 });
	});

	it('keeps to its rates, and jumps only forward into enough media', () => {
		fc.assert(
			fc.property(
				fc.double({ min: -5, max: 60, noNaN: true }),
				fc.double({ min: 0.1, max: 4, noNaN: true }),
				fc.double({ min: 62, max: 100, noNaN: true }),
				fc.boolean(),
				fc.constantFrom(0.97, 1, 1.04, 1.1),
				(behindS, targetS, endS, settling, rate) => {
					const buffered = [{ startS: 60, endS }];
					const now = view(behindS, { targetS, buffered, settling, rate });
					const step = holdEdge(now);
					if (step?.type === 'rate') {
						expect(step.rate).toBeGreaterThanOrEqual(MIN_RATE);
						expect(step.rate).toBeLessThanOrEqual(MAX_RATE);
						expect(step.rate).not.toBe(rate);
					}
					if (step?.type === 'jump') {
						expect(step.toS).toBeGreaterThan(now.playheadS);
						expect(aheadS(buffered, step.toS)).toBeGreaterThan(0.28);
					}
				},
			),
		);
	});
});
