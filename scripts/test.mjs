// `npm test`: unit and simulation tests (vitest), then end-to-end tests in a real browser (Playwright).
// `npm test -- unit` and `npm test -- e2e` run one of them; what follows is passed on, as in `npm test -- e2e embed`.
// The last line is "N passed, N failed", of both together.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { browserHelp, findOrInstallBrowser } from './find-browser.mjs';
import { findProgram, installPackage } from './find-program.mjs';
import { top } from './stale.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Tally */

const [first = '', ...rest] = process.argv.slice(2);
const only = ['unit', 'e2e'].includes(first) ? first : undefined;
const extra = only ? rest : process.argv.slice(2);
const isCi = !!process.env.CI && process.env.CI !== 'false';
const results = join(top, 'test-results');

/** Programs beyond Node that some tests run, under any of their names, and the Debian packages that bring them. */
const programs = [
	{ names: ['ffmpeg'], package: 'ffmpeg', tests: 'media file' },
	{ names: ['ffprobe'], package: 'ffmpeg', tests: 'media file' },
	{ names: ['redis-server'], package: 'redis-server', tests: 'tracker cluster' },
	{ names: ['firefox-esr', 'firefox'], package: 'firefox-esr', tests: 'Firefox' },
];

/** What is missing and cannot be had. Tests look for these programs themselves and skip without them. */
function missingPrograms() {
	return programs.filter(({ names, package: package_ }) => {
		const isHere = () => names.some((name) => findProgram(name));
		return !isHere() && !(installPackage(package_) && isHere());
	});
}

/**
 * @param {string} bin
 * @param {string[]} args
 * @returns {Promise<number>} the exit code; a signal counts as 1
 */
function run(bin, args) {
	return new Promise((resolve) => {
		const child = spawn(process.execPath, [join(top, 'node_modules', bin), ...args], {
			cwd: top,
			stdio: 'inherit',
		});
		child.on('error', () => resolve(1));
		child.on('close', (code) => resolve(code ?? 1));
	});
}

/** @param {string} path */
function readJson(path) {
	return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** @returns {Promise<Tally>} */
async function unit() {
	const file = join(results, 'vitest.json');
	rmSync(file, { force: true });
	const code = await run('vitest/vitest.mjs', [
		'run',
		'--reporter=default',
		'--reporter=json',
		`--outputFile.json=${file}`,
		...extra,
	]);
	const report = readJson(file);
	/** @type {{ status: string, assertionResults: unknown[] }[]} */
	const files = report?.testResults ?? [];
	// A file that does not load has no tests to count.
	const broken = files.filter((file) => file.status === 'failed' && !file.assertionResults.length);
	return settle(code, {
		passed: report?.numPassedTests ?? 0,
		failed: (report?.numFailedTests ?? 0) + broken.length,
		skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
	});
}

/** @returns {Promise<Tally>} */
async function endToEnd() {
	const build = spawnSync(process.execPath, [join(top, 'scripts/build.mjs'), '--stale'], {
		stdio: 'inherit',
	});
	if (build.status !== 0) return { passed: 0, failed: 1, skipped: 0 };
	const total = { passed: 0, failed: 0, skipped: 0 };
	// One after the other: what measures the pace of whole broadcasts wants the machine for itself.
	for (const project of ['alone', 'beside']) {
		const file = join(results, `playwright-${project}.json`);
		rmSync(file, { force: true });
		process.env.PLAYWRIGHT_JSON_OUTPUT_FILE = file;
		const code = await run('@playwright/test/cli.js', [
			'test',
			'--config=e2e/playwright.config.ts',
			`--project=${project}`,
			'--pass-with-no-tests',
			...extra,
		]);
		const stats = readJson(file)?.stats;
		const flaky = stats?.flaky ?? 0;
		if (flaky) console.log(`FLAKY: ${flaky} of these passed only when tried again; see above.`);
		const tally = settle(code, {
			passed: (stats?.expected ?? 0) + flaky,
			failed: stats?.unexpected ?? 0,
			skipped: stats?.skipped ?? 0,
		});
		for (const kind of /** @type {const} */ (['passed', 'failed', 'skipped']))
			total[kind] += tally[kind];
	}
	return total;
}

/**
 * A runner that ends badly without a failed test (a crash, an error outside of tests) counts as one.
 * @param {number} code
 * @param {Tally} tally
 */
function settle(code, tally) {
	return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

/** @returns {Promise<Tally>} */
async function main() {
	mkdirSync(results, { recursive: true });
	const total = { passed: 0, failed: 0, skipped: 0 };
	/** @param {Tally} tally */
	const add = (tally) => {
		total.passed += tally.passed;
		total.failed += tally.failed;
		total.skipped += tally.skipped;
	};

	const browser = findOrInstallBrowser();
	if (!browser) {
		console.error(browserHelp);
		return { ...total, failed: 1 };
	}
	process.env.SHOAL_BROWSER = browser;
	console.log(`Browser: ${browser}`);

	const missing = missingPrograms();
	if (missing.length && isCi) {
		const names = missing.map(({ names }) => names[0]).join(', ');
		console.error(`In CI nothing is skipped, and these are missing: ${names}.`);
		return { ...total, failed: missing.length };
	}
	if (only !== 'e2e') add(await unit());
	if (only !== 'unit') add(await endToEnd());
	for (const { names, tests } of missing)
		console.log(`SKIPPED: the ${tests} tests that need ${names[0]}, which is not installed.`);
	if (isCi && total.skipped) {
		console.error(`In CI nothing is skipped, and ${total.skipped} tests were.`);
		return { passed: total.passed, failed: total.failed + total.skipped, skipped: 0 };
	}
	return total;
}

const total = await main().catch((/** @type {unknown} */ error) => {
	console.error(error instanceof Error ? error.message : error);
	return { passed: 0, failed: 1, skipped: 0 };
});
const skipped = total.skipped ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed || !total.passed ? 1 : 0;
