import { expect, test } from 'vitest';
import { mayBeBrowsersPause } from './browser-pause.ts';

/** A video as far as its pause is judged by it. */
function videoIn(page: { hidden: boolean }, more: object = {}): HTMLVideoElement {
	return { ownerDocument: page, ...more } as HTMLVideoElement;
}

test('only what nobody sees is paused by a browser', () => {
	expect(mayBeBrowsersPause(videoIn({ hidden: false }))).toBe(false);
	expect(mayBeBrowsersPause(videoIn({ hidden: true }))).toBe(true);
});

test('a picture in picture is seen though its page is hidden', () => {
	const page = { hidden: true, pictureInPictureElement: undefined as unknown };
	const video = videoIn(page);
	page.pictureInPictureElement = video;
	expect(mayBeBrowsersPause(video)).toBe(false);
	page.pictureInPictureElement = videoIn({ hidden: true });
	expect(mayBeBrowsersPause(video)).toBe(true);
	const onIphone = { webkitPresentationMode: 'picture-in-picture' };
	expect(mayBeBrowsersPause(videoIn({ hidden: true }, onIphone))).toBe(false);
	expect(mayBeBrowsersPause(videoIn({ hidden: true }, { webkitPresentationMode: 'inline' }))).toBe(
		true,
	);
});

test('Firefox pauses nothing by itself', () => {
	expect(mayBeBrowsersPause(videoIn({ hidden: true }, { mozHasAudio: true }))).toBe(false);
});
