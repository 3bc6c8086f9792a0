// Measures the command line: what seeding and relaying cost, and how fast Node and Chromium join each other.
import { execFileSync, fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { launchOptions } from '../e2e/browser.ts';
import { startServer } from '../tracker-server/server.ts';
import { percentile } from './live-percentile.ts';

const [top = '', ...args] = process.argv.slice(2);
const { values: flags } = parseArgs({
	args,
	options: {
		/** Writes all figures. */
		json: { type: 'string' },
		/** Writes the table with date, machine and command. */
		markdown: { type: 'string' },
		/** Few seconds and joins: whether it works, not how well. */
		quick: { type: 'boolean' },
		/** Some of seed, relay, joins. */
		only: { type: 'string' },
	},
});
const seconds = flags.quick ? 6 : 30;
const joins = flags.quick ? 3 : 15;
const dir = mkdtempSync(join(tmpdir(), 'shoal-bench-'));
const server = await startServer({ host: 'localhost', pagesDir: join(top, 'dist/pages') });
const children = new Set<ChildProcess>();
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
	cwd: top,
	encoding: 'utf8',
});
const began = { date: new Date().toISOString().slice(0, 16), load: loadavg() };
const rows: { figure: string; target: string; value: string; met: boolean }[] = [];
const figures: Record<string, unknown> = {};

try {
	const steps = { seed: measureSeed, relay: measureRelay, joins: measureJoins };
	for (const [name, step] of Object.entries(steps)) {
		if (!flags.only || flags.only.split(',').includes(name)) await step();
	}
} finally {
	for (const child of children) child.kill('SIGKILL');
	await server.close();
	rmSync(dir, { recursive: true, force: true });
}
console.log(table());
const ended = loadavg();
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
if (flags.json) {
	const told = { ...began, ended, machine, commit: commit.trim(), rows, figures };
	writeFileSync(flags.json, `${JSON.stringify(told, undefined, '\t')}\n`);
}
if (flags.markdown) writeFileSync(flags.markdown, page());
process.exit(0);

/** `shoal seed` of 10 Mbit/s, with a viewer that takes it. */
async function measureSeed(): Promise<void> {
	const { child, link, feed } = await seed('seed', 10_000_000);
	fork(join(import.meta.dirname, 'node-viewers.mjs'), [link, '1'], adopted());
	await pause(4000);
	const cost = await costOf(child.pid, seconds);
	figures.seed = cost;
	add(
		'CPU of `shoal seed`, 10 Mbit/s MPEG-TS',
		'≤ 25 % of a core',
		percent(cost.cpu),
		cost.cpu <= 0.25,
	);
	add(
		'its memory (most resident)',
		'≤ 150 MB',
		`${Math.round(cost.peakMb)} MB`,
		cost.peakMb <= 150,
	);
	feed.kill('SIGKILL');
	await gone(child);
}

/** A relay that alone feeds twenty viewers who pass nothing on. */
async function measureRelay(): Promise<void> {
	// The broadcaster gives each piece once where it can; who passes nothing on gets the rest from the relay.
	const { child, link, feed } = await seed('source', 2_500_000);
	const relay = shoal(['relay', link, '--json', '--app', server.url]);
	await said(relay, /"segments":[1-9]/);
	const viewers = fork(join(import.meta.dirname, 'node-viewers.mjs'), [link, '20'], adopted());
	let latest: { segments: number; bytesFromBroadcaster: number; bytesFromViewers: number }[] = [];
	viewers.on('message', (message) => (latest = message as typeof latest));
	await pause(flags.quick ? 8000 : 15_000);
	const before = latest;
	const cost = await costOf(relay.pid, seconds);
	const got = latest.map((now, i) => now.segments - (before[i]?.segments ?? 0));
	const sum = (of: (one: (typeof latest)[number]) => number) =>
		latest.reduce((all, one) => all + of(one), 0);
	const fromRelay =
		sum((one) => one.bytesFromViewers) /
		Math.max(
			1,
			sum((one) => one.bytesFromViewers + one.bytesFromBroadcaster),
		);
	// Segments of a second each.
	const worst = Math.min(...got) / seconds;
	figures.relay = { ...cost, got, fromRelay, latest };
	const median = percentile(got, 50) / seconds;
	add(
		'CPU of a relay that serves 20 viewers, 2.5 Mbit/s each',
		'≤ 100 % of a core',
		percent(cost.cpu),
		cost.cpu <= 1,
	);
	const share = `${percent(Math.min(1, median))} (${percent(Math.min(1, worst))})`;
	add('of the stream, the middle one of them gets (the worst)', 'all', share, worst > 0.93);
	add('of their bytes, from the relay', '–', percent(fromRelay), true);
	add('memory of the relay (most resident)', '–', `${Math.round(cost.peakMb)} MB`, true);
	viewers.kill('SIGKILL');
	relay.kill('SIGINT');
	feed.kill('SIGKILL');
	await gone(child);
}

