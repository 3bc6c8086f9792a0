import { defineConfig } from '@playwright/test';
import { launchOptions } from './browser.ts';

/** Small pictures or none: these leave half a machine idle, and may run side by side. */
const light =
	/(player-live|player-hidden|pages|media-keys|swarm|trouble|refused|start|torrents)\.spec\.ts$/;

export default defineConfig({
	testDir: '.',
	outputDir: '../test-results/e2e',
	reporter: [['list'], ['json']],
	forbidOnly: !!process.env.CI,
	projects: [
		// Whole broadcasts: each runs encoders and decoders of its own; side by side they would starve each other.
		{ name: 'alone', testIgnore: light, workers: 1 },
		{ name: 'beside', testMatch: light, fullyParallel: true },
	],
	workers: 2,
	// Encoders, WebRTC and playback in real time on a shared machine: what fails once for want of a processor is tried again, and named.
	retries: process.env.CI ? 1 : 0,
	timeout: 120_000,
	expect: { timeout: 20_000 },
	use: {
		trace: { mode: 'retain-on-failure', screenshots: false, snapshots: true, sources: false },
		screenshot: 'only-on-failure',
		launchOptions: launchOptions(),
	},
});
