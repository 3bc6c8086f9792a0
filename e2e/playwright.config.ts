import { defineConfig } from '@playwright/test';
import { launchOptions } from './browser.ts';

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
		launchOptions: launchOptions(),
	},
});
