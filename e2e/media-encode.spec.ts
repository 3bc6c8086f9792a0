import { expect, test as base, type Page } from '@playwright/test';
import { flashesAndBeeps, openLabSite, probe, type LabSite } from './media/lab.ts';
import type { Shot } from './media/lab-page.ts';

const test = base.extend<{ lab: Page }, { labSite: LabSite }>({
	labSite: [
		async ({}, use) => {
			const site = await openLabSite();
			await use(site);
			await site.close();
		},
		{ scope: 'worker' },
	],
	lab: async ({ page, labSite }, use) => {
		await page.goto(labSite.url);
		await use(page);
		await page.evaluate(() => window.lab.close());
	},
});

/** Waits until so many segments have come. */
async function shots(lab: Page, count: number): Promise<Shot[]> {
	await lab.waitForFunction((least) => window.lab.shots.length >= least, count);
	return lab.evaluate(() => window.lab.shots);
}

/** Every segment follows the one before on the grid, and they come at the pace of the clock. */
function expectSteadyFlow(taken: readonly Shot[], segmentMs: number): void {
	taken.forEach((shot, i) => {
		expect(shot.startUs, `segment ${i}`).toBe((taken[0]!.startUs / 1000 + i * segmentMs) * 1000);
		expect(shot.durationUs).toBe(segmentMs * 1000);
	});
	// On a busy machine one may come late, and none can come early: the earliest of the first and of the last third are compared,
	// and what drifted between them is taken for the whole length.
	const third = Math.ceil(taken.length / 3);
	const earliestMs = (shots: readonly Shot[]) =>
		Math.min(...shots.map(({ atMs, startUs }) => atMs - startUs / 1000));
	const betweenMs = earliestMs(taken.slice(-third)) - earliestMs(taken.slice(0, third));
	const driftMs = (betweenMs * (taken.length - 1)) / (taken.length - third);
	expect(Math.abs(driftMs), 'media time follows the clock').toBeLessThan(segmentMs + 400);
}

/** Init and segments are a file without a fault, in which every frame decodes. */
async function expectSoundFile(
	lab: Page,
	from?: number,
	to?: number,
): Promise<ReturnType<typeof probe>> {
	const file = await lab.evaluate(([from, to]) => window.lab.file(from, to), [from, to] as const);
	const probed = probe(file);
	expect(probed.complaints).toBe('');
	const count = (track: string) => probed.packets.filter((packet) => packet.track === track).length;
	expect(probed.videoFrames).toBe(count('video'));
	expect(probed.audioFrames).toBe(count('audio'));
	return probed;
}

for (const [profile, segmentMs, keyEvery] of [
	['steady', 500, 1],
	['low-delay', 100, 10],
] as const) {
	test(`a camera becomes segments of ${segmentMs} ms in the ${profile} profile`, async ({
		lab,
	}) => {
		await lab.evaluate((name) => window.lab.open('camera', name), profile);
		const taken = await shots(lab, 6000 / segmentMs);
		expectSteadyFlow(taken, segmentMs);
		expect(taken[0]!.startUs).toBe(0);
		expect(taken.map((shot) => shot.sinceKeyFrame)).toEqual(taken.map((_, i) => i % keyEvery));
		expect(taken.filter((shot) => shot.discontinuity)).toEqual([]);
		expect(new Set(taken.map((shot) => shot.mime)).size).toBe(1);
		expect(taken[0]!.mime).toMatch(/^video\/mp4; codecs="avc1\.64[0-9a-f]{4},opus"$/);
		expect(await lab.evaluate((mime) => MediaSource.isTypeSupported(mime), taken[0]!.mime)).toBe(
			true,
		);

		const probed = await expectSoundFile(lab, 0, taken.length);
		expect(probed.codecs).toEqual(['h264', 'opus']);
		const sound = probed.packets.filter((packet) => packet.track === 'audio');
		sound.forEach((packet, i) => expect(packet.startS).toBeCloseTo(i * 0.02, 4));
		const keys = probed.packets.filter((packet) => packet.track === 'video' && packet.isKey);
		expect(keys.length).toBe(Math.ceil(taken.length / keyEvery));
		// Any segment that starts with a key frame is the start of a sound file: that is where viewers join.
		await expectSoundFile(lab, keyEvery, 2 * keyEvery);
	});
}

