import { broadcastCamera, goLive, watch } from './broadcast.ts';
import { expect, test } from './fixtures.ts';
import { damageVideo, hasFfmpeg, makeVideo } from './media-file.ts';
import { expectPlaying, meanColour, plays } from './picture.ts';

test('a screen, with its sound, is watched', async ({ people }) => {
	const seed = await people.open('/seed/');
	await seed.getByRole('button', { name: 'Screen', exact: true }).click();
	const { link } = await goLive(seed);
	const video = (await watch(people, link)).locator('video');
	await plays(video);
	await expectPlaying(video, 8);
});

test('a video file is watched at its own pace', async ({ people }, testInfo) => {
	test.skip(!hasFfmpeg, 'needs ffmpeg');
	const file = testInfo.outputPath('red.mp4');
	makeVideo(file, 'red', 60);

	const seed = await people.open('/seed/');
	await seed.getByLabel('Video file').setInputFiles(file);
	const { link } = await goLive(seed);
	const video = (await watch(people, link)).locator('video');
	await plays(video);
	await expectPlaying(video, 8);
	const [red, green, blue] = await meanColour(video);
	expect(red).toBeGreaterThan(200);
	expect(green + blue).toBeLessThan(60);
});

test('a file that is damaged half-way is told as such', async ({ people }, testInfo) => {
	test.skip(!hasFfmpeg, 'needs ffmpeg');
	const file = testInfo.outputPath('damaged.mp4');
	makeVideo(file, 'green', 8);
	damageVideo(file);

	const seed = await people.open('/seed/');
	await seed.getByLabel('Video file').setInputFiles(file);
	await goLive(seed);
	await expect(seed.getByRole('alert')).toContainText('The file can’t be read any further.', {
		timeout: 20_000,
	});
});

test('a remembered camera that is gone gives way to another one, and is told', async ({
	people,
}) => {
	const page = await people.open('/seed/', { camera: true });
	await page.evaluate(() => localStorage.setItem('shoal.camera', 'a'.repeat(64)));
	await page.reload();
	await page.getByRole('button', { name: 'Camera', exact: true }).click();
	await expect(page.getByRole('alert')).toContainText('The camera you chose isn’t connected.');
	await plays(page.locator('video'));
	await expect(page.getByLabel('Camera device')).not.toHaveValue('a'.repeat(64));
	// The next choice is an ordinary one.
	const other = page.getByLabel('Camera device').getByRole('option').first();
	await page.getByLabel('Camera device').selectOption(await other.getAttribute('value'));
	await page.getByRole('button', { name: 'Camera', exact: true }).click();
	await expect(page.getByRole('alert')).toBeEmpty();
});

test('the source changes while live and the channel goes on', async ({ people }, testInfo) => {
	test.skip(!hasFfmpeg, 'needs ffmpeg');
	const file = testInfo.outputPath('blue.mp4');
	makeVideo(file, 'blue', 60);

	const { page: seed, link } = await broadcastCamera(people);
	const viewer = await watch(people, link);
	const video = viewer.locator('video');
	await plays(video);

	await seed.getByLabel('Video file').setInputFiles(file);
	await expect(async () => {
		const [red, green, blue] = await meanColour(video);
		expect(blue).toBeGreaterThan(200);
		expect(red + green).toBeLessThan(60);
	}).toPass({ timeout: 30_000 });
	await expectPlaying(video, 5);

	await seed.getByRole('button', { name: 'Camera', exact: true }).click();
	await expect(async () => {
		const [red, green] = await meanColour(video);
		expect(red + green).toBeGreaterThan(60);
	}).toPass({ timeout: 30_000 });
	await expectPlaying(video, 5);
	expect(await seed.getByRole('textbox', { name: 'Peer link' }).inputValue()).toBe(link);
});

test('the delay, changed twice in a breath, leaves one encoder, and none after Stop', async ({
	people,
}) => {
	const { page: seed } = await broadcastCamera(people);
	const encoders = () => seed.workers().filter((worker) => worker.url().includes('encode')).length;
	expect(encoders()).toBe(1);
	await seed.getByRole('radio', { name: 'Low delay' }).check();
	await seed.getByRole('radio', { name: 'Steady' }).check();
	await seed.getByRole('radio', { name: 'Low delay' }).check();
	// Each change closes an encoder and opens one; what is left when nothing has moved for a while stays.
	await expect(async () => {
		for (let i = 0; i < 20; i++) {
			expect(encoders()).toBe(1);
			await seed.waitForTimeout(100);
		}
	}).toPass();
	await seed.getByRole('button', { name: 'Stop' }).click();
	await expect.poll(encoders).toBe(0);
});
