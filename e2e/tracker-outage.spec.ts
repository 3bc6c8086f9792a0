import { broadcastCamera, watch } from './broadcast.ts';
import { test } from './fixtures.ts';
import { expectPlaying, plays } from './picture.ts';

test('playing goes on while the tracker is down, and who comes when it is back joins', async ({
	people,
	site,
}) => {
	const { link } = await broadcastCamera(people);
	const video = (await watch(people, link)).locator('video');
	await plays(video);

	await site.stop();
	await expectPlaying(video, 10);

	await site.start();
	const newcomer = (await watch(people, link)).locator('video');
	await plays(newcomer);
	await Promise.all([expectPlaying(video, 5), expectPlaying(newcomer, 5)]);
});