test('a source buffer drops no picture of short segments, however unevenly their frames come', async ({
	lab,
}) => {
	await lab.evaluate(() => window.lab.open('uneven', 'low-delay'));
	await shots(lab, 41);
	const { videoFrames } = await expectSoundFile(lab, 10, 40);
	expect(await lab.evaluate(() => window.lab.decoded(10, 40))).toBe(videoFrames);
});

test('a camera keeps moving while a page before this one still has a frame of it', async ({
	lab,
}) => {
	await lab.evaluate(() => window.lab.withhold());
	await lab.evaluate(() => window.lab.open('camera', 'steady'));
	await shots(lab, 12);
	const { framesIn, framesRepeated } = (await lab.evaluate(() => window.lab.stats))!;
	expect(framesIn).toBeGreaterThan(40);
	expect(framesRepeated).toBeLessThan(4);
});

test('a film keeps picture and sound together', async ({ lab }) => {
	await lab.evaluate(() => window.lab.open('file', 'steady'));
	await shots(lab, 16);
	const { flashesS, beepsS } = flashesAndBeeps(await lab.evaluate(() => window.lab.file()));
	expect(flashesS.length).toBeGreaterThanOrEqual(5);
	const apart = flashesS.map((flashS) => Math.min(...beepsS.map((atS) => Math.abs(atS - flashS))));
	// The middle one: a machine under load may show one picture late.
	expect(apart.sort((a, b) => a - b)[Math.floor(apart.length / 2)]).toBeLessThan(0.1);
});

test('the source changes while live, on one timeline', async ({ lab }) => {
	await lab.evaluate(() => window.lab.open('camera', 'steady'));
	await shots(lab, 3);
	await lab.evaluate(() => window.lab.change('file'));
	await shots(lab, 8);
	await lab.evaluate(() => window.lab.change('screen'));
	const taken = await shots(lab, 14);
	expectSteadyFlow(taken, 500);
	// The film is smaller than the camera's picture: a new header, told by the first segment behind it.
	const changes = taken.flatMap((shot, i) =>
		i > 0 && shot.init !== taken[i - 1]!.init ? [i] : [],
	);
	expect(changes.length).toBeGreaterThanOrEqual(1);
	taken.forEach((shot, i) => expect(shot.discontinuity).toBe(changes.includes(i)));
	for (const at of [0, ...changes]) {
		const end = changes.find((change) => change > at) ?? taken.length;
		await expectSoundFile(lab, at, end);
	}
	expect(await lab.evaluate(() => window.lab.error)).toBeUndefined();
});

test('a camera that is pulled out becomes a slate and silence, and comes back', async ({ lab }) => {
	await lab.evaluate(() => window.lab.open('camera', 'steady'));
	await shots(lab, 3);
	await lab.evaluate(() => window.lab.source!.stream.getTracks().forEach((track) => track.stop()));
	const before = (await shots(lab, 3)).length;
	const taken = await shots(lab, before + 5);
	expectSteadyFlow(taken, 500);
	expect(taken.every((shot) => shot.sinceKeyFrame === 0)).toBe(true);
	expect(await lab.evaluate(() => window.lab.warnings)).toEqual(
		expect.arrayContaining(['source-lost', 'no-audio']),
	);
	expect(await lab.evaluate(() => window.lab.states.at(-1))).toBe('slate');
	await lab.evaluate(() => window.lab.change('camera'));
	await expect.poll(() => lab.evaluate(() => window.lab.states.at(-1))).toBe('picture');
	expectSteadyFlow(await shots(lab, before + 10), 500);
	await expectSoundFile(lab);
});

