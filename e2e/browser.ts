import type { LaunchOptions } from '@playwright/test';
import { findBrowser } from '../scripts/find-browser.mjs';

/**
 * How tests start the browser: as people have it, with a camera and a microphone that need no hardware and a screen
 * that needs no display. `grants` answers every permission prompt with yes; a test of a refusal turns it off.
 */
export function launchOptions({ grants = true } = {}): LaunchOptions {
	return {
		executablePath: findBrowser(),
		args: [
			'--no-sandbox',
			'--use-fake-device-for-media-stream=display-media-type=monitor',
			...(grants ? ['--use-fake-ui-for-media-stream'] : []),
			'--disable-background-networking',
		],
		// Muted autoplay has to work by itself, and hidden tabs are throttled as they are for people.
		ignoreDefaultArgs: [
			'--disable-background-timer-throttling',
			'--disable-backgrounding-occluded-windows',
			'--disable-renderer-backgrounding',
		],
	};
}
