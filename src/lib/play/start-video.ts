/** How a video began: as it is, without its sound because the browser refused that, or not at all. */
export type VideoStart = 'playing' | 'muted' | 'refused';

/** Starts a video; where the browser refuses sound without a gesture, muted. */
export async function startVideo(video: HTMLVideoElement): Promise<VideoStart> {
	if (await isAllowed(video)) return 'playing';
	if (video.muted) return 'refused';
	video.muted = true;
	return (await isAllowed(video)) ? 'muted' : 'refused';
}

/** Asks the browser to play; a source that is replaced meanwhile is no refusal. */
async function isAllowed(video: HTMLVideoElement): Promise<boolean> {
	try {
		await video.play();
		return true;
	} catch (error) {
		return !(error instanceof DOMException && error.name === 'NotAllowedError');
	}
}
