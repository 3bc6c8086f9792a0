import { broadcastCamera, goLive, watch } from './broadcast.ts';
import { expect, test } from './fixtures.ts';
import { expectPlaying, plays } from './picture.ts';

test('the seed page reloads and goes live again: viewers, untouched, play on under the same link', async ({
	people,
}) => {
	const { page: seed, link } = await broadcastCamera(people);
	const viewers = await Promise.all([watch(people, link), watch(people, link)]);
	const videos = viewers.map((viewer) => viewer.locator('video'));
	for (const video of videos) await plays(video);

	seed.once('dialog', (dialog) => void dialog.accept()); // leaving while on air asks first
	await seed.reload();
	await seed.getByRole('button', { name: 'Camera', exact: true }).click();
	const again = await goLive(seed);
	expect(again.link).toBe(link);

	for (const video of videos) await plays(video);
	await Promise.all(videos.map((video) => expectPlaying(video, 8)));
});
