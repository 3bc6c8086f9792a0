import { expect, test, type Page } from '@playwright/test';
import type { PlayerOptions, PlayerStats } from '../src/lib/player.ts';
import { hasFfmpeg } from './player/media.ts';
import type { Show, Shown, Stretch } from './player/rig-page.ts';
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
		webm: { seconds: 16, keyEvery: 15, segmentMs: 500, codec: 'vp8', ...small },
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
	readonly stats: PlayerStats;
	readonly played: readonly Stretch[];
	readonly firstS: number;
	readonly endS: number;
	readonly atS: number;
	readonly log: readonly string[];
}

async function open(page: Page): Promise<void> {
	await page.goto(studio.url);
	await page.waitForFunction(() => 'begin' in window);
}

/** Begins shows on a page. */
async function begin(
	page: Page,
	shows: readonly Show[],
	options: PlayerOptions = {},
): Promise<void> {
	await open(page);
	await page.evaluate(([shows, options]) => window.begin(shows, options), [
		shows,
		options,
	] as const);
}

function look(page: Page): Promise<Outcome[]> {
	return page.evaluate(() =>
		window.rigs.map(({ shown, states, player, video, log, played }) => {
			const { buffered, currentTime } = video;
			const endS = buffered.length ? buffered.end(buffered.length - 1) : 0;
			const firstS = buffered.length ? buffered.start(0) : 0;
			return { shown, states, stats: player.stats, played, endS, firstS, atS: currentTime, log };
		}),
	);
}

async function lookAtOne(page: Page): Promise<Outcome> {
	const [seen] = await look(page);
	return seen!;
}

/** Airs shows side by side to their ends, lets each be played out, and looks at every outcome. */
async function air<Case>(
	page: Page,
	cases: readonly Case[],
	{ show, check }: { show: (one: Case) => Show; check: (seen: Outcome, one: Case) => void },
): Promise<void> {
	await begin(page, cases.map(show));
	await page.evaluate(() => Promise.all(window.rigs.map(({ feed }) => feed.done)));
	await expect
		.poll(async () => (await look(page)).every(({ atS, endS }) => endS - atS < 0.5))
		.toBe(true);
	for (const [i, seen] of (await look(page)).entries()) {
		const body = Buffer.from([JSON.stringify(seen.stats), ...seen.log].join('\n'));
		test.info().attachments.push({ name: `log ${i}`, contentType: 'text/plain', body });
		check(seen, cases[i]!);
	}
}

/** How many seconds of a stretch of media were played. */
function playedS({ played }: Outcome, fromS: number, toS: number): number {
	const parts = played.map(([from, to]) => Math.min(to, toS) - Math.max(from, fromS));
	return parts.reduce((sum, part) => sum + Math.max(0, part), 0);
}

test('plays 20 s from beginning to end', async ({ page }) => {
	await air(page, KINDS, {
		show: (media) => ({ legs: [{ media, from: 0, to: 20 * PACE[media] }] }),
		check(seen) {
			expect(playedS(seen, 0, 20)).toBeGreaterThan(17);
			expect(seen.stats).toMatchObject({ rebuilds: 0, gaps: 0, pendingSegments: 0 });
			expect(seen.stats.decodedFrames).toBeGreaterThan(400);
			expect(seen.states.slice(0, 2)).toEqual(['buffering', 'playing']);
			expect(seen.shown.length).toBeGreaterThan(100);
		},
	});
});

test('who joins late begins near the edge, with the newest key frame', async ({ page }) => {
	const burst = { steady: 7, low: 33 };
	await air(page, KINDS, {
		show: (media) => ({
			legs: [{ media, from: 5 * PACE[media], to: 13 * PACE[media] }],
			burst: burst[media],
		}),
		check(seen, media) {
			const edgeS = 5 + burst[media] / PACE[media];
			expect(seen.shown[0]?.mediaS).toBeGreaterThan(edgeS - 1.6);
			expect(playedS(seen, edgeS, 13)).toBeGreaterThan(2);
		},
	});
});

test('goes on behind a lost segment, whichever it is', async ({ page }) => {
	const cases = [
		{ media: 'steady', hole: 6 },
		...[30, 31, 35, 39].map((hole) => ({ media: 'low' as const, hole })),
	] as const;
	await air(page, cases, {
		show: ({ media, hole }) => ({ legs: [{ media, from: 0, to: 8 * PACE[media] }], lose: [hole] }),
		check(seen, { media, hole }) {
			const holeS = hole / PACE[media];
			expect(playedS(seen, holeS - 1, holeS)).toBeGreaterThan(0.3);
			expect(playedS(seen, 4, 8)).toBeGreaterThan(2.5);
			expect(seen.stats).toMatchObject({ rebuilds: 0, pendingSegments: 0 });
		},
	});
});

