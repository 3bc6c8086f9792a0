import { ShoalError } from '../model/error.ts';
import { toCaptureError } from './capture-error.ts';
import { streamSource, type Source } from './source.ts';

/** Options that not every browser's `getDisplayMedia` knows yet; others pass them over (Screen Capture §5). */
type ScreenOptions = DisplayMediaStreamOptions & {
	readonly systemAudio?: 'include' | 'exclude';
	readonly surfaceSwitching?: 'include' | 'exclude';
	readonly selfBrowserSurface?: 'include' | 'exclude';
};

/**
 * Asks the person for a screen, window or tab, with its sound where the browser gives it.
 * Needs a user gesture. Rejects with `capture-denied`, `no-device` or `device-failed`.
 */
export async function openScreen(): Promise<Source> {
	const devices = (navigator as { mediaDevices?: Partial<MediaDevices> }).mediaDevices;
	if (!devices?.getDisplayMedia) {
		throw new ShoalError('no-device', 'this browser cannot share a screen');
	}
	const options: ScreenOptions = {
		// The browser scales larger screens down before frames reach this page.
		video: { width: { max: 1920 }, height: { max: 1080 }, frameRate: { ideal: 30, max: 30 } },
		audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
		systemAudio: 'include',
		surfaceSwitching: 'include',
		selfBrowserSurface: 'exclude',
	};
	const stream = await devices.getDisplayMedia(options).catch((cause: unknown) => {
		throw toCaptureError(cause, 'screen');
	});
	return streamSource({
		kind: 'screen',
		label: stream.getVideoTracks()[0]?.label ?? '',
		stream,
		trackEnd: 'stopped',
	});
}
