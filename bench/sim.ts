// Whole swarms under a virtual clock: how late segments are at each size, under hardship, and by strategy.
// Swarms of up to 100 viewers run once for each seed, larger ones with the first alone; a row has the medians.
// Options: --quick (small swarms), --large (10,000 viewers too: minutes of CPU and gigabytes of memory), --viewers N (one size only),
// --hardships 1000 (the hardships in a swarm of another size), --seeds 1,2,3, --rows quiet,crowd (only rows that have one of these in
// their names), --uplink 7.5 (another mean uplink, Mbit/s), --json FILE, --markdown FILE.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { report, totals, type SimReport } from '../src/lib/testing/sim-report.ts';
import { Simulation, type SimOptions } from '../src/lib/testing/simulator.ts';

const { values } = parseArgs({
	options: {
		quick: { type: 'boolean', default: false },
		large: { type: 'boolean', default: false },
		viewers: { type: 'string' },
		hardships: { type: 'string' },
		seeds: { type: 'string', default: '1,2,3' },
		rows: { type: 'string', default: '' },
		uplink: { type: 'string', default: '5' },
		json: { type: 'string' },
		markdown: { type: 'string' },
	},
});

interface Case {
	readonly name: string;
	readonly options: Omit<SimOptions, 'seed'> & { readonly viewers: number };
	/** When the measured span begins; before it the swarm forms. */
	readonly fromS: number;
	readonly untilS: number;
	/** Done to the swarm at a time. */
	readonly at?: readonly [seconds: number, happens: (sim: Simulation) => void];
}

interface Run extends SimReport {
	readonly seed: number;
	readonly cpuS: number;
	readonly heapMb: number;
}

interface Row {
	readonly name: string;
	readonly runs: readonly Run[];
}

const seeds = values.seeds.split(',').map(Number);
const wanted = values.rows.split(',');
const meanUpBps = Number(values.uplink) * 1e6;
if (!(meanUpBps > 0)) throw new Error(`--uplink takes Mbit/s, not ${values.uplink}`);
const sizes = values.viewers
	? [Number(values.viewers)]
	: values.quick
		? [8, 30, 100]
		: [8, 30, 100, 1000, ...(values.large ? [10_000] : [])];
const hardN = Number(values.hardships ?? (values.quick ? 60 : 100));
if (!(hardN >= 10))
	throw new Error(`--hardships takes 10 viewers or more, not ${values.hardships}`);
const strategyN = values.quick ? 30 : 100;

/** Viewers come as fast as a busy evening brings them: some hundreds a second, a thousand at most. */
const joinMs = (viewers: number) => Math.max(3000, Math.min(viewers * 3, 10_000));

function quiet(viewers: number): Case {
	const fromS = joinMs(viewers) / 1000 + 12;
	return {
		name: `${viewers} viewers`,
		// What leaves the window is of no account here, and thousands of windows are gigabytes.
		options: { viewers, joinMs: joinMs(viewers), ...(viewers > 2000 ? { dvrMs: 6000 } : {}) },
		fromS,
		untilS: fromS + (viewers > 2000 ? 8 : 15),
	};
}

function hardship(name: string, options: Partial<SimOptions>, at?: Case['at']): Case {
	const base = quiet(hardN);
	return {
		...base,
		name,
		options: { ...base.options, ...options },
		untilS: base.fromS + 15,
		...(at ? { at } : {}),
	};
}

function row({ name, ...happens }: Case): Row {
	const { viewers } = happens.options;
	const runs = (viewers > 100 ? seeds.slice(0, 1) : seeds).map((seed) => run(happens, seed));
	console.log(line({ name, runs }));
	return { name, runs };
}

function run({ options, fromS, untilS, at }: Omit<Case, 'name'>, seed: number): Run {
	const started = process.cpuUsage();
	const sim = new Simulation({ seed, meanUpBps, ...options });
	const happensS = at ? Math.max(at[0], fromS) : fromS;
	sim.clock.run(fromS * 1000);
	const since = totals(sim);
	sim.clock.run(happensS * 1000);
	at?.[1](sim);
	sim.clock.run(untilS * 1000 + 2500);
	const summary = report(sim, fromS * 1000, untilS * 1000, 2000, since);
	const used = process.cpuUsage(started);
	return {
		seed,
		...summary,
		cpuS: (used.user + used.system) / 1e6,
		heapMb: process.memoryUsage().heapUsed / 2 ** 20,
	};
}

/** The value in the middle, and with `range` the least and greatest beside it. */
function median(values: readonly number[], show: (value: number) => string, range = false): string {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = show(sorted[sorted.length >> 1] ?? NaN);
	const ends = [sorted[0], sorted[sorted.length - 1]].map((value) => show(value ?? NaN));
	return range && sorted.length > 1 ? `${middle} (${ends.join('–')})` : middle;
}

const seconds = (ms: number) => (Number.isNaN(ms) ? '–' : (ms / 1000).toFixed(2));
const percent = (share: number, digits = 1) =>
	Number.isNaN(share) ? '–' : (share * 100).toFixed(digits);

const HEAD = [
	'',
	'p50 s',
	'p95 s',
	'p99 s',
	'within 2 s %',
	'source ×',
	'duplicates %',
	'from viewers %',
	'unverified',
	'CPU s',
];

