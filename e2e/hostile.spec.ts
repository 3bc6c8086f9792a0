import { broadcastCamera, watch } from './broadcast.ts';
import { expect, test } from './fixtures.ts';
import { joinHostile, type Mischief } from './hostile-peer.ts';
import { expectPlaying, plays } from './picture.ts';

const mischiefs: Mischief[] = ['forged manifest', 'bad piece', 'over-long message'];

for (const mischief of mischiefs) {
	test(`a hostile peer (${mischief}) is dropped and playback is unharmed`, async ({ people }) => {
		const { link } = await broadcastCamera(people);
		const first = await watch(people, link);
		await plays(first.locator('video'));
		const hostile = await joinHostile(link, mischief);
		try {
			// Who joins now finds it among the first neighbours.
			const second = await watch(people, link);
			const videos = [first, second].map((page) => page.locator('video'));
			await plays(second.locator('video'));
			const playing = Promise.all(videos.map((video) => expectPlaying(video, 12)));
			await expect.poll(() => hostile.wronged, { timeout: 20_000 }).toBeGreaterThan(0);
			await expect
				.poll(() => hostile.wronged - hostile.dropped, { message: 'wronged peers that stay' })
				.toBe(0);
			await playing;
		} finally {
			await hostile.close();
		}
	});
}
