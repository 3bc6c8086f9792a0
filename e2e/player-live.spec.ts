import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import type { PlayerOptions } from '../src/lib/player.ts';
import { hasFfmpeg } from './player/media.ts';
import type { Rig, Show, Shown } from './player/rig-page.ts';
import { openStudio, type Studio } from './player/studio.ts';

// The player in a real browser, with real media that arrives in real time and with everything that can happen to it.
test.skip(!hasFfmpeg(), 'needs ffmpeg');

let studio: Studio;

test.beforeAll(async () => {
	const small = { size: '320x180' };
	studio = await openStudio({
		steady: { seconds: 24, keyEvery: 15, segmentMs: 500, ...small },
		low: { seconds: 24, keyEvery: 30, segmentMs: 100, ...small },
		large: { seconds: 8, keyEvery: 15, segmentMs: 500, size: '640x360' },
		vp9: { seconds: 8, keyEvery: 15, segmentMs: 500, codec: 'vp9', ...small },
		mute: { seconds: 12, keyEvery: 15, segmentMs: 500, hasAudio: false, ...small },
	});
});
test.afterAll(() => studio.close());

/** Segments in a second of each recording. */
const PACE = { steady: 2, low: 10 } as const;
const KINDS = ['steady', 'low'] as const;

interface Outcome {
	readonly shown: readonly Shown[];
	readonly states: readonly string[];
	readonly stats: Rig['player']['stats'];
	readonly video: { readonly endS: number; readonly firstS: number; readonly currentTime: number };
	readonly log: readonly string[];
}

async function open(page: Page): Promise<void> {
	await page.goto(studio.url);
	await page.waitForFunction(() => 'begin' in window);
}

/** Airs a show to its end on a page that is open. */
async function air(page: Page, show: Show, options: PlayerOptions = {}): Promise<Outcome> {
	await page.evaluate(([show, options]) => window.begin(show, options), [show, options] as const);
	await page.evaluate(() => window.rig.feed.done);
	return outcome(page);
}

/** Airs shows at the same time, each on a page of its own, and looks at each outcome. */
async function airAll<Case>(
	context: BrowserContext,
	cases: readonly Case[],
	{ show, check }: { show: (one: Case) => Show; check: (seen: Outcome, one: Case) => void },
): Promise<void> {
	const pages = await Promise.all(cases.map(() => context.newPage()));
	await Promise.all(pages.map(open));
	const outcomes = await Promise.all(cases.map((one, i) => air(pages[i]!, show(one))));
	for (const [i, seen] of outcomes.entries()) {
		const log = seen.log.join('\n');
		test
			.info()
			.attachments.push({ name: `log ${i}`, contentType: 'text/plain', body: Buffer.from(log) });
		check(seen, cases[i]!);
	}
}

function outcome(page: Page): Promise<Outcome> {
	return page.evaluate(() => {
		const { shown, states, player, video, log } = window.rig;
		const { buffered, currentTime } = video;
		const endS = buffered.length ? buffered.end(buffered.length - 1) : 0;
		const firstS = buffered.length ? buffered.start(0) : 0;
		return { shown, states, stats: player.stats, video: { endS, firstS, currentTime }, log };
	});
}

/** Media seconds shown between two frames of an outcome, and the clock's seconds that took. */
function progress({ shown }: Outcome): { mediaS: number; clockS: number } {
	const first = shown[0];
	const last = shown.at(-1);
	if (!first || !last) return { mediaS: 0, clockS: 0 };
	return { mediaS: last.mediaS - first.mediaS, clockS: (last.atMs - first.atMs) / 1000 };
}

/** Frames shown of a stretch of media. */
function framesOf({ shown }: Outcome, fromS: number, toS: number): number {
	return shown.filter(({ mediaS }) => mediaS >= fromS && mediaS < toS).length;
}

test('plays at its pace for 20 s without losing the edge', async ({ context }) => {
	await airAll(context, KINDS, {
		show: (media) => ({ legs: [{ media, from: 0, to: 20 * PACE[media] }] }),
		check(seen) {
			const { mediaS, clockS } = progress(seen);
			expect(mediaS / clockS).toBeGreaterThan(0.9);
			expect(mediaS).toBeGreaterThan(17);
			expect(seen.stats).toMatchObject({ rebuilds: 0, gaps: 0, pendingSegments: 0 });
			expect(seen.stats.behindMs).toBeLessThan(2500);
			expect(seen.stats.decodedFrames).toBeGreaterThan(400);
			expect(seen.states.slice(0, 2)).toEqual(['buffering', 'playing']);
		},
	});
});

test('who joins late begins near the edge, with the newest key frame', async ({ context }) => {
	const burst = { steady: 7, low: 33 };
	await airAll(context, KINDS, {
		show: (media) => ({
			legs: [{ media, from: 5 * PACE[media], to: 13 * PACE[media] }],
			burst: burst[media],
		}),
		check(seen, media) {
			const edgeS = 5 + burst[media] / PACE[media];
			expect(seen.shown[0]?.mediaS).toBeGreaterThan(edgeS - 1.6);
			expect(seen.stats.behindMs).toBeLessThan(2500);
			expect(seen.video.currentTime).toBeGreaterThan(edgeS + 2);
		},
	});
});

