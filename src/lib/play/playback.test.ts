import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liveSegments } from '../testing/live-segments.ts';
import type { LiveSegment } from './live-segment.ts';
import { Playback, type PlaybackOptions } from './playback.ts';
import { aheadS, type Range } from './ranges.ts';

const STEP_MS = 10;
/** As Chromium does: stops with so little left, goes on with so much. */
const STOPS_S = 0.09;
const RESUMES_S = 0.2;

interface Delivery {
	readonly segment: LiveSegment;
	readonly atMs: number;
}

/** A video element of a few lines: plays what it has, and notes what it showed. */
class ModelVideo {
	buffered: Range[] = [];
	playheadS = 0;
	rate = 1;
	starved = true;
	paused = true;
	seeking = false;
	seekingUntilMs = -1;
	playedS = 0;
	maxRate = 1;

	append(startS: number, endS: number): void {
		const ranges = [...this.buffered, { startS, endS }].sort((a, b) => a.startS - b.startS);
		this.buffered = [];
		for (const range of ranges) {
			const last = this.buffered.at(-1);
			if (last && range.startS <= last.endS + 0.001) {
				this.buffered.splice(-1, 1, { ...last, endS: Math.max(last.endS, range.endS) });
			} else this.buffered.push(range);
		}
	}

	remove(toS: number): void {
		this.buffered = this.buffered
			.filter(({ endS }) => endS > toS)
			.map(({ startS, endS }) => ({ startS: Math.max(startS, toS), endS }));
	}

	seek(toS: number, nowMs: number): void {
		this.playheadS = toS;
		this.starved = this.seeking = true;
		this.seekingUntilMs = nowMs + 20;
	}

	advance(nowMs: number): void {
		if (nowMs < this.seekingUntilMs) return;
		const left = aheadS(this.buffered, this.playheadS);
		if (left >= RESUMES_S) this.seeking = false;
		if (this.seeking) return;
		if (left < STOPS_S) this.starved = true;
		else if (left >= RESUMES_S) this.starved = false;
		if (this.starved || this.paused) return;
		const movedS = (STEP_MS / 1000) * this.rate;
		this.playheadS += movedS;
		this.playedS += movedS;
		this.maxRate = Math.max(this.maxRate, this.rate);
	}
}

/** Plays deliveries to `untilMs` and calls `at` on every step. */
function play(
	deliveries: readonly Delivery[],
	untilMs: number,
	options: PlaybackOptions & { at?: (nowMs: number, playback: Playback) => void } = {},
) {
	const playback = new Playback(options);
	const video = new ModelVideo();
	const queue = [...deliveries].sort((a, b) => a.atMs - b.atMs);
	const look = (nowMs: number) => ({
		nowMs,
		playheadS: video.playheadS,
		buffered: video.buffered,
		rate: video.rate,
		paused: video.paused,
		seeking: video.seeking,
		starved: video.starved,
		expectsMedia: true,
	});
	for (let nowMs = queue[0]!.atMs; nowMs <= untilMs; nowMs += STEP_MS) {
		while (queue[0] && queue[0].atMs <= nowMs) playback.receive(queue.shift()!.segment, nowMs);
		for (let step = playback.media(look(nowMs)); step; step = playback.media(look(nowMs))) {
			if (step.type === 'append') video.append(step.placed.startS, step.placed.endS);
			else video.remove(step.toS);
			playback.done(step, nowMs);
		}
		const step = playback.steer(look(nowMs));
		if (step?.type === 'seek') video.seek(step.toS, nowMs);
		if (step?.type === 'rate') video.rate = step.rate;
		if (step?.type === 'play') video.paused = false;
		if (step?.type === 'rebuild') throw new Error(`stuck at ${nowMs} ms`);
		video.advance(nowMs);
		options.at?.(nowMs, playback);
	}
	return { playback, video, endMs: untilMs };
}

/** A broadcast as it arrives: each segment when its media is over, and `lateMs` later. */
function onAir(
	seconds: number,
	segmentMs: number,
	lateMs: (i: number) => number | undefined = () => 0,
): Delivery[] {
	const keyEvery = segmentMs >= 500 ? 1 : 1000 / segmentMs;
	const segments = liveSegments({ count: (seconds * 1000) / segmentMs, segmentMs, keyEvery });
	return segments.flatMap((segment, i) => {
		const late = lateMs(i);
		return late === undefined ? [] : [{ segment, atMs: (i + 1) * segmentMs + late }];
	});
}