test('segments in any order come out in order', async ({ page }) => {
	await air(page, KINDS, {
		show(media) {
			const late: Record<number, number> = {};
			for (let i = 0; i < 12 * PACE[media]; i += 3) late[i] = media === 'steady' ? 600 : 250;
			return { legs: [{ media, from: 0, to: 12 * PACE[media] }], late };
		},
		check(seen, media) {
			const steps = seen.shown.map(({ mediaS }, i) => mediaS - (seen.shown[i - 1]?.mediaS ?? 0));
			const back = steps.filter((stepS) => stepS < 0);
			// A seek may show once more the frame that the playhead stands in when the next one was on screen already.
			expect(Math.min(0, ...back)).toBeGreaterThan(-0.05);
			expect(back.length).toBeLessThanOrEqual(seen.stats.nudges + seen.stats.jumps);
			expect(playedS(seen, 6, 12)).toBeGreaterThan(4);
			expect(seen.stats.rebuilds).toBe(0);
			// The delay has grown to what this path needs.
			expect(seen.stats.targetMs).toBeGreaterThan(media === 'steady' ? 1000 : 350);
		},
	});
});

test('a broadcaster who comes back plays on under the same video', async ({ page }) => {
	await air(page, KINDS, {
		show: (media) => ({
			legs: [
				{ media, from: 0, to: 3 * PACE[media] },
				{ media, from: 0, to: 3 * PACE[media], epoch: 2, pauseMs: 2000 },
				{ media: 'low', from: 0, to: 40, epoch: 3, pauseMs: 1000 },
			],
		}),
		check(seen) {
			expect(seen.endS).toBeGreaterThan(9.5);
			expect(playedS(seen, 3, 6)).toBeGreaterThan(1.5);
			expect(playedS(seen, 6, 10)).toBeGreaterThan(2);
			expect(seen.stats.rebuilds).toBe(0);
		},
	});
});

test('bad media costs a rebuild, not the broadcast', async ({ page }) => {
	await air(page, KINDS, {
		show: (media) => ({
			legs: [{ media, from: 0, to: 8 * PACE[media] }],
			corrupt: [3 * PACE[media] + 1],
		}),
		check(seen) {
			expect(seen.stats.rebuilds).toBe(1);
			expect(playedS(seen, 5, 8)).toBeGreaterThan(1.5);
		},
	});
});

test('another source, codec and container, with sound and without, follow each other', async ({
	page,
}) => {
	const legs = [
		{ media: 'steady', from: 0, to: 4 },
		{ media: 'large', from: 4, to: 9 },
		{ media: 'vp9', from: 9, to: 14 },
		{ media: 'mute', from: 14, to: 19 },
		{ media: 'webm', from: 19, to: 25 },
		{ media: 'steady', from: 25, to: 30 },
	];
	await air(page, [legs], {
		show: (legs) => ({ legs }),
		check(seen) {
			for (const { from, to, media } of legs) {
				const partS = playedS(seen, from / 2, to / 2);
				expect(partS, `${media} from ${from / 2} s`).toBeGreaterThan(0.7);
			}
			expect(seen.stats.rebuilds).toBe(0);
		},
	});
});

test('media that is always bad is given up, said, and tried again on demand', async ({ page }) => {
	await begin(page, [{ legs: [{ media: 'steady', from: 0, to: 12 }], corrupt: [2, 4, 6, 8, 10] }]);
	await expect.poll(async () => (await lookAtOne(page)).states.at(-1)).toBe('failed');
	const code = await page.evaluate(() => {
		const { state } = window.rig.player;
		return state.type === 'failed' && state.error.code;
	});
	expect(code).toBe('playback-failed');
	expect((await lookAtOne(page)).stats.rebuilds).toBe(3);

	await page.evaluate(async () => {
		const { feed, player } = window.rig;
		await feed.done;
		const steady = await window.recording('steady');
		feed.air({ legs: [{ media: 'steady', from: 0, to: 40, epoch: 9 }] }, { steady });
		await player.play();
	});
	await expect.poll(async () => (await lookAtOne(page)).states.at(-1)).toBe('playing');
});

test('a codec that this browser lacks is named', async ({ page }) => {
	await begin(page, [{ legs: [{ media: 'steady', from: 0, to: 2 }] }]);
	const error = await page.evaluate(async () => {
		const { feed, player } = window.rig;
		await feed.done;
		feed.init({ bytes: new Uint8Array(8), mime: 'video/mp4; codecs="xyz1"' });
		const { state } = player;
		return state.type === 'failed' ? [state.error.code, state.error.message] : [];
	});
	expect(error).toEqual(['unsupported-codec', expect.stringContaining('xyz1')]);
});

for (const fullEvery of [2, 7]) {
	test(`a source buffer full at every ${fullEvery}. append does no harm`, async ({ page }) => {
		await air(page, KINDS, {
			show: (media) => ({ legs: [{ media, from: 0, to: 6 * PACE[media] }], fullEvery }),
			check(seen) {
				expect(seen.stats.rebuilds).toBe(0);
				expect(playedS(seen, 3, 6)).toBeGreaterThan(1.5);
			},
		});
	});
}

