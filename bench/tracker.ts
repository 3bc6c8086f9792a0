// Measures the tracker against the figures it is to reach, and the library's server beside it.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

import { FakeTracker } from '../tracker-server/testing/fake-tracker.ts';
import { sampleOffers, wireId } from '../tracker-server/testing/messages.ts';
import { findRedis, startRedis } from '../tracker-server/testing/redis.ts';
import { Child, startHost, type Load } from './tracker-child.ts';
import { cost, costs, infoHash, type Cost, type CostOptions } from './tracker-cost.ts';

const { values: flags } = parseArgs({
	options: { json: { type: 'string' }, quick: { type: 'boolean' }, only: { type: 'string' } },
});
const seconds = flags.quick ? 4 : 12;

interface Row {
	readonly figure: string;
	readonly target: string;
	readonly value: string;
	readonly met: boolean | undefined;
}
const rows: Row[] = [];
const figures: Record<string, unknown> = {};

async function announceCost(): Promise<void> {
	const plain = { answered: 0, churn: 0 };
	const runs: [string, CostOptions, CostOptions][] = [
		[
			'100',
			{ sockets: 100, filled: 0, rate: 1_500, ...plain },
			{ sockets: 100, filled: 0, rate: 1_500, ...plain },
		],
		[
			'1,000',
			{ sockets: 1_000, filled: 0, rate: 1_500, ...plain },
			{ sockets: 1_000, filled: 0, rate: 1_500, ...plain },
		],
		[
			'10,000',
			{ sockets: 9_000, filled: 1_000, rate: 1_500, ...plain },
			{ sockets: 1_000, filled: 9_000, rate: 150, ...plain },
		],
		[
			'100,000',
			{ sockets: 9_000, filled: 91_000, rate: 1_500, ...plain },
			{ sockets: 1_000, filled: 99_000, rate: 15, ...plain },
		],
	];
	const table: Record<string, { ours: Cost; library: Cost }> = {};
	for (const [name, oursOptions, libraryOptions] of runs) {
		const kinds: [string, CostOptions][] = [
			['ours', oursOptions],
			['library', libraryOptions],
		];
		const [ours, library] = (await costs(kinds, seconds)) as [Cost, Cost];
		table[name] = { ours, library };
		const { ours: o, library: l } = table[name];
		console.log(
			`swarm ${name}: ours ${o.cpuUsPerAnnounce.toFixed(0)} µs, mean ${o.meanUsPerAnnounce.toFixed(0)} (${o.perCore.toFixed(0)}/s a core, ${o.offersPerAnnounce.toFixed(2)} offers each), library ${l.cpuUsPerAnnounce.toFixed(0)} µs, mean ${l.meanUsPerAnnounce.toFixed(0)} (${l.perCore.toFixed(0)}/s a core, ${l.offersPerAnnounce.toFixed(2)})`,
		);
	}
	figures.announceCost = table;
	const big = table['100,000'];
	const thousand = table['1,000'];
	const bySize = runs.map(([name]) => table[name]?.ours.cpuUsPerAnnounce ?? NaN);
	const mean = bySize.reduce((sum, us) => sum + us, 0) / bySize.length;
	const spread = Math.max(...bySize.map((us) => Math.abs(us / mean - 1)));
	row(
		'announces/s a core, 5 offers, swarm 100k',
		'≥ 5,000',
		`${big?.ours.perCore.toFixed(0)} (library ${big?.library.perCore.toFixed(0)})`,
		(big?.ours.perCore ?? 0) >= 5_000,
	);
	row(
		'CPU per announce, 100 → 100k peers',
		'flat ±20 %',
		`${bySize.map((us) => us.toFixed(0)).join(' / ')} µs: ±${(spread * 100).toFixed(0)} %`,
		spread <= 0.2,
	);
	const ratio = (thousand?.ours.perCore ?? 0) / (thousand?.library.perCore ?? 1);
	row(
		'announces/s a core against the library, swarm 1k',
		'≥ 2 ×',
		`${ratio.toFixed(1)} × (${thousand?.ours.perCore.toFixed(0)} against ${thousand?.library.perCore.toFixed(0)})`,
		ratio >= 2,
	);
}