test('a picture that stands still keeps its segments coming', async ({ lab }) => {
	await lab.evaluate(() => window.lab.open('painted', 'low-delay'));
	await shots(lab, 20);
	await lab.evaluate(() => window.lab.move(false));
	const still = (await shots(lab, 20)).length;
	await shots(lab, still + 30);
	await lab.evaluate(() => window.lab.move(true));
	const taken = await shots(lab, still + 50);
	expectSteadyFlow(taken, 100);
	expect(await lab.evaluate(() => window.lab.stats!.framesRepeated)).toBeGreaterThan(20);
	expect(await lab.evaluate(() => window.lab.warnings)).toEqual(['no-audio']);
	const probed = await expectSoundFile(lab);
	const frames = probed.packets.filter((packet) => packet.track === 'video');
	for (let i = 1; i < frames.length; i++) {
		expect(frames[i]!.startS - frames[i - 1]!.startS).toBeLessThan(0.21);
	}
});

test('a window that is resized keeps its stream', async ({ lab }) => {
	await lab.evaluate(() => window.lab.open('painted', 'steady'));
	await shots(lab, 3);
	await lab.evaluate(() => {
		const canvas = window.lab.canvas!;
		[canvas.width, canvas.height] = [300, 500];
	});
	const taken = await shots(lab, 8);
	expectSteadyFlow(taken, 500);
	expect(new Set(taken.map((shot) => shot.init)).size).toBe(1);
	expect(await lab.evaluate(() => window.lab.warnings)).toContain('resized');
	await expectSoundFile(lab);
});

test('the bitrate changes while live, without a new header', async ({ lab }) => {
	await lab.evaluate(() => window.lab.open('painted', 'steady', { videoBps: 1_500_000 }));
	await shots(lab, 8);
	await lab.evaluate(() => window.lab.setVideoBps(400_000));
	const taken = await shots(lab, 18);
	expectSteadyFlow(taken, 500);
	expect(new Set(taken.map((shot) => shot.init)).size).toBe(1);
	const bytes = (from: number, to: number) =>
		taken.slice(from, to).reduce((sum, shot) => sum + shot.length, 0);
	expect(bytes(11, 17)).toBeLessThan(bytes(2, 8) * 0.75);
	await expectSoundFile(lab);
});

test('a bitrate too low for the picture makes it smaller, and larger again', async ({ lab }) => {
	await lab.evaluate(() => window.lab.open('painted', 'steady'));
	await shots(lab, 3);
	await lab.evaluate(() => window.lab.setVideoBps(100_000));
	await lab.waitForFunction(() => window.lab.stats!.width === 320);
	await lab.evaluate(() => window.lab.setVideoBps(2_000_000));
	await lab.waitForFunction(() => window.lab.stats!.width === 640);
	const taken = await shots(lab, (await lab.evaluate(() => window.lab.shots.length)) + 2);
	expectSteadyFlow(taken, 500);
	const changes = taken.flatMap((shot, i) =>
		i > 0 && shot.init !== taken[i - 1]!.init ? [i] : [],
	);
	expect(changes).toHaveLength(2);
	taken.forEach((shot, i) => expect(shot.discontinuity).toBe(changes.includes(i)));
	for (const at of [0, ...changes]) {
		const end = changes.find((change) => change > at) ?? taken.length;
		await expectSoundFile(lab, at, end);
	}
});

test('without a source there is a slate from the start', async ({ lab }) => {
	await lab.evaluate(() => window.lab.open('none', 'steady'));
	expectSteadyFlow(await shots(lab, 4), 500);
	await expectSoundFile(lab);
});

test('a browser without MediaStreamTrackProcessor sends the same', async ({ lab }) => {
	await lab.evaluate(() => {
		delete (globalThis as { MediaStreamTrackProcessor?: unknown }).MediaStreamTrackProcessor;
		return window.lab.open('camera', 'steady');
	});
	const taken = await shots(lab, 10);
	expectSteadyFlow(taken, 500);
	const probed = await expectSoundFile(lab);
	expect(probed.videoFrames).toBeGreaterThan(75);
	expect(await lab.evaluate(() => window.lab.stats!.silentMs)).toBeLessThan(1000);
	await lab.evaluate(() => window.lab.source!.stream.getTracks().forEach((track) => track.stop()));
	await expect.poll(() => lab.evaluate(() => window.lab.warnings)).toContain('source-lost');
	expectSteadyFlow(await shots(lab, taken.length + 4), 500);
});

