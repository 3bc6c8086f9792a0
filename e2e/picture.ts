import { expect, type Locator } from '@playwright/test';

/** What a video element did over a while. */
export interface Playback {
	/** Media seconds per second of the clock; 1 when it plays at its own pace. */
	readonly pace: number;
	/** Pictures decoded. */
	readonly frames: number;
	/** Bytes of sound decoded; Chromium alone tells. */
	readonly audioBytes: number;
	/** Times it stopped for want of data. */
	readonly stalls: number;
}

/** Waits until a picture has been decoded and the video moves. */
export async function plays(video: Locator): Promise<void> {
	await expect(async () => {
		const before = await position(video);
		await video.page().waitForTimeout(250);
		const after = await position(video);
		expect(after.frames).toBeGreaterThan(before.frames);
		expect(after.seconds).toBeGreaterThan(before.seconds);
	}).toPass({ timeout: 30_000 });
}

function position(video: Locator): Promise<{ seconds: number; frames: number }> {
	return video.evaluate((element: HTMLVideoElement) => ({
		seconds: element.currentTime,
		frames: element.getVideoPlaybackQuality().totalVideoFrames,
	}));
}

/** Follows a video for some seconds, by the page's own clock. */
export function follow(video: Locator, seconds: number): Promise<Playback> {
	return video.evaluate(async (element: HTMLVideoElement, ms) => {
		const read = () => ({
			atMs: performance.now(),
			seconds: element.currentTime,
			frames: element.getVideoPlaybackQuality().totalVideoFrames,
			audioBytes:
				(element as { webkitAudioDecodedByteCount?: number }).webkitAudioDecodedByteCount ?? 0,
		});
		let stalls = 0;
		const count = () => stalls++;
		element.addEventListener('waiting', count);
		const before = read();
		await new Promise((resolve) => setTimeout(resolve, ms));
		const after = read();
		element.removeEventListener('waiting', count);
		return {
			pace: ((after.seconds - before.seconds) * 1000) / (after.atMs - before.atMs),
			frames: after.frames - before.frames,
			audioBytes: after.audioBytes - before.audioBytes,
			stalls,
		};
	}, seconds * 1000);
}

/**
 * Expects a video to play for some seconds, with pictures and sound: through and through, or at exactly its own pace. The first
 * leaves room for a stall and for catching up afterwards, which a busy machine brings about and which lose nothing.
 */
export async function expectPlaying(
	video: Locator,
	seconds: number,
	pace: 'about' | 'exactly' = 'about',
): Promise<void> {
	const playback = await follow(video, seconds);
	const told = JSON.stringify(playback);
	const [least, most] = pace === 'exactly' ? [0.9, 1.1] : [0.6, 1.6];
	expect(playback.pace, `pace over ${seconds} s: ${told}`).toBeGreaterThan(least);
	expect(playback.pace, `pace over ${seconds} s: ${told}`).toBeLessThan(most);
	expect(playback.frames, `decoded pictures: ${told}`).toBeGreaterThan(seconds * 5);
	expect(playback.audioBytes, `decoded sound: ${told}`).toBeGreaterThan(0);
}

/** The mean colour of the picture on show, 0 to 255 each; for a source of one colour. */
export function meanColour(video: Locator): Promise<[red: number, green: number, blue: number]> {
	return video.evaluate((element: HTMLVideoElement) => {
		const canvas = new OffscreenCanvas(16, 16);
		const context = canvas.getContext('2d')!;
		context.drawImage(element, 0, 0, 16, 16);
		const { data } = context.getImageData(0, 0, 16, 16);
		const sums: [number, number, number] = [0, 0, 0];
		for (let i = 0; i < data.length; i++) if (i % 4 < 3) sums[i % 4]! += data[i]!;
		return sums.map((sum) => Math.round((sum * 4) / data.length)) as [number, number, number];
	});
}