async function fullLoad(): Promise<void> {
	const lively = { filled: 0, rate: 500, answered: 0.7, churn: 0.05 };
	const kinds: [string, CostOptions][] = [
		['ours', { sockets: 1_000, ...lively }],
		['library', { sockets: 1_000, ...lively }],
	];
	const [ours, library] = (await costs(kinds, seconds)) as [Cost, Cost];
	const large = await cost('ours', { sockets: 10_000, ...lively }, seconds);
	const steered = await cost('ours', { sockets: 10_000, shoal: true, ...lively }, seconds);
	figures.fullLoad = { ours, library, large, steered };
	row(
		'announces/s a core with 70 % answered and churn 5 %/min',
		'–',
		`swarm 1k: ${ours.perCore.toFixed(0)} (${ours.answersPerAnnounce.toFixed(1)} answers each; library ${library.perCore.toFixed(0)}, ${library.answersPerAnnounce.toFixed(1)}); swarm 10k: ${large.perCore.toFixed(0)}, to clients that report hops ${steered.perCore.toFixed(0)}`,
		undefined,
	);
}

async function sustained(): Promise<void> {
	const load = { sockets: 10_000, filled: 90_000, rate: 5_000, answered: 0, churn: 0 };
	const run = await cost('ours', load, seconds);
	figures.sustained = run;
	row(
		'sustained open loop at 5,000 announces/s, swarm 100k',
		'–',
		`${run.perSecond.toFixed(0)}/s handled with ${(run.cpuShare * 100).toFixed(0)} % of a core`,
		undefined,
	);
}

async function memory(): Promise<void> {
	const count = 19_500;
	const { host, port } = await startHost('ours');
	const load: Load = new Child('tracker-load');
	try {
		const before = await host.ask({ type: 'usage' }, 'usage');
		const open = {
			type: 'open',
			ports: [port],
			count,
			infoHash,
			rate: 3_000,
			shoal: false,
		} as const;
		const opened = await load.ask(open, 'opened');
		await pause(1_000);
		const full = await host.ask({ type: 'usage' }, 'usage');
		const perConnection = (full.rssBytes - before.rssBytes) / opened.joined / 1024;
		row(
			`resident memory per joined connection, ${opened.joined} of them`,
			'≤ 10 KiB',
			`${perConnection.toFixed(1)} KiB`,
			perConnection <= 10,
		);
		// Twice more: what the first round left is code and pools, what the second adds would be a leak.
		const heaps: number[] = [];
		for (let round = 0; round < 2; round++) {
			await load.ask({ type: 'close' }, 'closed');
			await pause(6_000);
			heaps.push((await host.ask({ type: 'usage' }, 'usage')).heapBytes);
			if (round === 0) await load.ask(open, 'opened');
		}
		const [first = NaN, second = NaN] = heaps;
		figures.memory = { before, full, heaps, joined: opened.joined };
		row(
			`heap after ${opened.joined} real connections came and went, and again`,
			'no growth',
			`${(first / 2 ** 20).toFixed(1)} MiB, then ${(second / 2 ** 20).toFixed(1)} MiB`,
			second / first <= 1.05,
		);
	} finally {
		await load.end();
		await host.end();
	}
}

/** A million joins and leaves through the core, a thousand peers at a time, with offers relayed. */
function joinsAndLeaves(): void {
	const total = flags.quick ? 200_000 : 1_000_000;
	const world = new FakeTracker({ limits: { peersPerAddress: 1e9 } });
	const offers = sampleOffers('o', 1);
	const round = (from: number) => {
		const clients = Array.from({ length: 1_000 }, (_, i) => {
			const client = world.connect();
			client.announce(wireId(`s${i % 50}-`), wireId(`p${from + i}-`), {
				offers: i % 20 === 0 ? offers : [],
			});
			return client;
		});
		for (const client of clients) client.leave();
		world.wait(100);
	};
	for (let i = 0; i < 20_000; i += 1_000) round(i);
	const before = heap();
	for (let i = 0; i < total; i += 1_000) round(i);
	const growth = (heap() / before - 1) * 100;
	figures.joinsAndLeaves = { total, before, growthPercent: growth };
	row(
		`heap after ${total.toLocaleString('en-US')} joins and leaves`,
		'its start ±5 %',
		`${growth >= 0 ? '+' : ''}${growth.toFixed(1)} %`,
		Math.abs(growth) <= 5,
	);
}

function heap(): number {
	for (let i = 0; i < 4; i++) globalThis.gc?.();
	return process.memoryUsage().heapUsed;
}

async function latency(): Promise<void> {
	const options = { sockets: 5_000, filled: 0, rate: 500, answered: 0.7, churn: 0.05 };
	const ours = await cost('ours', options, seconds);
	const library = await cost('library', { ...options, rate: 200 }, seconds);
	figures.latency = { ours, library };
	row(
		'announce → offer, 5,000 sockets, 500 announces/s, p99',
		'≤ 100 ms',
		`p50 ${ours.offerMs.p50Ms.toFixed(1)}, p99 ${ours.offerMs.p99Ms.toFixed(1)} ms (library at 200/s: p50 ${library.offerMs.p50Ms.toFixed(1)}, p99 ${library.offerMs.p99Ms.toFixed(1)} ms)`,
		ours.offerMs.p99Ms <= 100,
	);
}

