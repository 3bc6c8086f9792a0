import { clipArgs, ffmpeg, hasFfmpeg } from '../cli/testing/media.ts';
import { shoal, tidyUp } from '../cli/testing/shoal.ts';
import { broadcastCamera, watch } from './broadcast.ts';
import { expect, test } from './fixtures.ts';
import { viewerStats } from './handle.ts';
import { plays } from './picture.ts';

test.afterEach(tidyUp);

test('what ffmpeg pipes into "shoal seed" plays in a browser', async ({ people, site }) => {
	test.skip(!hasFfmpeg, 'needs ffmpeg');
	const seed = shoal(['seed', '-', '--title', 'From a pipe', '--app', site.url]);
	const source = ffmpeg(clipArgs({ seconds: 120, live: true }, '-f', 'mpegts', '-'));
	source.stdout.pipe(seed.child.stdin);
	const [link] = await seed.says(/^http\S+$/m);
	const page = await watch(people, link);
	await plays(page.locator('video'));
	await expect(page.getByRole('heading', { name: 'From a pipe' })).toBeVisible();
	source.kill('SIGKILL');
	expect((await seed.says(/has ended/))[0]).toBeTruthy();
	await expect(page.getByText('The broadcast has ended')).toBeVisible();
});

test('a browser’s broadcast reaches who can reach only "shoal relay"', async ({ people, site }) => {
	const { link } = await broadcastCamera(people);
	const relay = shoal(['relay', link, '--json', '--app', site.url]);
	await relay.says(/"segments":[1-9]/);
	const behind = await people.visit();
	// As behind a firewall: what a browser offers or answers leads nowhere; the relay's descriptions are Node's.
	await behind.addInitScript(() => {
		const real = RTCPeerConnection.prototype.setRemoteDescription;
		RTCPeerConnection.prototype.setRemoteDescription = function (
			description: RTCSessionDescriptionInit,
		) {
			const isNode = /^o=rtc /m.test(description.sdp ?? '');
			return isNode
				? Reflect.apply(real, this, [description])
				: Promise.reject(new DOMException('out of reach', 'OperationError'));
		};
	});
	const page = await behind.newPage();
	await page.goto(link);
	await plays(page.locator('video'));
	const { bytesFromBroadcaster, bytesFromViewers } = await viewerStats(page);
	expect(bytesFromBroadcaster).toBe(0);
	expect(bytesFromViewers).toBeGreaterThan(0);
	expect(await relay.interrupt()).toBe(0);
});
