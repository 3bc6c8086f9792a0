/** What WebKit adds for picture in picture on iPhones. */
interface WebKitVideo {
	readonly webkitPresentationMode?: string;
}

/**
 * Whether a pause may be the browser's own: some pause videos that nobody sees. One in picture in picture is seen,
 * whatever its page is, so there it was a person; and Firefox, whose picture in picture can't be asked after, pauses none.
 */
export function mayBeBrowsersPause(video: HTMLVideoElement): boolean {
	const page = video.ownerDocument;
	if (!page.hidden || 'mozHasAudio' in video) return false;
	const { webkitPresentationMode } = video as WebKitVideo;
	return page.pictureInPictureElement !== video && webkitPresentationMode !== 'picture-in-picture';
}
