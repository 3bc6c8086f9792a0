import fc from 'fast-check';
import { expect, test } from 'vitest';
import { explainRate, RateControl, type RateDecision, type RateSigns } from './rate-control.ts';

const MOST_BPS = 2_000_000;
const AUDIO_BPS = 100_000;

const CALM: RateSigns = {
	uplinkBps: 20_000_000,
	streamBps: MOST_BPS + AUDIO_BPS,
	queueDelayMs: 0,
	margin: 3,
	droppedShare: 0,
};

/** A broadcaster whose uplink and swarm carry what `world` says at each second. */
function run(
	seconds: number,
	world: (second: number) => { uplinkBps?: number; swarmBps?: number },
): RateDecision[] {
	const control = new RateControl(MOST_BPS);
	const decisions: RateDecision[] = [];
	let videoBps = MOST_BPS;
	let queueBits = 0;
	for (let second = 0; second < seconds; second++) {
		const { uplinkBps = 20_000_000, swarmBps = 20_000_000 } = world(second);
		const streamBps = videoBps + AUDIO_BPS;
		queueBits = Math.max(0, queueBits + streamBps - uplinkBps);
		const isFull = queueBits > 0;
		const decision = control.next(
			{
				uplinkBps: isFull ? uplinkBps : undefined,
				streamBps,
				queueDelayMs: (queueBits / uplinkBps) * 1000,
				margin: swarmBps / streamBps,
				droppedShare: 0,
			},
			second * 1000,
		);
		({ videoBps } = decision);
		decisions.push(decision);
	}
	return decisions;
}

test('with room for all, video keeps all that the profile allows', () => {
	expect(run(60, () => ({})).every(({ reason }) => reason === 'full')).toBe(true);
});

test('an uplink slower than the stream is followed down within seconds, and said', () => {
	const decisions = run(30, () => ({ uplinkBps: 1_000_000 }));
	const at = decisions.findIndex(({ videoBps }) => videoBps + AUDIO_BPS < 1_000_000);
	expect(at).toBeGreaterThan(0);
	expect(at).toBeLessThan(10);
	expect(decisions[at]?.reason).toBe('uplink');
});

test('a moment of congestion changes nothing', () => {
	const control = new RateControl(MOST_BPS);
	for (let second = 0; second < 20; second++) {
		const queueDelayMs = second === 10 ? 3000 : 0;
		expect(control.next({ ...CALM, queueDelayMs }, second * 1000).videoBps).toBe(MOST_BPS);
	}
});

test('a swarm that passes on too little is followed down, and up again when it grows', () => {
	const decisions = run(120, (second) => ({ swarmBps: second < 30 ? 1_200_000 : 10_000_000 }));
	const low = decisions[29]!;
	expect(low.reason).toBe('swarm');
	expect(low.videoBps + AUDIO_BPS).toBeLessThan(1_200_000);
	expect(low.videoBps).toBeGreaterThan(500_000);
	expect(decisions.some(({ reason }) => reason === 'rising')).toBe(true);
	expect(decisions.at(-1)).toEqual({ videoBps: MOST_BPS, reason: 'full' });
});

test('a machine too slow to encode gets less to do', () => {
	const control = new RateControl(MOST_BPS);
	let last: RateDecision | undefined;
	for (let second = 0; second < 4; second++) {
		last = control.next({ ...CALM, droppedShare: 0.5 }, second * 1000);
	}
	expect(last).toEqual({ videoBps: MOST_BPS * 0.6, reason: 'machine' });
});

test('near the limit it does not swing: attempts to raise become rare', () => {
	const decisions = run(600, () => ({ uplinkBps: 1_500_000 }));
	const raises = (from: number, to: number) =>
		decisions
			.slice(from, to)
			.filter(({ videoBps }, i, all) => i > 0 && videoBps > all[i - 1]!.videoBps).length;
	expect(raises(300, 600)).toBeLessThanOrEqual(raises(0, 300));
	expect(raises(300, 600)).toBeLessThan(15);
});

test('when the last viewer leaves, the full bitrate is there for the next', () => {
	const control = new RateControl(MOST_BPS);
	for (let second = 0; second < 10; second++) {
		control.next({ ...CALM, uplinkBps: 500_000 }, second * 1000);
	}
	const alone = control.next({ ...CALM, uplinkBps: 500_000, margin: undefined }, 10_000);
	expect(alone).toEqual({ videoBps: MOST_BPS, reason: 'full' });
});

test('whatever the signs, the bitrate stays within its bounds', () => {
	const signs = fc.record({
		uplinkBps: fc.option(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1e9 })), {
			nil: undefined,
		}),
		streamBps: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1e8 })),
		queueDelayMs: fc.integer({ min: 0, max: 100_000 }),
		margin: fc.option(fc.double({ min: 0, max: 1000, noNaN: true }), { nil: undefined }),
		droppedShare: fc.double({ min: 0, max: 1, noNaN: true }),
	});
	fc.assert(
		fc.property(fc.array(signs, { maxLength: 200 }), (all) => {
			const control = new RateControl(MOST_BPS);
			all.forEach((each, i) => {
				const { videoBps } = control.next(each, i * 1000);
				expect(videoBps).toBeGreaterThanOrEqual(150_000);
				expect(videoBps).toBeLessThanOrEqual(MOST_BPS);
			});
		}),
	);
});

test('a lowered bitrate is explained, the full one needs no words', () => {
	expect(explainRate({ videoBps: 900_000, reason: 'uplink' })).toBe(
		'The picture now takes 0.9 Mbit/s, as much as your upload carries.',
	);
	expect(explainRate({ videoBps: 2_000_000, reason: 'full' })).toBe('');
});