for (const kind of ['error', 'throw', 'mute'] as const) {
	test(`an encoder that breaks (${kind}) is replaced`, async ({ lab }) => {
		// That one says nothing any more is noticed last.
		const count = kind === 'mute' ? 14 : 9;
		const reports = await lab.evaluate(
			([kind, segments]) => window.runBreaking([40], kind, { ms: 30_000, segments }),
			[kind, count] as const,
		);
		const segments = reports.filter((report) => report.type === 'segment');
		expect(reports).toContainEqual({ type: 'warning', code: 'encoder-restarted' });
		expect(reports.filter((report) => report.type === 'failed')).toEqual([]);
		segments.slice(1).forEach((segment, i) => {
			const gapUs = segment.startUs - segments[i]!.startUs;
			if (!segment.discontinuity) expect(gapUs).toBe(500_000);
		});
		expect(segments.length).toBeGreaterThanOrEqual(count);
		expect(segments.at(-1)!.sinceKeyFrame).toBe(0);
	});
}

test('a picture that is too much for the encoder gets smaller until it keeps up', async ({
	lab,
}) => {
	const reports = await lab.evaluate(() => window.runBreaking([], 'slow', { ms: 14_000 }));
	expect(reports.filter((report) => report.code === 'overloaded').length).toBeGreaterThan(0);
	const segments = reports.filter((report) => report.type === 'segment');
	segments.slice(1).forEach((segment, i) => {
		expect(segment.startUs - segments[i]!.startUs).toBe(500_000);
		expect(segment.discontinuity).toBe(segment.init !== segments[i]!.init);
	});
	const framesIn = (from: number) =>
		segments.at(from + 4)!.framesEncoded - segments.at(from)!.framesEncoded;
	expect(framesIn(1)).toBeLessThan(8);
	expect(framesIn(-6)).toBeGreaterThan(20);
	expect(segments[0]!.width).toBe(1280);
	expect(segments.at(-1)!.width).toBe(640);
});

test('encoders that break one after the other end the broadcast with an error', async ({ lab }) => {
	const everyFrame = Array.from({ length: 1000 }, (_, i) => i);
	const reports = await lab.evaluate(
		(at) => window.runBreaking(at, 'error', { ms: 6000 }),
		everyFrame,
	);
	expect(reports).toContainEqual({ type: 'failed', code: 'encoder-failed' });
});

test('a browser without WebCodecs records WebM, through a change and a loss of source', async ({
	lab,
}) => {
	await lab.evaluate(() => {
		delete (globalThis as { VideoEncoder?: unknown }).VideoEncoder;
		return window.lab.open('camera', 'steady');
	});
	await shots(lab, 6);
	await lab.evaluate(() => window.lab.change('file'));
	await shots(lab, 12);
	await lab.evaluate(() => window.lab.source!.stream.getTracks().forEach((track) => track.stop()));
	await expect.poll(() => lab.evaluate(() => window.lab.warnings)).toContain('source-lost');
	const taken = await shots(lab, (await lab.evaluate(() => window.lab.shots.length)) + 4);

	const changes = taken.flatMap((shot, i) =>
		i > 0 && shot.init !== taken[i - 1]!.init ? [i] : [],
	);
	expect(changes).toHaveLength(2);
	taken.forEach((shot, i) => {
		expect(shot.discontinuity).toBe(changes.includes(i));
		const before = taken[i - 1];
		if (before && !shot.discontinuity)
			expect(shot.startUs).toBe(before.startUs + before.durationUs);
		if (before) expect(shot.startUs).toBeGreaterThanOrEqual(before.startUs + before.durationUs);
	});
	expect(taken.filter((shot) => shot.sinceKeyFrame === 0).length).toBeGreaterThan(taken.length / 2);
	expect(await lab.evaluate((mime) => MediaSource.isTypeSupported(mime), taken[0]!.mime)).toBe(
		true,
	);
	expect(taken[0]!.mime).toMatch(/^video\/webm; codecs="vp[89],opus"$/);
	for (const at of [0, ...changes]) {
		const end = changes.find((change) => change > at) ?? taken.length;
		const probed = await expectSoundFile(lab, at, end);
		expect(probed.videoFrames).toBeGreaterThan(4);
	}
});