describe('Playback', () => {
	it.each([
		[500, 0.7],
		[100, 0.3],
	])('holds the least stable delay with segments of %i ms', (segmentMs, mostS) => {
		const { playback, video } = play(onAir(40, segmentMs), 40_000);
		const behindS = playback.edgeS(40_000)! - video.playheadS;
		expect(behindS).toBeLessThan(mostS);
		expect(playback.counts).toMatchObject({ stalls: 0, gaps: 0, nudges: 0 });
	});

	it('grows its delay with the jitter, and shrinks it again', () => {
		const jitter = (i: number) => (i > 60 && i < 260 ? (i * 137) % 300 : 0);
		const targets: number[] = [];
		play(onAir(80, 100, jitter), 80_000, {
			at: (nowMs, playback) => {
				if ([5000, 25_000, 79_000].includes(nowMs % 100_000)) targets.push(playback.targetS!);
			},
		});
		const [before, during, after] = targets as [number, number, number];
		expect(during).toBeGreaterThan(before + 0.2);
		expect(after).toBeLessThan(during - 0.2);
	});

	it('learns to bear what is late too seldom to show as jitter', () => {
		// One segment in twenty seconds comes 350 ms late.
		const stalls: number[] = [];
		const { playback } = play(
			onAir(600, 500, (i) => (i % 40 === 39 ? 350 : 0)),
			600_000,
			{
				at: (nowMs, { counts }) => {
					if (nowMs === 300_000) stalls.push(counts.stalls);
				},
			},
		);
		expect(stalls[0]).toBeGreaterThan(1);
		expect(playback.counts.stalls - stalls[0]!).toBeLessThan(4);
		expect(playback.targetS).toBeLessThan(1.2);
	});

	it('forgets a bad minute', () => {
		const { playback } = play(
			onAir(660, 500, (i) => (i >= 60 && i < 180 && i % 7 === 0 ? (i * 137) % 700 : 0)),
			660_000,
		);
		expect(playback.counts.stalls).toBeGreaterThan(1);
		expect(playback.targetS).toBeLessThan(0.75);
	});

	it('begins with the newest key frame when joining late', () => {
		const all = onAir(30, 100);
		const joinMs = 20_450;
		const late = all.map(({ segment, atMs }) => ({ segment, atMs: Math.max(atMs, joinMs) }));
		const { playback, video } = play(late, 22_000);
		expect(playback.edgeS(22_000)! - video.playheadS).toBeLessThan(0.6);
		expect(playback.counts.stalls).toBe(0);
	});

	it.each([500, 100])(
		'crosses a lost segment of %i ms without more delay after it',
		(segmentMs) => {
			const hole = 15_000 / segmentMs + 1;
			const { playback, video } = play(
				onAir(30, segmentMs, (i) => (i === hole ? undefined : 0)),
				30_000,
			);
			expect(playback.counts).toMatchObject({ stalls: 1, gaps: 1 });
			expect(playback.counts.stalledMs).toBeLessThan(segmentMs === 500 ? 800 : 1300);
			expect(playback.edgeS(30_000)! - video.playheadS).toBeLessThan(0.8);
		},
	);

	it('does not stay for ever where it joined just before a lost segment', () => {
		const all = onAir(12, 100, (i) => (i === 31 ? undefined : 0));
		const late = all.map(({ segment, atMs }) => ({ segment, atMs: Math.max(atMs, 3150) }));
		const { video } = play(late, 12_000);
		expect(video.playheadS).toBeGreaterThan(11);
	});

	it('jumps to the edge after an outage', () => {
		const outage = (i: number) => (i >= 100 && i < 200 ? 10_000 - (i - 100) * 100 : 0);
		const { playback, video } = play(onAir(40, 100, outage), 40_000);
		expect(playback.edgeS(40_000)! - video.playheadS).toBeLessThan(1);
		expect(playback.counts.stalls).toBe(1);
	});

	it('jumps to the edge after a sleep', () => {
		const playback = new Playback();
		const segments = liveSegments({ count: 200 });
		const view = { playheadS: 9.4, rate: 1, paused: false, seeking: false, expectsMedia: true };
		for (const segment of segments.slice(0, 20)) {
			playback.receive(segment, segment.manifest.startUs / 1000 + 500);
		}
		const buffered = [{ startS: 0, endS: 10 }];
		playback.steer({ ...view, nowMs: 10_000, buffered, starved: false });
		playback.steer({ ...view, nowMs: 10_250, buffered, starved: false });
		for (const segment of segments.slice(20, 160)) playback.receive(segment, 80_000);
		playback.steer({ ...view, nowMs: 80_000, buffered, starved: true });
		const step = playback.media({ ...view, nowMs: 80_000, buffered, starved: true });
		expect(step).toMatchObject({ type: 'append', placed: { order: 159 } });
	});

	it('plays on in a new epoch whose times begin at 0', () => {
		const first = onAir(10, 500);
		const second = liveSegments({ count: 20, epoch: 2 }).map((segment, i) => ({
			segment,
			atMs: 13_000 + (i + 1) * 500,
		}));
		const { playback, video } = play([...first, ...second], 23_000);
		expect(video.playheadS).toBeGreaterThan(18.5);
		expect(playback.edgeS(23_000)! - video.playheadS).toBeLessThan(1);
	});

	it('holds at least the delay that was asked for', () => {
		const { playback, video } = play(onAir(60, 500), 60_000, { targetMs: 3000 });
		expect(playback.edgeS(60_000)! - video.playheadS).toBeGreaterThan(1.8);
		expect(playback.targetS).toBe(3);
	});

	it('leaves a playhead alone that a person has moved, until they want live again', () => {
		const seen: number[] = [];
		const { playback } = play(onAir(30, 500), 30_000, {
			at: (nowMs, playback) => {
				if (nowMs === 5000) playback.letGo();
				if (nowMs === 20_000) playback.follow(nowMs);
				seen.push(playback.counts.jumps + playback.counts.rateChanges);
			},
		});
		const index = (nowMs: number) => (nowMs - 500) / STEP_MS;
		expect(seen[index(19_990)]! - seen[index(5010)]!).toBeLessThanOrEqual(1);
		expect(playback.following).toBe(true);
	});

	it('says when the media under the playhead was signed', () => {
		const { playback, video } = play(onAir(10, 500), 10_000);
		const signedAtMs = playback.signedAtMs(video.playheadS)!;
		expect(signedAtMs - 1_700_000_000_000).toBeCloseTo(video.playheadS * 1000, 0);
	});

	it('always comes back near the edge, whatever was lost, late or out of order', () => {
		const trouble = fc.array(
			fc.record({
				at: fc.integer({ min: 5, max: 200 }),
				lost: fc.boolean(),
				lateMs: fc.integer({ min: 0, max: 3000 }),
			}),
			{ maxLength: 25 },
		);
		fc.assert(
			fc.property(trouble, fc.constantFrom(100, 200, 500), (troubles, segmentMs) => {
				const byIndex = new Map(troubles.map((one) => [one.at, one]));
				const late = (i: number) => {
					const one = byIndex.get(i);
					return one?.lost ? undefined : (one?.lateMs ?? 0);
				};
				// After the troubles there is a quiet half minute.
				const seconds = Math.ceil((200 * segmentMs) / 1000) + 34;
				const { playback, video } = play(onAir(seconds, segmentMs, late), seconds * 1000);
				expect(playback.edgeS(seconds * 1000)! - video.playheadS).toBeLessThan(1.6);
				expect(video.starved).toBe(false);
				expect(video.maxRate).toBeLessThanOrEqual(1.1);
				expect(playback.pendingSegments).toBe(0);
			}),
			{ numRuns: 40 },
		);
	});

	it('keeps its window and nothing more for an hour', () => {
		const { video, playback } = play(onAir(3600, 500), 3_600_000);
		const first = video.buffered[0]!;
		const last = video.buffered.at(-1)!;
		expect(last.endS - first.startS).toBeLessThan(70);
		expect(last.endS - first.startS).toBeGreaterThan(55);
		expect(playback.counts.stalls).toBe(0);
		expect(playback.counts.rateChanges).toBeLessThan(20);
	});
});
