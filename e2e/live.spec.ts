import { broadcastCamera, watch } from './broadcast.ts';
import { expect, test } from './fixtures.ts';
import { newestSequence, viewerStats } from './handle.ts';
import { expectPlaying, plays } from './picture.ts';

test('three viewers watch a camera and pass it on; a fourth joins at the live edge', async ({
	people,
}) => {
	const { link } = await broadcastCamera(people);
	const viewers = await Promise.all([1, 2, 3].map(() => watch(people, link)));
	const videos = viewers.map((viewer) => viewer.locator('video'));
	for (const video of videos) await plays(video);

	await test.step('every video advances at its own pace for 20 s, with pictures and sound', () =>
		Promise.all(videos.map((video) => expectPlaying(video, 20, 'exactly'))));

	await test.step('at least one viewer got most of its bytes from viewers', async () => {
		const shares = await Promise.all(
			viewers.map(async (viewer) => {
				const { bytesFromViewers, bytesFromBroadcaster } = await viewerStats(viewer);
				return bytesFromViewers / (bytesFromViewers + bytesFromBroadcaster);
			}),
		);
		expect(Math.min(...shares), 'somebody is fed by the broadcaster').toBeLessThan(1);
		expect(Math.max(...shares), `shares from viewers: ${shares.join(', ')}`).toBeGreaterThan(0.5);
	});

	await test.step('the fourth shows a picture, and its first segment is a recent one', async () => {
		const newest = await newestSequence(viewers[0]!);
		expect(newest).toBeGreaterThan(30);
		const fourth = await watch(people, link);
		await plays(fourth.locator('video'));
		const { firstSequence } = await viewerStats(fourth);
		expect(firstSequence).toBeGreaterThan(newest - 5);
	});
});