async function slowReader(): Promise<void> {
	const { host, port } = await startHost('ours');
	const load: Load = new Child('tracker-load');
	try {
		await load.ask(
			{ type: 'open', ports: [port], count: 6, infoHash, rate: 100, shoal: false },
			'opened',
		);
		const announce = { type: 'announce', offers: 5, answered: 0, churn: 0 } as const;
		await load.ask({ ...announce, rate: 1_000, seconds: 1 }, 'announced');
		const before = await host.ask({ type: 'usage' }, 'usage');
		await load.ask({ type: 'stop-reading' }, 'stopped-reading');
		await load.ask({ ...announce, rate: 2_000, seconds: 12 }, 'announced');
		const stats = await host.ask({ type: 'stats' }, 'stats');
		const after = await host.ask({ type: 'usage' }, 'usage');
		figures.slowReader = { before, after, stats };
		const queue = stats.longestQueueBytes / 1024;
		row(
			'queue of a reader that stopped, under 2,000 offers/s',
			'≤ 256 KiB',
			`${queue.toFixed(0)} KiB at most, ${stats.slowEnded === 1 ? 'then cut off' : 'not yet cut off'}`,
			queue <= 256,
		);
	} finally {
		await load.end();
		await host.end();
	}
}

async function twoNodes(): Promise<void> {
	const program = findRedis();
	if (!program) return;
	const redis = await startRedis(program);
	const nodes = [await startHost('node', redis.url), await startHost('node', redis.url)] as const;
	const load: Load = new Child('tracker-load');
	try {
		const ports = nodes.map(({ port }) => port);
		await load.ask(
			{ type: 'open', ports, count: 2_000, infoHash, rate: 1_000, shoal: false },
			'opened',
		);
		await pause(4_500);
		const announce = { type: 'announce', offers: 5, answered: 0.7, churn: 0 } as const;
		const done = await load.ask(
			{ ...announce, rate: 300, seconds: Math.max(seconds, 8) },
			'announced',
		);
		const extra = done.answerAcrossMs.p99Ms - done.answerMs.p99Ms;
		figures.twoNodes = done;
		row(
			'answer across two nodes over Redis, p99',
			'within +10 ms',
			`${done.answerAcrossMs.p99Ms.toFixed(1)} ms against ${done.answerMs.p99Ms.toFixed(1)} on one node: ${extra >= 0 ? '+' : ''}${extra.toFixed(1)} ms (${done.answerAcrossMs.count} and ${done.answerMs.count} answers)`,
			extra <= 10,
		);

		const [first] = nodes;
		await redis.kill();
		await pause(8_000);
		const alone = await first.host.ask({ type: 'stats' }, 'stats');
		await redis.restart();
		const beganMs = performance.now();
		let merged = alone;
		while (merged.nodes < 2 && performance.now() - beganMs < 30_000) {
			await pause(100);
			merged = await first.host.ask({ type: 'stats' }, 'stats');
		}
		const mergedS = (performance.now() - beganMs) / 1000;
		figures.merge = { alone, mergedS };
		row(
			'Redis killed and back: islands merged after',
			'≤ 10 s',
			`${mergedS.toFixed(1)} s, no process died`,
			mergedS <= 10 && alone.nodes === 1,
		);
	} finally {
		await load.end();
		for (const { host } of nodes) await host.end();
		await redis.close();
	}
}

function row(figure: string, target: string, value: string, met: boolean | undefined): void {
	rows.push({ figure, target, value, met });
	console.log(`${met === undefined ? '·' : met ? '✓' : '✗'} ${figure}: ${value} (${target})`);
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => {
		setTimeout(resolve, ms);
	});
}

const parts = {
	announceCost,
	fullLoad,
	sustained,
	memory,
	joinsAndLeaves,
	latency,
	slowReader,
	twoNodes,
};
const wanted = flags.only?.split(',') ?? Object.keys(parts);
console.log(
	`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}; the load shares the processors`,
);
for (const [name, part] of Object.entries(parts)) if (wanted.includes(name)) await part();

console.log(`\n| figure | to reach | measured | |\n|---|---|---|---|`);
for (const { figure, target, value, met } of rows) {
	console.log(
		`| ${figure} | ${target} | ${value} | ${met === undefined ? '' : met ? 'met' : 'missed'} |`,
	);
}
if (flags.json) {
	const machine = { node: process.version, processors: cpus().length, model: cpus()[0]?.model };
	writeFileSync(flags.json, `${JSON.stringify({ machine, rows, figures }, undefined, '\t')}\n`);
}
process.exit(0);
