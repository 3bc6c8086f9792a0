import { describe, expect, it } from 'vitest';
import { startVideo } from './start-video.ts';

/** A video on a page where the browser's policy lets it play so far. */
function videoUnder(policy: 'all' | 'muted only' | 'nothing', error = 'NotAllowedError') {
	const video = {
		muted: false,
		async play() {
			if (policy === 'nothing' || (policy === 'muted only' && !video.muted)) {
				throw new DOMException('refused', error);
			}
		},
	};
	return video as HTMLVideoElement;
}

describe('startVideo', () => {
	it('plays with sound where that is allowed', async () => {
		const video = videoUnder('all');
		expect(await startVideo(video)).toBe('playing');
		expect(video.muted).toBe(false);
	});

	it('takes the sound away where only that is refused', async () => {
		const video = videoUnder('muted only');
		expect(await startVideo(video)).toBe('muted');
		expect(video.muted).toBe(true);
	});

	it('says so when even the picture is refused', async () => {
		expect(await startVideo(videoUnder('nothing'))).toBe('refused');
	});

	it('does not take a source that is replaced meanwhile for a refusal', async () => {
		const video = videoUnder('nothing', 'AbortError');
		expect(await startVideo(video)).toBe('playing');
		expect(video.muted).toBe(false);
	});
});
