import { defineConfig } from '@playwright/test';
import { findBrowser } from '../scripts/find-browser.mjs';

export default defineConfig({
	testDir: '.',
	outputDir: '../test-results/e2e',
	reporter: [['list'], ['json', { outputFile: '../test-results/playwright.json' }]],
	forbidOnly: !!process.env.CI,
	// Each test runs encoders and decoders of its own; side by side they would starve each other.
	workers: 1,
	retries: 0,
	timeout: 120_000,
	expect: { timeout: 20_000 },
	use: {
		trace: { mode: 'retain-on-failure', screenshots: false, snapshots: true, sources: false },
		screenshot: 'only-on-failure',
		launchOptions: {
			executablePath: findBrowser(),
			args: [
				'--no-sandbox',
				// A camera and a microphone that need no hardware, and a screen that needs no display.
				'--use-fake-device-for-media-stream=display-media-type=monitor',
				'--use-fake-ui-for-media-stream',
				'--disable-background-networking',
			],
			// Pages live as they do for people: muted autoplay has to work by itself, and hidden tabs are throttled.
			ignoreDefaultArgs: [
				'--disable-background-timer-throttling',
				'--disable-backgrounding-occluded-windows',
				'--disable-renderer-backgrounding',
			],
		},
	},
});