test('goes on behind a lost segment, whichever it is', async ({ context }) => {
	const cases = [
		{ media: 'steady', hole: 6 },
		...[30, 31, 32, 35, 38, 39].map((hole) => ({ media: 'low' as const, hole })),
	] as const;
	await airAll(context, cases, {
		show: ({ media, hole }) => ({ legs: [{ media, from: 0, to: 8 * PACE[media] }], lose: [hole] }),
		check(seen) {
			expect(framesOf(seen, 1, 3)).toBeGreaterThan(20);
			expect(framesOf(seen, 4, 7)).toBeGreaterThan(50);
			expect(seen.stats).toMatchObject({ gaps: 1, rebuilds: 0, pendingSegments: 0 });
		},
	});
});

test('segments in any order come out in order', async ({ context }) => {
	await airAll(context, KINDS, {
		show(media) {
			const late: Record<number, number> = {};
			for (let i = 0; i < 12 * PACE[media]; i += 3) late[i] = media === 'steady' ? 600 : 250;
			return { legs: [{ media, from: 0, to: 12 * PACE[media] }], late };
		},
		check(seen, media) {
			const times = seen.shown.map(({ mediaS }) => mediaS);
			expect(times).toEqual([...times].sort((a, b) => a - b));
			expect(seen.video.currentTime).toBeGreaterThan(9);
			expect(seen.stats.rebuilds).toBe(0);
			// The delay has grown to what this path needs.
			expect(seen.stats.targetMs).toBeGreaterThan(media === 'steady' ? 1000 : 350);
		},
	});
});

test('a broadcaster who comes back plays on under the same video', async ({ context }) => {
	await airAll(context, KINDS, {
		show: (media) => ({
			legs: [
				{ media, from: 0, to: 3 * PACE[media] },
				{ media, from: 0, to: 3 * PACE[media], epoch: 2, pauseMs: 2000 },
				{ media: 'low', from: 0, to: 40, epoch: 3, pauseMs: 1000 },
			],
		}),
		check(seen) {
			expect(seen.video.endS).toBeGreaterThan(9.5);
			expect(seen.video.currentTime).toBeGreaterThan(8);
			expect(framesOf(seen, 3.2, 6)).toBeGreaterThan(50);
			expect(framesOf(seen, 6.2, 10)).toBeGreaterThan(50);
			expect(seen.stats.rebuilds).toBe(0);
			expect(seen.states.at(-1)).toBe('playing');
		},
	});
});

test('bad media costs a rebuild, not the broadcast', async ({ context }) => {
	await airAll(context, KINDS, {
		show: (media) => ({
			legs: [{ media, from: 0, to: 8 * PACE[media] }],
			corrupt: [3 * PACE[media] + 1],
		}),
		check(seen) {
			expect(seen.stats.rebuilds).toBe(1);
			expect(framesOf(seen, 5, 7)).toBeGreaterThan(30);
			expect(seen.states.at(-1)).toBe('playing');
		},
	});
});

test('another source, another codec and no sound follow each other in one broadcast', async ({
	page,
}) => {
	await open(page);
	const legs = [
		{ media: 'steady', from: 0, to: 4 },
		{ media: 'large', from: 4, to: 9 },
		{ media: 'vp9', from: 9, to: 14 },
		{ media: 'mute', from: 14, to: 19 },
		{ media: 'steady', from: 19, to: 25 },
	];
	const seen = await air(page, { legs });
	for (const { from, to, media } of legs) {
		const frames = framesOf(seen, from / 2, to / 2);
		expect(frames, `frames of ${media} from ${from / 2} s`).toBeGreaterThan(15);
	}
	expect(seen.stats.rebuilds).toBe(0);
});

test('media that is always bad is given up, said, and tried again on demand', async ({ page }) => {
	await open(page);
	const corrupt = [2, 4, 6, 8, 10];
	const seen = await air(page, { legs: [{ media: 'steady', from: 0, to: 12 }], corrupt });
	expect(seen.stats.rebuilds).toBe(3);
	expect(seen.states.at(-1)).toBe('failed');
	expect(
		await page.evaluate(() => {
			const { state } = window.rig.player;
			return state.type === 'failed' && state.error.code;
		}),
	).toBe('playback-failed');
	await page.evaluate(async () => {
		const { feed, player } = window.rig;
		const recording = await (await fetch('/steady.json')).json();
		feed.air({ legs: [{ media: 'steady', from: 0, to: 8, epoch: 9 }] }, { steady: recording });
		await player.play();
		await feed.done;
	});
	expect((await outcome(page)).states.at(-1)).toBe('playing');
});

