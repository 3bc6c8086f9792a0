import { expect, test } from 'vitest';
import { judgeHealth, swarmMargin, type HealthSigns } from './health.ts';

const SIGNS: HealthSigns = {
	links: 3,
	viewers: 3,
	tracked: true,
	sendDelayMs: 0,
	uplinkBps: undefined,
	streamBps: 2_500_000,
	margin: 2,
};
/** The margin of a swarm of 100 with these uplinks at the broadcaster's neighbours, Mbit/s each. */
const marginOf = (uplinkMbps: number | undefined, ...theirsMbps: number[]) =>
	swarmMargin({
		uplinkBps: uplinkMbps === undefined ? undefined : uplinkMbps * 1e6,
		streamBps: 2_500_000,
		viewers: 100,
		neighbourUplinksBps: theirsMbps.map((mbps) => mbps * 1e6),
	});

test('a swarm whose uplinks are hardly more than the stream is short, as the simulated ones are (docs/scale.md)', () => {
	// 4.4 Mbit/s on average, three in ten share nothing: half of such swarms come to stand seconds behind; with 5 none does.
	const rider = [0, 0, 0];
	const at = (mbps: number) => marginOf(10, ...rider, ...Array<number>(7).fill(mbps))!;
	expect(judgeHealth({ ...SIGNS, margin: at(4) }).health).toBe('short');
	expect(judgeHealth({ ...SIGNS, margin: at(4.4) }).health).toBe('tight');
	expect(judgeHealth({ ...SIGNS, margin: at(6) }).health).toBe('good');
});

test('an uplink that was never full is no shortage, whoever shares', () => {
	const viewers = { streamBps: 2_500_000, viewers: 3, neighbourUplinksBps: [0, 0, 0] };
	expect(swarmMargin({ ...viewers, uplinkBps: undefined })).toBe(1);
	expect(judgeHealth({ ...SIGNS, margin: 1 }).health).toBe('tight');
	expect(swarmMargin({ ...viewers, uplinkBps: 8_000_000 })).toBeLessThan(1);
});

test('without viewers or a stream there is no margin', () => {
	expect(marginOf(10)).toBeUndefined();
	expect(
		swarmMargin({ uplinkBps: 1, streamBps: 0, viewers: 1, neighbourUplinksBps: [1] }),
	).toBeUndefined();
});

test('each sentence says what is short, the worst first', () => {
	const reason = (signs: Partial<HealthSigns>) => judgeHealth({ ...SIGNS, ...signs });
	expect(reason({ links: 0 }).reason).toMatch(/Nobody watches yet/);
	expect(reason({ links: 0, tracked: false })).toMatchObject({ health: 'lost' });
	expect(reason({ uplinkBps: 2_500_000, margin: 0.5 }).reason).toMatch(/^Your upload is slower/);
	expect(reason({ sendDelayMs: 1001 })).toMatchObject({ health: 'short' });
	expect(reason({ sendDelayMs: 301 })).toMatchObject({ health: 'tight' });
	expect(reason({ tracked: false })).toMatchObject({ health: 'tight' });
	expect(reason({})).toEqual({ health: 'good', reason: 'Everything gets out in time.' });
});
