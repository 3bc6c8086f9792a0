import { broadcastCamera, watch } from './broadcast.ts';
import { expect, test } from './fixtures.ts';
import { plays } from './picture.ts';

test('the position slider is worked by keyboard and by a held thumb', async ({ people }) => {
	const { link } = await broadcastCamera(people);
	const viewer = await watch(people, link);
	const video = viewer.locator('video');
	await plays(video);
	const slider = viewer.getByRole('slider', { name: 'Position' });
	const behindS = () =>
		video.evaluate((element: HTMLVideoElement) => {
			const { seekable, currentTime } = element;
			return seekable.end(seekable.length - 1) - currentTime;
		});
	await expect(slider).toHaveAttribute('aria-valuetext', 'Live');
	await expect
		.poll(() => video.evaluate((element: HTMLVideoElement) => element.seekable.end(0)))
		.toBeGreaterThan(16);

	await test.step('an arrow goes back by five seconds, and each press counts', async () => {
		await slider.press('ArrowLeft');
		await slider.press('ArrowLeft');
		await expect.poll(behindS).toBeGreaterThan(9.5);
		await expect(slider).toHaveAttribute('aria-valuetext', /^1\d seconds behind live$/);
		await slider.press('ArrowRight');
		await expect.poll(behindS).toBeLessThan(8);
	});

	await test.step('End is live, Home is the oldest that is held', async () => {
		await slider.press('End');
		await expect(slider).toHaveAttribute('aria-valuetext', 'Live');
		await slider.press('Home');
		await expect.poll(behindS).toBeGreaterThan(12);
	});

	await test.step('a held thumb stays where it is held', async () => {
		const box = (await slider.boundingBox())!;
		const y = box.y + box.height / 2;
		const value = () => slider.evaluate((element: HTMLInputElement) => element.valueAsNumber);
		await viewer.mouse.move(box.x + 10, y);
		await viewer.mouse.down();
		await viewer.mouse.move(box.x + box.width / 2, y, { steps: 4 });
		const held = await value();
		await viewer.waitForTimeout(1500);
		expect(await value()).toBeCloseTo(held, 1);
		await viewer.mouse.up();
		const at = () => video.evaluate((element: HTMLVideoElement) => element.currentTime);
		await expect.poll(at).toBeGreaterThan(held - 0.1);
		expect(await at()).toBeLessThan(held + 3);
	});
});
