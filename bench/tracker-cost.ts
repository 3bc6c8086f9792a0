import { wireId } from '../tracker-server/testing/messages.ts';
import { Child, startHost, type Host, type Load } from './tracker-child.ts';
import type { Window } from './tracker-host.ts';
import type { Latencies } from './tracker-load.ts';

/** The torrent that all announce. */
export const infoHash = wireId('bench');

/** The load that an announce is measured under; rates a second, `churn` a minute. */
export interface CostOptions {
	/** Real sockets, and peers that share them on top. */
	readonly sockets: number;
	readonly filled: number;
	readonly rate: number;
	readonly answered: number;
	readonly churn: number;
	readonly shoal?: boolean;
}

/** What announces cost. */
export interface Cost {
	readonly perSecond: number;
	readonly cpuUsPerAnnounce: number;
	readonly perCore: number;
	/** Over the whole run, disturbed or not. */
	readonly meanUsPerAnnounce: number;
	readonly offersPerAnnounce: number;
	readonly cpuShare: number;
	readonly offerMs: { p50Ms: number; p99Ms: number };
	readonly answersPerAnnounce: number;
}

/**
 * Processor time of an announce: the quiet quarter of all half seconds with work in them. What else
 * runs on the machine slows both trackers in the others.
 */
function quietCostUs(windows: readonly Window[]): number {
	const most = Math.max(...windows.map(({ announces }) => announces));
	const costs = windows
		.filter(({ announces }) => announces >= most / 2)
		.map(({ cpuUs, announces }) => cpuUs / announces)
		.sort((a, b) => a - b);
	return costs[Math.floor(costs.length / 4)] ?? NaN;
}

/** One tracker and its load, ready to be measured. */
interface Subject {
	readonly host: Host;
	readonly load: Load;
	readonly options: CostOptions;
	readonly windows: Window[];
	readonly sums: {
		announces: number;
		offers: number;
		cpuUs: number;
		seconds: number;
		answers: number;
	};
	offerMs: Latencies;
}

/** Starts both, connects and fills the swarm, and lets two seconds pass under load. */
async function ready(kind: string, options: CostOptions): Promise<Subject> {
	const { host, port } = await startHost(kind);
	const load: Load = new Child('tracker-load');
	const { sockets: count, filled, shoal = false } = options;
	const rate = kind === 'library' ? Math.min(1_000, 4e6 / count) : 3_000;
	await load.ask({ type: 'open', ports: [port], count, infoHash, rate, shoal }, 'opened');
	if (filled > 0) await host.ask({ type: 'fill', infoHash, count: filled }, 'filled');
	const none = { count: 0, p50Ms: NaN, p99Ms: NaN };
	const sums = { announces: 0, offers: 0, cpuUs: 0, seconds: 0, answers: 0 };
	const subject: Subject = { host, load, options, windows: [], sums, offerMs: none };
	await load.ask({ ...announceOf(options), seconds: 2 }, 'announced');
	return subject;
}

function announceOf({ rate, answered, churn }: CostOptions) {
	return { type: 'announce', offers: 5, rate, answered, churn } as const;
}

async function measure(subject: Subject, forSeconds: number): Promise<void> {
	const { host, load, windows, sums } = subject;
	await host.ask({ type: 'windows' }, 'windows');
	const before = await host.ask({ type: 'usage' }, 'usage');
	const countBefore = await host.ask({ type: 'stats' }, 'stats');
	const done = await load.ask({ ...announceOf(subject.options), seconds: forSeconds }, 'announced');
	windows.push(...(await host.ask({ type: 'windows' }, 'windows')).windows);
	const countAfter = await host.ask({ type: 'stats' }, 'stats');
	const after = await host.ask({ type: 'usage' }, 'usage');
	sums.announces += countAfter.announces - countBefore.announces;
	sums.offers += countAfter.offers - countBefore.offers || done.offers;
	sums.cpuUs += after.cpuUs - before.cpuUs;
	sums.seconds += done.seconds;
	sums.answers += done.answers;
	subject.offerMs = done.offerMs;
}

function costOf({ windows, sums, offerMs }: Subject): Cost {
	const { announces, cpuUs } = sums;
	return {
		perSecond: announces / sums.seconds,
		cpuUsPerAnnounce: quietCostUs(windows),
		perCore: 1e6 / quietCostUs(windows),
		meanUsPerAnnounce: cpuUs / announces,
		offersPerAnnounce: sums.offers / announces,
		cpuShare: cpuUs / 1e6 / sums.seconds,
		offerMs,
		answersPerAnnounce: sums.answers / announces,
	};
}

/** Measures several trackers in turns, so that what else runs on the machine meets them alike. */
export async function costs(
	kinds: readonly [string, CostOptions][],
	seconds: number,
	turns = 4,
): Promise<Cost[]> {
	const subjects: Subject[] = [];
	try {
		for (const [kind, options] of kinds) subjects.push(await ready(kind, options));
		for (let turn = 0; turn < turns; turn++) {
			for (const subject of subjects) await measure(subject, seconds / turns);
		}
		return subjects.map(costOf);
	} finally {
		for (const { load, host } of subjects) {
			await load.end();
			await host.end();
		}
	}
}

/** Runs one load against one tracker. */
export async function cost(kind: string, options: CostOptions, seconds: number): Promise<Cost> {
	const [measured] = await costs([[kind, options]], seconds, 1);
	return measured as Cost;
}
