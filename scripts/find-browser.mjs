// Finds a Chromium or Chrome for the end-to-end tests.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { canInstall, findProgram, installPackage } from './find-program.mjs';

const names = [
	'chromium',
	'chromium-browser',
	'google-chrome',
	'google-chrome-stable',
	'google-chrome-beta',
	'chrome',
	'microsoft-edge',
];
const applications = [
	'/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
	'/Applications/Chromium.app/Contents/MacOS/Chromium',
	'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
	'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

/** What to do when there is no browser; the last resort of every search. */
export const browserHelp =
	'No browser found for the end-to-end tests. Install Chromium or Chrome (Debian: sudo apt-get install chromium; ' +
	'anywhere: npx playwright install --with-deps chromium), or set SHOAL_BROWSER to the path of one.';

/**
 * An installed browser that starts: SHOAL_BROWSER, CHROME_PATH, PATH, then Playwright's cache.
 * @returns {string | undefined}
 */
export function findBrowser() {
	for (const name of ['SHOAL_BROWSER', 'CHROME_PATH']) {
		const path = process.env[name];
		if (!path) continue;
		if (starts(path)) return path;
		throw new Error(`${name} is set to ${path}, which is not a browser that starts.`);
	}
	const installed = names.map(findProgram).filter((path) => path !== undefined);
	return [...installed, ...applications, ...downloaded()].find(starts);
}

/**
 * findBrowser(), and where it finds none Playwright's download, then apt-get.
 * @returns {string | undefined}
 */
export function findOrInstallBrowser() {
	return findBrowser() ?? (download() ? findBrowser() : undefined) ?? installed();
}

/** @param {string} path */
function starts(path) {
	if (!existsSync(path)) return false;
	// Chrome on Windows opens a window for --version.
	if (process.platform === 'win32') return true;
	return spawnSync(path, ['--version'], { timeout: 20_000, stdio: 'ignore' }).status === 0;
}

/** Full Chromium builds in Playwright's cache, newest first; its headless shell has no camera. */
function downloaded() {
	const cache =
		process.env.PLAYWRIGHT_BROWSERS_PATH ||
		join(
			homedir(),
			{ darwin: 'Library/Caches', win32: 'AppData/Local' }[String(process.platform)] ?? '.cache',
			'ms-playwright',
		);
	if (!existsSync(cache)) return [];
	const builds = readdirSync(cache)
		.filter((name) => /^chromium-\d+$/.test(name))
		.sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)));
	const files = [
		'chrome-linux64/chrome',
		'chrome-linux/chrome',
		'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
		'chrome-win64/chrome.exe',
		'chrome-win/chrome.exe',
	];
	return builds.flatMap((build) => files.map((file) => join(cache, build, file)));
}

function download() {
	console.log('No browser found; asking Playwright for one (npx playwright install chromium) …');
	const require = createRequire(import.meta.url);
	const cli = join(dirname(require.resolve('@playwright/test/package.json')), 'cli.js');
	const { status } = spawnSync(process.execPath, [cli, 'install', 'chromium'], {
		stdio: ['ignore', 'ignore', 'ignore'],
		env: { ...process.env, PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '15000' },
		timeout: 300_000,
	});
	if (status !== 0) console.log("Playwright's download did not succeed.");
	return status === 0;
}

function installed() {
	return canInstall() && installPackage('chromium') ? findBrowser() : undefined;
}