/** From opening the page, or starting to watch, to the first whole segment. */
async function measureJoins(): Promise<void> {
	const { child, link, feed } = await seed('join', 2_500_000);
	const browser = await chromium.launch(launchOptions());
	const intoChromium: number[] = [];
	for (let i = 0; i < joins; i++) {
		const context = await browser.newContext();
		const page = await context.newPage();
		await page.goto(link);
		const look = () =>
			(window as unknown as { shoal?: { viewer: { stats: { joinMs?: number } } } }).shoal?.viewer
				.stats.joinMs;
		await page.waitForFunction(look);
		intoChromium.push((await page.evaluate(look)) ?? Infinity);
		await context.close();
	}
	feed.kill('SIGKILL');
	await gone(child);

	const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
	const page = await context.newPage();
	await page.goto(`${server.url}/seed/`);
	await page.getByRole('button', { name: 'Camera', exact: true }).click();
	await page.getByRole('button', { name: 'Go live' }).click();
	const field = page.getByRole('textbox', { name: 'Peer link' });
	await field.waitFor();
	await page.getByRole('status').filter({ hasText: 'You’re live' }).waitFor();
	const broadcast = await field.inputValue();
	await pause(3000);
	const intoNode: number[] = [];
	for (let i = 0; i < joins; i++) {
		const watch = shoal(['watch', broadcast, '-o', '/dev/null', '--json']);
		intoNode.push(Number((await said(watch, /"joinMs":([\d.]+)/))[1]));
		watch.kill('SIGINT');
		await gone(watch);
	}
	await browser.close();
	figures.joinMs = { intoChromium, intoNode };
	for (const [name, all] of [
		['Chromium joins `shoal seed`', intoChromium],
		['`shoal watch` joins Chromium', intoNode],
	] as const) {
		const p50 = percentile(all, 50);
		add(
			`${name}, p50 of ${all.length} (p95)`,
			'≤ 1 s',
			`${Math.round(p50)} ms (${Math.round(percentile(all, 95))} ms)`,
			p50 <= 1000,
		);
	}
}

/** A broadcast of a picture that is as hard to encode as its bit rate wants, a key frame each second. */
async function seed(name: string, bps: number, more: readonly string[] = []) {
	const file = join(dir, `${name}.ts`);
	const rate = String(bps - 150_000);
	const source = [
		'-f',
		'lavfi',
		'-i',
		'testsrc2=s=1280x720:r=30:d=20,noise=alls=40:allf=t',
		'-f',
		'lavfi',
		'-i',
		'sine=d=20',
	];
	const video = [
		'-c:v',
		'libx264',
		'-preset',
		'ultrafast',
		'-pix_fmt',
		'yuv420p',
		'-g',
		'30',
		'-bf',
		'0',
	];
	const pace = [
		'-b:v',
		rate,
		'-minrate',
		rate,
		'-maxrate',
		rate,
		'-bufsize',
		rate,
		'-x264-params',
		'nal-hrd=cbr',
	];
	execFileSync('ffmpeg', [
		'-v',
		'error',
		'-y',
		...source,
		...video,
		...pace,
		'-c:a',
		'aac',
		'-b:a',
		'128k',
		file,
	]);
	const child = shoal([
		'seed',
		'-',
		'--key',
		join(dir, `${name}.key`),
		'--app',
		server.url,
		...more,
	]);
	const feed = spawn(
		'ffmpeg',
		['-v', 'error', '-re', '-stream_loop', '-1', '-i', file, '-c', 'copy', '-f', 'mpegts', '-'],
		{
			stdio: ['ignore', 'pipe', 'inherit'],
		},
	);
	children.add(feed);
	feed.stdout.pipe(child.stdin!);
	child.stdin!.on('error', () => undefined);
	const [link] = await said(child, /http\S+#\S{43}/);
	return { child, link, feed };
}

function shoal(given: readonly string[]): ChildProcess {
	const child = spawn(process.execPath, [join(top, 'dist/node/cli.js'), ...given], {
		stdio: ['pipe', 'pipe', 'inherit'],
		env: { ...process.env, XDG_CONFIG_HOME: dir },
	});
	children.add(child);
	return child;
}

function adopted() {
	return { stdio: 'inherit' as const, serialization: 'json' as const, execArgv: [] };
}

function said(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
	let text = '';
	return new Promise((resolve, reject) => {
		child.stdout!.on('data', (bytes: Buffer) => {
			text = (text + bytes.toString()).slice(-100_000);
			const found = pattern.exec(text);
			if (found) resolve(found);
		});
		child.once('exit', (code) => reject(new Error(`a command ended (${code}):\n${text}`)));
	});
}

/** Processor share and memory of a process, from Linux's own accounts. */
async function costOf(
	pid: number | undefined,
	forS: number,
): Promise<{ cpu: number; peakMb: number }> {
	const ticks = () => {
		const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
		return Number(fields[11]) + Number(fields[12]);
	};
	const [before, at] = [ticks(), performance.now()];
	await pause(forS * 1000);
	const cpu = (ticks() - before) / 100 / ((performance.now() - at) / 1000);
	const peakKb = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
	return { cpu, peakMb: Number(peakKb) / 1024 };
}

async function gone(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	await new Promise((resolve) => child.once('exit', resolve));
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

function add(figure: string, target: string, value: string, met: boolean): void {
	rows.push({ figure, target, value, met });
	console.log(`${figure}: ${value} (${target})`);
}

function percent(share: number): string {
	return `${Math.round(share * 100)} %`;
}

function table(): string {
	const lines = rows.map(
		({ figure, target, value, met }) =>
			`| ${figure} | ${target} | ${value} | ${met ? '' : 'missed'} |`,
	);
	return ['| figure | to reach | measured | |', '|---|---|---|---|', ...lines].join('\n');
}

function page(): string {
	const load = (all: readonly number[]) => all.map((one) => one.toFixed(1)).join(' ');
	return `# Command line

\`npm run bench:node${flags.quick ? ' -- --quick' : ''}\` (\`--json FILE\`, \`--markdown FILE\`, \`--quick\`), ${began.date} UTC, commit ${commit.trim()}. ${machine}.
**Load average (1, 5, 15 min): ${load(began.load)} before, ${load(ended)} after**; a quiet machine of two processors, with this bench alone, would show less than 2. Everything runs on this one machine,
over loopback: seed, relay, viewers, tracker and browser share its processors. Windows of ${seconds} s; processor time is that of the process, from /proc.

${table()}
`;
}
