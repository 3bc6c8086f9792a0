import type { Page } from '@playwright/test';
import { broadcastCamera, watch } from './broadcast.ts';
import { expect, test } from './fixtures.ts';
import { plays } from './picture.ts';

/** A channel that nobody broadcasts on: the base point of the curve, a key like any other. */
const UNKNOWN_CHANNEL = 'WGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY';

function says(page: Page, sentence: string): Promise<void> {
	return expect(page.getByText(sentence).first()).toBeVisible();
}

test('a malformed link says so and offers a box for the right one', async ({ people }) => {
	const page = await people.open('/watch/#not-a-channel');
	await says(page, 'This is not a whole peer link.');
	await expect(page.getByRole('textbox')).toBeVisible();
});

test('the watch page without a link says that one is needed, and where they come from', async ({
	people,
}) => {
	const page = await people.open('/watch/');
	await says(page, 'A peer link is needed to watch.');
	await expect(page.getByRole('textbox')).toBeVisible();
});

test('a key that anybody could sign for is refused', async ({ people }) => {
	const page = await people.open(`/watch/#${'A'.repeat(43)}`);
	await says(page, 'This link can’t be trusted.');
});

test('an unknown channel waits for its broadcaster, and says so', async ({ people }) => {
	const page = await people.open(`/watch/#${UNKNOWN_CHANNEL}`);
	await says(page, 'Waiting for the broadcaster.');
});

test('an unreachable tracker is told, and the page mends itself when it is back', async ({
	people,
	site,
}) => {
	const page = await people.open(`/watch/#${UNKNOWN_CHANNEL}`);
	await says(page, 'Waiting for the broadcaster.');
	await site.stop();
	await says(page, 'The tracker can’t be reached.');
	await site.start();
	await says(page, 'Waiting for the broadcaster.');
});

test('without WebRTC the watch page says what is missing', async ({ people }) => {
	const context = await people.visit();
	await context.addInitScript(() => {
		Reflect.deleteProperty(globalThis, 'RTCPeerConnection');
	});
	const page = await context.newPage();
	await page.goto(people.address(`/watch/#${UNKNOWN_CHANNEL}`));
	await says(page, 'This browser can’t connect to other viewers.');
});

test('without WebRTC the seed page does not say that it is live', async ({ people }) => {
	const context = await people.visit({ camera: true });
	await context.addInitScript(() => {
		Reflect.deleteProperty(globalThis, 'RTCPeerConnection');
	});
	const page = await context.newPage();
	await page.goto(people.address('/seed/'));
	await page.getByRole('button', { name: 'Camera', exact: true }).click();
	await page.getByRole('button', { name: 'Go live' }).click();
	await says(page, 'This browser can’t connect to other viewers.');
	await expect(page.getByText('Off air')).toBeVisible();
});

test('without an encoder the seed page says so', async ({ people }) => {
	const context = await people.visit({ camera: true });
	await context.addInitScript(() => {
		for (const name of ['VideoEncoder', 'AudioEncoder', 'MediaRecorder'])
			Reflect.deleteProperty(globalThis, name);
	});
	const page = await context.newPage();
	await page.goto(people.address('/seed/'));
	await page.getByRole('button', { name: 'Camera', exact: true }).click();
	await page.getByRole('button', { name: 'Go live' }).click();
	await says(page, 'This browser can’t encode video.');
});

test('a viewer who lacks the codec is told to take another browser', async ({ people }) => {
	const { link } = await broadcastCamera(people);
	const context = await people.visit();
	await context.addInitScript(() => {
		MediaSource.isTypeSupported = () => false;
	});
	const page = await context.newPage();
	await page.goto(link);
	await says(page, 'This browser can’t play this broadcast.');
});

test('the end of the broadcast is told', async ({ people }) => {
	const { page: seed, link } = await broadcastCamera(people);
	const viewer = await watch(people, link);
	await plays(viewer.locator('video'));
	await seed.getByRole('button', { name: 'Stop', exact: true }).click();
	await says(viewer, 'The broadcast has ended.');
});

test('two tabs do not broadcast under one link', async ({ people }) => {
	const { page: first } = await broadcastCamera(people);
	const second = await first.context().newPage();
	await second.goto(people.address('/seed/'));
	await second.getByRole('button', { name: 'Camera', exact: true }).click();
	await second.getByRole('button', { name: 'Go live' }).click();
	await says(second, 'You’re on air in another tab.');
});

test('an address that leads nowhere shows the way home', async ({ people }) => {
	const page = await people.open('/nowhere/at/all');
	await says(page, 'There is no page at this address.');
	await expect(page.locator('body')).toHaveCSS('margin', '0px'); // the site’s look is there
	await page.getByRole('link', { name: 'Go to the start' }).click();
	await expect(page).toHaveURL(people.address('/'));
	await expect(page.getByRole('link', { name: 'Go live' })).toBeVisible();
});

test('commands on the terminal page can be read to their ends', async ({ people }) => {
	for (const width of [1280, 360]) {
		const page = await people.open('/terminal/', { viewport: { width, height: 800 } });
		await expect(
			page.getByText(`shoal seed - --app ${people.address('').slice(0, -1)}`),
		).toBeVisible();
		const cut = await page.evaluate(
			() =>
				[...document.querySelectorAll('pre')].filter((e) => e.scrollWidth > e.clientWidth).length,
		);
		expect(cut, `at ${width} px`).toBe(0);
	}
});
