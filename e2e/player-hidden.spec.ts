import { expect, test } from '@playwright/test';
import { BareBrowser, type Tab } from './media/bare-browser.ts';
import { hasFfmpeg } from './player/media.ts';
import { openStudio, type Studio } from './player/studio.ts';

// A player in a tab that is really hidden, whose video is paused by a person or by the browser.
test.skip(!hasFfmpeg(), 'needs ffmpeg');

let studio: Studio;
let browser: BareBrowser;
let tab: Tab;

test.beforeAll(async () => {
	studio = await openStudio({
		steady: { seconds: 40, keyEvery: 15, segmentMs: 500, size: '320x180' },
	});
	browser = await BareBrowser.launch();
});
test.afterAll(async () => {
	await browser.close();
	await studio.close();
});

const paused = () => tab.evaluate<boolean>('window.rig.video.paused');

test.beforeEach(async () => {
	tab = await browser.open(studio.url);
	await tab.evaluate("window.begin([{ legs: [{ media: 'steady', from: 0, to: 80 }] }])");
	await expect.poll(() => tab.evaluate<string>('window.rig.player.state.type')).toBe('playing');
	await (await browser.open('about:blank')).show();
	expect(await tab.evaluate('document.visibilityState')).toBe('hidden');
});

test('what the browser paused while nobody saw it plays on when it is seen again', async () => {
	await tab.evaluate('window.rig.video.pause()');
	await expect.poll(paused).toBe(true);
	await tab.show();
	await expect.poll(paused).toBe(false);
});

test('what a person paused there, by a media key, stays paused', async () => {
	await tab.evaluate('window.rig.player.pause()');
	await expect.poll(paused).toBe(true);
	await tab.show();
	await expect.poll(() => tab.evaluate<string>('document.visibilityState')).toBe('visible');
	await new Promise((resolve) => setTimeout(resolve, 1500));
	expect(await paused()).toBe(true);
	expect(await tab.evaluate<string>('window.rig.player.state.type')).toBe('paused');
});

test('what was paused in picture in picture stays paused', async () => {
	await tab.show();
	const opened = await tab.evaluate<string>(
		"window.rig.video.requestPictureInPicture().then(() => 'open', String)",
	);
	test.skip(opened !== 'open', `no picture in picture here: ${opened}`);
	await (await browser.open('about:blank')).show();
	expect(await tab.evaluate('document.visibilityState')).toBe('hidden');
	await tab.evaluate('window.rig.video.pause()');
	await tab.show();
	await new Promise((resolve) => setTimeout(resolve, 1500));
	expect(await paused()).toBe(true);
});