test('a codec that this browser lacks is named', async ({ page }) => {
	await open(page);
	const error = await page.evaluate(async () => {
		await window.begin({ legs: [{ media: 'steady', from: 0, to: 2 }] });
		const { feed, player } = window.rig;
		await feed.done;
		feed.init({ bytes: new Uint8Array(8), mime: 'video/mp4; codecs="xyz1"' });
		const { state } = player;
		return state.type === 'failed' ? [state.error.code, state.error.message] : [];
	});
	expect(error).toEqual(['unsupported-codec', expect.stringContaining('xyz1')]);
});

test('a source buffer that is full at any append does no harm', async ({ context }) => {
	await context.addInitScript(() => {
		const append = SourceBuffer.prototype.appendBuffer;
		const every = 2 + Math.floor(performance.timeOrigin % 5);
		let calls = 0;
		let full = 0;
		SourceBuffer.prototype.appendBuffer = function (bytes) {
			if (++calls > 8 && calls % every === 0 && full++ < 30) {
				throw new DOMException('full', 'QuotaExceededError');
			}
			append.call(this, bytes);
		};
	});
	await airAll(context, KINDS, {
		show: (media) => ({ legs: [{ media, from: 0, to: 10 * PACE[media] }] }),
		check(seen) {
			expect(seen.stats.rebuilds).toBe(0);
			expect(seen.video.currentTime).toBeGreaterThan(8);
			expect(seen.states.at(-1)).toBe('playing');
		},
	});
});

test('what was watched leaves the source buffer again', async ({ page }) => {
	await open(page);
	const seen = await air(
		page,
		{ legs: [{ media: 'low', from: 0, to: 120 }] },
		{ bounds: { windowS: 4 } },
	);
	expect(seen.video.endS - seen.video.firstS).toBeLessThan(6);
	expect(seen.video.endS - seen.video.firstS).toBeGreaterThan(2);
	expect(seen.video.currentTime).toBeGreaterThan(10);
	expect(seen.stats.gaps).toBe(0);
});

test('a pause and a seek leave the edge, "live" goes back to it', async ({ page }) => {
	await open(page);
	await page.evaluate(() => window.begin({ legs: [{ media: 'steady', from: 0, to: 44 }] }));
	await expect.poll(() => page.evaluate(() => window.rig.video.currentTime)).toBeGreaterThan(5);

	await page.evaluate(() => (window.rig.video.currentTime = 1));
	await page.waitForTimeout(2000);
	const back = await outcome(page);
	expect(back.video.currentTime).toBeLessThan(5);
	expect(back.stats.rate).toBe(1);
	expect(back.log.filter((line) => line.includes(' edge '))).toHaveLength(2);

	await page.evaluate(() => window.rig.player.seekToLive());
	await expect.poll(async () => (await outcome(page)).stats.behindMs).toBeLessThan(2000);
	expect((await outcome(page)).log.filter((line) => line.includes(' edge '))).toHaveLength(3);

	await page.evaluate(() => window.rig.video.pause());
	await page.waitForTimeout(3000);
	expect((await outcome(page)).states.at(-1)).toBe('paused');
	await page.evaluate(() => window.rig.video.play());
	await page.waitForTimeout(1000);
	const late = await outcome(page);
	expect(late.states.at(-1)).toBe('playing');
	expect(late.stats.behindMs).toBeGreaterThan(3000);
});

test('the end of a broadcast is said, and a new one plays by itself', async ({ page }) => {
	await open(page);
	await air(page, { legs: [{ media: 'steady', from: 0, to: 8 }] });
	await page.evaluate(() => window.rig.feed.end());
	await expect.poll(async () => (await outcome(page)).states.at(-1)).toBe('ended');
	await page.evaluate(async () => {
		const { feed } = window.rig;
		const recording = await (await fetch('/low.json')).json();
		feed.state = { type: 'receiving' };
		feed.air({ legs: [{ media: 'low', from: 0, to: 60, epoch: 5 }] }, { low: recording });
		await feed.done;
	});
	const seen = await outcome(page);
	expect(seen.states.at(-1)).toBe('playing');
	expect(seen.video.currentTime).toBeGreaterThan(7);
});

test('a frozen page comes back at the edge', async ({ page }) => {
	await open(page);
	await page.evaluate(() => window.begin({ legs: [{ media: 'steady', from: 0, to: 44 }] }));
	await expect.poll(() => page.evaluate(() => window.rig.video.currentTime)).toBeGreaterThan(3);
	const session = await page.context().newCDPSession(page);
	await session.send('Page.setWebLifecycleState', { state: 'frozen' });
	await page.waitForTimeout(7000);
	await session.send('Page.setWebLifecycleState', { state: 'active' });
	await expect.poll(async () => (await outcome(page)).stats.behindMs).toBeLessThan(2000);
	await expect.poll(async () => (await outcome(page)).states.at(-1)).toBe('playing');
});

test('closing gives the video back empty', async ({ page }) => {
	await open(page);
	await air(page, { legs: [{ media: 'steady', from: 0, to: 4 }] });
	const left = await page.evaluate(async () => {
		const { player, video } = window.rig;
		await player.close();
		await player.close();
		return { src: video.src, readyState: video.readyState, error: video.error?.code };
	});
	expect(left).toEqual({ src: '', readyState: 0, error: undefined });
});