function line({ name, runs }: Row): string {
	const of = (key: keyof SimReport | 'cpuS') => runs.map((one) => one[key]);
	const cells = [
		name,
		median(of('p50Ms'), seconds),
		median(of('p95Ms'), seconds, true),
		median(of('p99Ms'), seconds),
		median(of('inTime'), (share) => percent(share, 2), true),
		median(of('sourceCopies'), (copies) => copies.toFixed(2)),
		median(of('duplicates'), percent),
		median(of('fromViewers'), percent),
		String(of('unverified').reduce((sum, count) => sum + count, 0)),
		median(of('cpuS'), (cpuS) => cpuS.toFixed(0)),
	];
	return `| ${cells.join(' | ')} |`;
}

function table(title: string, all: readonly Case[]): { title: string; rows: Row[] } {
	const cases = all.filter(({ name }) => wanted.some((part) => name.includes(part)));
	if (cases.length === 0) return { title, rows: [] };
	console.log(`\n${title}\n`);
	console.log(`| ${HEAD.join(' | ')} |\n|${HEAD.map(() => '---').join('|')}|`);
	return { title, rows: cases.map(row) };
}

const tables = [table('Sizes', sizes.map(quiet))];
if (!values.viewers) {
	const short = (viewers: number): Case => ({
		...quiet(viewers),
		options: { ...quiet(viewers).options, segmentMs: 250, segmentsPerKeyFrame: 4 },
	});
	tables.push(table('Low-delay profile: segments of 250 ms', [short(8), short(hardN)]));
	const halfGoes = (politely: boolean, knownAfterMs?: number) => (sim: Simulation) => {
		const viewers = sim.alive.filter(({ role }) => role !== 'broadcaster');
		viewers.forEach((viewer, i) => i % 2 === 0 && sim.leave(viewer, politely, knownAfterMs));
	};
	const crowd = (sim: Simulation) => {
		for (let i = 0; i < hardN * 0.9; i++) {
			sim.clock.after((i * 10_000) / (hardN * 0.9), () => sim.join());
		}
	};
	const known = (afterMs: number) =>
		hardship(`mass exit, told by an oracle after ${afterMs} ms`, {}, [0, halfGoes(false, afterMs)]);
	const small = quiet(Math.round(hardN / 10));
	const cold: Case = { ...quiet(hardN), name: 'cold start: all come in 3 s', fromS: 0, untilS: 15 };
	tables.push(
		table(`Hardships, ${hardN} viewers`, [
			hardship('quiet', {}),
			hardship('churn of 10 % a minute', { churnPerMinute: 0.1 }),
			hardship('30 % free riders', { roles: { 'free-rider': 0.3 } }),
			hardship('20 % polluters', { roles: { polluter: 0.2 } }),
			hardship('10 % say that they are the broadcaster', { roles: { impostor: 0.1 } }),
			hardship('10 % take places and pass nothing on', { roles: { 'lying-rider': 0.1 } }),
			hardship('10 % announce what they have not', { roles: { 'lying-have': 0.1 } }),
			hardship('10 % silent', { roles: { silent: 0.1 } }),
			hardship('2 % loss', { loss: 0.02 }),
			hardship('half gone at once', {}, [0, halfGoes(false)]),
			hardship('half close the page at once', {}, [0, halfGoes(true)]),
			{
				...small,
				name: `flash crowd: ×10 in 10 s, from ${small.options.viewers}`,
				untilS: small.fromS + 15,
				at: [0, crowd],
			},
			{
				...small,
				name: 'the same crowd, half of it and the broadcaster returning',
				options: { ...small.options, returning: { viewers: 0.5, broadcaster: true } },
				untilS: small.fromS + 15,
				at: [0, crowd],
			},
			cold,
		]),
	);
	tables.push(table('What noticing the mass exit costs', [0, 250, 450].map(known)));
	const by = (name: string, push: boolean, standing: boolean): Case => ({
		...quiet(strategyN),
		name,
		options: { ...quiet(strategyN).options, strategy: { push, standing } },
	});
	tables.push(
		table(`Strategies, ${strategyN} viewers`, [
			by('plain pull', false, false),
			by('pull on manifest', false, true),
			by('push', true, false),
			by('mix (what is used)', true, true),
		]),
	);
}

const shown = tables.filter(({ rows }) => rows.length > 0);
if (shown.length === 0) throw new Error(`no row has a name with ${wanted.join(' or ')} in it`);

const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`;
const date = new Date().toISOString().slice(0, 10);
const command = `npm run bench:sim${process.argv.length > 2 ? ` -- ${process.argv.slice(2).join(' ')}` : ''}`;
if (values.json) {
	writeFileSync(
		values.json,
		JSON.stringify({ date, machine, command, seeds, tables: shown }, null, 2),
	);
}
if (values.markdown) {
	const parts = shown.map(
		({ title, rows }) =>
			`## ${title}\n\n| ${HEAD.join(' | ')} |\n|${HEAD.map(() => '---').join('|')}|\n${rows.map(line).join('\n')}\n`,
	);
	const text = `# The swarm, simulated\n\n${date} · ${machine} · \`${command}\` · seeds ${seeds.join(', ')}\n\n${parts.join('\n')}`;
	writeFileSync(values.markdown, text);
}