test('what was watched leaves the source buffer again', async ({ page }) => {
	const show: Show = { legs: [{ media: 'low', from: 0, to: 120 }] };
	await begin(page, [show], { bounds: { windowS: 4 } });
	await page.evaluate(() => window.rig.feed.done);
	const seen = await lookAtOne(page);
	expect(seen.endS - seen.firstS).toBeLessThan(6);
	expect(seen.endS - seen.firstS).toBeGreaterThan(2);
	expect(seen.stats.gaps).toBe(0);
	expect(playedS(seen, 6, 12)).toBeGreaterThan(4);
});

test('a pause and a seek leave the edge, "live" goes back to it', async ({ page }) => {
	await begin(page, [{ legs: [{ media: 'steady', from: 0, to: 48 }] }]);
	const edges = async () => {
		const { log } = await lookAtOne(page);
		return log.filter((line) => line.includes(' edge ')).map((line) => line.split(' ')[2]);
	};
	await expect.poll(async () => (await lookAtOne(page)).atS).toBeGreaterThan(5);

	await page.evaluate(() => (window.rig.video.currentTime = 1));
	await expect.poll(edges).toEqual(['true', 'false']);
	await page.waitForTimeout(1000);
	const back = await lookAtOne(page);
	expect(back.stats.behindMs).toBeGreaterThan(3000);
	expect(back.stats.rate).toBe(1);

	await page.evaluate(() => window.rig.player.seekToLive());
	await expect.poll(edges).toEqual(['true', 'false', 'true']);

	await page.evaluate(() => window.rig.video.pause());
	await expect.poll(async () => (await lookAtOne(page)).states.at(-1)).toBe('paused');
	await page.waitForTimeout(3500);
	await page.evaluate(() => window.rig.video.play());
	await expect.poll(async () => (await lookAtOne(page)).states.at(-1)).toBe('playing');
	expect((await lookAtOne(page)).stats.behindMs).toBeGreaterThan(2500);
});

test('the end of a broadcast is said, and a new one plays by itself', async ({ page }) => {
	await begin(page, [{ legs: [{ media: 'steady', from: 0, to: 6 }] }]);
	await page.evaluate(async () => {
		await window.rig.feed.done;
		window.rig.feed.end();
	});
	await expect.poll(async () => (await lookAtOne(page)).states.at(-1)).toBe('ended');
	await page.evaluate(async () => {
		const { feed } = window.rig;
		const low = await window.recording('low');
		feed.state = { type: 'receiving' };
		feed.air({ legs: [{ media: 'low', from: 0, to: 200, epoch: 5 }] }, { low });
	});
	await expect.poll(async () => playedS(await lookAtOne(page), 3, 10)).toBeGreaterThan(2);
	expect((await lookAtOne(page)).states.at(-1)).toBe('playing');
});

test('who paused before the end plays the rest, and it ends where the broadcast did', async ({
	page,
}) => {
	await begin(page, [{ legs: [{ media: 'steady', from: 0, to: 12 }] }]);
	await expect.poll(async () => (await lookAtOne(page)).atS).toBeGreaterThan(2);
	await page.evaluate(async () => {
		window.rig.video.pause();
		await window.rig.feed.done;
		window.rig.feed.end();
	});
	await page.waitForTimeout(1500);
	const paused = await lookAtOne(page);
	expect(paused.states.at(-1)).toBe('paused');
	// What is left stays what it is: the edge ended with the broadcast.
	expect(paused.stats.behindMs! / 1000).toBeCloseTo(paused.endS - paused.atS, 1);
	await page.evaluate(() => window.rig.video.play());
	await expect.poll(async () => (await lookAtOne(page)).states.at(-1)).toBe('ended');
	expect(playedS(await lookAtOne(page), paused.atS, 6)).toBeGreaterThan(6 - paused.atS - 0.5);

	await page.evaluate(() => window.rig.video.pause());
	await page.waitForTimeout(500);
	expect((await lookAtOne(page)).states.at(-1)).toBe('ended');
});

test('a frozen page comes back at the edge', async ({ page }) => {
	await begin(page, [{ legs: [{ media: 'steady', from: 0, to: 48 }] }]);
	await expect.poll(async () => (await lookAtOne(page)).atS).toBeGreaterThan(2);
	const session = await page.context().newCDPSession(page);
	await session.send('Page.setWebLifecycleState', { state: 'frozen' });
	await page.waitForTimeout(7000);
	await session.send('Page.setWebLifecycleState', { state: 'active' });
	await expect.poll(async () => (await lookAtOne(page)).stats.behindMs).toBeLessThan(2000);
	await expect.poll(async () => (await lookAtOne(page)).states.at(-1)).toBe('playing');
});

test('closing gives the video back empty', async ({ page }) => {
	await begin(page, [{ legs: [{ media: 'steady', from: 0, to: 4 }] }]);
	await page.evaluate(() => window.rig.feed.done);
	const left = await page.evaluate(async () => {
		const { player, video } = window.rig;
		await player.close();
		await player.close();
		return { src: video.src, readyState: video.readyState, error: video.error?.code };
	});
	expect(left).toEqual({ src: '', readyState: 0, error: undefined });
});
