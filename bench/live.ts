// Measures real broadcasts in real Chromium: the delay from glass to glass, joining, and who carries the bytes.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LOW_DELAY, STEADY, type Profile } from '../src/lib/encode/profile.ts';
import { startServer } from '../tracker-server/server.ts';
import { openBrowser, visit } from './live-browser.ts';
import type { FloorLook } from './live-floor-page.ts';
import { runHls, type HlsFigures } from './live-hls.ts';
import { hlsTable, tables, type Group } from './live-report.ts';
import { runScenario } from './live-scenario.ts';

const args = process.argv.slice(3);
const { values: flags } = parseArgs({
	args,
	options: {
		/** Writes all figures. */
		json: { type: 'string' },
		/** Writes the tables with date, machine and command. */
		markdown: { type: 'string' },
		/** Few viewers and seconds: whether it works, not how well. */
		quick: { type: 'boolean' },
		/** Numbers of viewers, as in 3,8. */
		viewers: { type: 'string' },
		/** Length of a measurement. */
		seconds: { type: 'string' },
		/** Height of the picture, 16:9; the floor's too. */
		height: { type: 'string' },
		/** Pictures a second, the floor's too. */
		'frame-rate': { type: 'string' },
		/** One way on every peer link, milliseconds. */
		delay: { type: 'string' },
		/** Also measures ffmpeg's HLS with hls.js and P2P Media Loader. */
		hls: { type: 'boolean' },
		/** steady, low-delay or both. */
		profiles: { type: 'string' },
	},
});
const dir = process.argv[2]!;
const isQuick = flags.quick ?? false;
const counts = (flags.viewers ?? (isQuick ? '2' : '3,8')).split(',').map(Number);
const windowMs = numberOf('seconds', isQuick ? 8 : 60) * 1000;
const warmMs = isQuick ? 4000 : 10_000;
const delayMs = numberOf('delay', 25, 0);
const height = numberOf('height', 720);
const frameRate = numberOf('frame-rate', 30);
const shape = { width: Math.round((height * 16) / 9 / 2) * 2, height, frameRate };
const all: Readonly<Record<string, Profile>> = { steady: STEADY, 'low-delay': LOW_DELAY };
const names = (flags.profiles ?? 'steady,low-delay').split(',');

const server = await startServer({ host: 'localhost', pagesDir: join(dir, 'pages') });
const browser = await openBrowser();
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Chromium ${browser.version()}, Node ${process.version}`;
const commit = git('rev-parse', '--short', 'HEAD');
const isDirty = git('status', '--porcelain', '--', 'src', 'tracker-server') !== '';
const began = { date: new Date().toISOString().slice(0, 16), load: loadavg() };
console.log(`${machine}; load ${began.load.map((load) => load.toFixed(1)).join(' ')}`);

/** Behind the edge, and below what the server is asked at once: near to it, and for many bytes from viewers. */
const hlsSettings = [
	{ liveSyncS: 5, highDemandS: 1.5 },
	{ liveSyncS: 12, highDemandS: 3 },
];
const groups: Group[] = [];
const beside: HlsFigures[] = [];
try {
	for (const name of names) {
		const profile = all[name];
		if (!profile) throw new RangeError(`no profile is called ${name}`);
		console.log(`${name}: floor …`);
		const group = {
			profile: name,
			floor: await measureFloor(profile),
			scenarios: [] as Group['scenarios'][number][],
		};
		groups.push(group);
		for (const viewers of counts) {
			console.log(`${name}: ${viewers} viewers …`);
			const task = {
				profile,
				shape,
				viewers,
				delayMs,
				warmMs,
				windowMs,
				profileMs: isQuick ? 3000 : 10_000,
			};
			const site = { url: server.url, dir };
			group.scenarios.push({ viewers, figures: await runScenario(browser, site, task) });
			console.log(`\n${tables(groups)}\n`);
			save();
		}
	}
	for (const setting of flags.hls ? hlsSettings : []) {
		console.log(`HLS with P2P Media Loader, ${setting.liveSyncS} s behind …`);
		const task = { shape, setting, delayMs, windowMs: Math.min(windowMs, 30_000) };
		const hls = { ...task, viewers: Math.min(...counts), videoBps: STEADY.videoBps };
		const warm = { warmMs: 2 * warmMs };
		const site = { dir, announceUrl: server.announceUrl };
		beside.push(await runHls(browser, site, { ...hls, ...warm }));
		console.log(`\n${hlsTable(beside)}\n`);
		save();
	}
} finally {
	await browser.close();
	await server.close();
}

process.exit(0);

/** A flag's number; one that nothing can be measured with is said. */
function numberOf(
	name: 'seconds' | 'height' | 'frame-rate' | 'delay',
	usual: number,
	least = 1,
): number {
	const value = Number(flags[name] ?? usual);
	if (!(value >= least))
		throw new RangeError(`--${name} takes a number from ${least} on, not ${flags[name]}`);
	return value;
}

async function measureFloor(profile: Profile): Promise<FloorLook> {
	const { page, close } = await visit(browser, `${server.url}/bench/`, { dir });
	try {
		await page.waitForFunction(() => 'measureFloor' in window);
		await page.mouse.click(2, 2); // sound needs a person's click
		const task = { profile, shape, warmMs, windowMs: Math.min(windowMs, 30_000) };
		return await page.evaluate((given) => window.measureFloor(given), task);
	} finally {
		await close();
	}
}

/** After each step, so that a run that is broken off leaves what it has. */
function save(): void {
	const options = { height, frameRate, seconds: windowMs / 1000, delayMs };
	const told = { ...began, machine, commit, isDirty, options, groups, beside };
	if (flags.json) writeFileSync(flags.json, `${JSON.stringify(told, undefined, '\t')}\n`);
	if (flags.markdown) writeFileSync(flags.markdown, `${pageOf()}\n`);
}

function pageOf(): string {
	const command = ['npm run bench:live', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
	return [
		`- ${began.date}Z, commit ${commit}${isDirty ? ' with changes not yet committed' : ''}`,
		`- ${machine}; load average before: ${began.load.map((load) => load.toFixed(1)).join(', ')}`,
		`- \`${command}\``,
		`- picture ${shape.width}×${shape.height} at ${shape.frameRate}/s, ${delayMs} ms one way on every peer link, ${windowMs / 1000} s each`,
		'',
		tables(groups),
		...(beside.length > 0 ? ['', hlsTable(beside)] : []),
	].join('\n');
}

function git(...command: string[]): string {
	return spawnSync('git', command, { encoding: 'utf8' }).stdout?.trim() ?? '';
}
