import { writeFile } from 'node:fs/promises';
import { broadcastCamera, watch } from './broadcast.ts';
import { Firefox, firefoxPath, type FirefoxPage } from './firefox.ts';
import { expect, test as base } from './fixtures.ts';
import { recording, viewerStats } from './handle.ts';
import { hasFfmpeg, pictureTypes } from './media-file.ts';
import { expectPlaying, plays } from './picture.ts';

// Firefox has neither Chromium's way to read a camera nor its H.264 encoder, and a player of its own.
base.skip(!firefoxPath, 'Firefox is not installed');

const test = base.extend<{ firefox: Firefox }>({
	firefox: async ({}, use) => {
		const firefox = await Firefox.start();
		await use(firefox);
		await firefox.close();
		expect(firefox.faults, 'faults on any page of Firefox').toEqual([]);
	},
});

/** The time on the page's video once it has moved on for a while; fails when it stands. */
async function expectPicture(page: FirefoxPage): Promise<void> {
	const time = () => page.read<number>('document.querySelector("video").currentTime');
	await expect.poll(time).toBeGreaterThan(0);
	const before = await time();
	await expect.poll(time).toBeGreaterThan(before + 3);
}

const linkOf = (page: FirefoxPage) =>
	page.read<string>('document.querySelector("input[readonly]").value'); // the peer link is the first

test('who watches in Firefox sees the picture and passes it on', async ({ people, firefox }) => {
	const { link } = await broadcastCamera(people);
	const page = await firefox.open(link);
	await expectPicture(page);
	// That it is the broadcaster has been shown over the link, by certificates that both browsers name alike.
	expect(await page.read<number>('shoal.viewer.stats.bytesFromBroadcaster')).toBeGreaterThan(0);
	const other = await watch(people, link);
	await plays(other.locator('video'));
	await expect.poll(() => page.text()).toMatch(/2 watching together · you pass on \d+/);
});

test('who broadcasts from Firefox is seen in Chromium and in Firefox', async ({
	people,
	firefox,
}, testInfo) => {
	test.skip(!hasFfmpeg, 'needs ffprobe');
	const seed = await firefox.open(people.address('/seed/'));
	await seed.click('Camera');
	await expect
		.poll(() => seed.read<boolean>('!!document.querySelector("video")?.videoWidth'))
		.toBe(true);
	await seed.click('Go live');
	await expect.poll(() => seed.text()).toContain('You’re live');
	// This Firefox has no loudspeaker, and plays no sound to an encoder then.
	await expect.poll(() => seed.text()).toContain('There is no sound.');

	const link = await linkOf(seed);
	const viewer = await watch(people, link);
	const video = viewer.locator('video');
	await plays(video);
	await expectPicture(await firefox.open(link));
	await expectPlaying(video, 10);
	expect((await viewerStats(viewer)).bytesFromBroadcaster).toBeGreaterThan(0);

	await test.step('no picture is coded from a later one, for which no segment waits', async () => {
		const file = testInfo.outputPath('received.mp4');
		let types: string[] = [];
		// A busy machine takes longer to make so many.
		await expect(async () => {
			await writeFile(file, (await recording(viewer)).bytes);
			types = pictureTypes(file);
			expect(types.length).toBeGreaterThan(50);
		}).toPass();
		expect(new Set(types)).toEqual(new Set(['I', 'P']));
	});
});
