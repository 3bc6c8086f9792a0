import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// Unit and simulation tests, in Node. End-to-end tests are Playwright's: e2e/playwright.config.ts.
export default defineConfig({
	plugins: [svelte({ configFile: false })],
	test: {
		include: [
			'src/**/*.test.ts',
			'tracker-server/**/*.test.ts',
			'cli/**/*.test.ts',
			'bench/**/*.test.ts',
			'deploy/**/*.test.ts',
			'scripts/**/*.test.ts',
		],
		environment: 'node',
		// Tests of the command line run it as it is shipped.
		globalSetup: ['cli/testing/build-program.ts'],
		pool: 'forks',
		// More than there are cores: most of the long ones wait for timers and networks.
		maxWorkers: 3,
		// Correctness tests must not turn red because a machine is busy; timing lives in bench/.
		testTimeout: 120_000,
		expect: { poll: { timeout: 20_000 } },
		retry: process.env.CI ? 1 : 0,
		hookTimeout: 60_000,
		teardownTimeout: 10_000,
		passWithNoTests: true,
	},
});
