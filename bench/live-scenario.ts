// One broadcast with some viewers, each page a person of their own, and what it came to.
import type { Browser } from '@playwright/test';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import type { BroadcasterStats, Profile } from '../src/lib/index.ts';
import { profileScripts, visit, type ProbeWindow, type Visitor } from './live-browser.ts';
import type { ScriptCost } from './live-cost.ts';
import type { Joined, ViewerLook } from './live-probe.ts';
import { percentile } from './live-percentile.ts';
import type { SourceShape } from './live-source.ts';

/** What is broadcast, to how many and for how long. */
export interface ScenarioTask {
	readonly profile: Profile;
	readonly shape: SourceShape;
	readonly viewers: number;
	/** One way, on every peer link. */
	readonly delayMs: number;
	readonly warmMs: number;
	readonly windowMs: number;
	readonly profileMs: number;
}

/** Figures of a scenario, over its window. */
export interface ScenarioFigures {
	readonly frames: number;
	readonly unreadable: number;
	readonly shownPerSecond: number;
	readonly p50Ms: number;
	readonly p95Ms: number;
	/** The median of the viewer who is farthest behind. */
	readonly worstP50Ms: number;
	readonly joins: readonly Joined[];
	readonly freezes: number;
	readonly frozenMs: number;
	/** From the broadcaster's signature to the whole segment at a viewer. */
	readonly travelP50Ms: number;
	readonly travelP95Ms: number;
	/** What the players aim at behind the live edge, at the end. */
	readonly targetMs: number;
	/** As the player counts them. */
	readonly stalls: number;
	readonly stalledMs: number;
	/** Of what viewers took in, 0 to 1. */
	readonly fromViewers: number;
	readonly bytesFromBroadcaster: number;
	readonly bytesFromViewers: number;
	readonly copies: number;
	readonly duplicates: number;
	readonly lost: number;
	readonly streamBps: number;
	readonly sourceFramesDropped: number;
	readonly rate: string;
	readonly rttMs: number;
	readonly rttMaxMs: number;
	/** Of one viewer's page, for one segment. */
	readonly costPerSegment: ScriptCost | undefined;
	readonly load1: number;
}

/** Goes live, lets the viewers come one after the other, waits, and measures. */
export async function runScenario(
	browser: Browser,
	site: { url: string; dir: string },
	task: ScenarioTask,
): Promise<ScenarioFigures> {
	const come = { dir: site.dir, delayMs: task.delayMs };
	const visitors: Visitor[] = [];
	try {
		const seed = await visit(browser, `${site.url}/seed/`, { ...come, hasCamera: true });
		visitors.push(seed);
		await seed.page.waitForFunction(() => 'shoal' in window);
		await seed.page.mouse.click(2, 2); // sound needs a person's click
		const channel = await seed.page.evaluate(
			([profile, shape]) => (window as unknown as ProbeWindow).liveProbe.goLive(profile, shape),
			[task.profile, task.shape] as const,
		);
		const viewers: Visitor[] = [];
		const joins: Joined[] = [];
		for (let i = 0; i < task.viewers; i++) {
			const viewer = await visit(browser, `${site.url}/watch/#${channel}`, come);
			visitors.push(viewer);
			viewers.push(viewer);
			joins.push(await joined(viewer));
		}
		await seed.page.waitForTimeout(task.warmMs);
		for (const { page } of viewers) {
			await page.evaluate(() => (window as unknown as ProbeWindow).liveProbe.reset());
		}
		const before = { looks: await lookAll(viewers), broadcast: await broadcastOf(seed) };
		const startedMs = performance.now();
		await seed.page.waitForTimeout(task.windowMs);
		const windowMs = performance.now() - startedMs;
		const after = { looks: await lookAll(viewers), broadcast: await broadcastOf(seed) };
		const load1 = loadavg()[0] ?? 0;
		const costPerSegment = await scriptCost(viewers[0], site.dir, task);
		await seed.page.evaluate(() => (window as unknown as ProbeWindow).liveProbe.stop());
		return { ...sum(before, after, windowMs), joins, costPerSegment, load1 };
	} finally {
		for (const visitor of visitors) await visitor.close();
	}
}

interface Looks {
	readonly looks: readonly ViewerLook[];
	readonly broadcast: BroadcasterStats;
}

function sum(
	before: Looks,
	after: Looks,
	windowMs: number,
): Omit<ScenarioFigures, 'joins' | 'costPerSegment' | 'load1'> {
	const delaysMs = after.looks.flatMap(({ seen }) => seen.delaysMs);
	const travelsMs = after.looks.flatMap((look) => look.travelsMs);
	/** How much a figure grew, over all viewers. */
	const grown = (of: (look: ViewerLook) => number) =>
		after.looks.reduce((total, look, i) => total + of(look) - of(before.looks[i]!), 0);
	const total = (of: (look: ViewerLook) => number) =>
		after.looks.reduce((whole, look) => whole + of(look), 0);
	const bytesFromBroadcaster = grown(({ stats }) => stats.bytesFromBroadcaster);
	const bytesFromViewers = grown(({ stats }) => stats.bytesFromViewers);
	const taken = Math.max(1, bytesFromBroadcaster + bytesFromViewers);
	const publishedBytes = ({ sentBytes, copies }: BroadcasterStats) => sentBytes / (copies || 1);
	const published = publishedBytes(after.broadcast) - publishedBytes(before.broadcast);
	const rttsMs = after.looks.flatMap((look) => look.rttsMs);
	return {
		frames: delaysMs.length,
		unreadable: total(({ seen }) => seen.unreadable),
		shownPerSecond: (delaysMs.length * 1000) / windowMs / after.looks.length,
		p50Ms: percentile(delaysMs, 50),
		p95Ms: percentile(delaysMs, 95),
		worstP50Ms: Math.max(...after.looks.map(({ seen }) => percentile(seen.delaysMs, 50))),
		travelP50Ms: percentile(travelsMs, 50),
		travelP95Ms: percentile(travelsMs, 95),
		targetMs: total(({ player }) => player.targetMs ?? 0) / after.looks.length,
		freezes: total(({ seen }) => seen.freezes),
		frozenMs: total(({ seen }) => seen.frozenMs),
		stalls: grown(({ player }) => player.stalls),
		stalledMs: grown(({ player }) => player.stalledMs),
		fromViewers: bytesFromViewers / taken,
		bytesFromBroadcaster,
		bytesFromViewers,
		copies: (after.broadcast.sentBytes - before.broadcast.sentBytes) / Math.max(1, published),
		duplicates: grown(({ stats }) => stats.duplicateBytes) / taken,
		lost: grown(({ stats }) => stats.segmentsLost),
		streamBps: (published * 8000) / windowMs,
		sourceFramesDropped:
			(after.broadcast.encoder?.framesDropped ?? 0) -
			(before.broadcast.encoder?.framesDropped ?? 0),
		rate: `${(after.broadcast.rate.videoBps / 1e6).toFixed(1)} Mbit/s, ${after.broadcast.rate.reason}`,
		rttMs: percentile(rttsMs, 50),
		rttMaxMs: Math.max(0, ...rttsMs),
	};
}

/** Waits for a viewer's first frame. */
async function joined({ page }: Visitor): Promise<Joined> {
	const found = await page.waitForFunction(
		() => (window as unknown as ProbeWindow).liveProbe.joined(),
		undefined,
		{ timeout: 60_000, polling: 100 },
	);
	return (await found.jsonValue()) as Joined;
}

function lookAll(viewers: readonly Visitor[]): Promise<ViewerLook[]> {
	return Promise.all(
		viewers.map(({ page }) =>
			page.evaluate(() => (window as unknown as ProbeWindow).liveProbe.look()),
		),
	);
}

function broadcastOf({ page }: Visitor): Promise<BroadcasterStats> {
	return page.evaluate(() => (window as unknown as ProbeWindow).liveProbe.broadcast());
}

async function scriptCost(
	viewer: Visitor | undefined,
	dir: string,
	{ profileMs, profile }: ScenarioTask,
): Promise<ScriptCost | undefined> {
	if (!viewer || profileMs === 0) return undefined;
	const cost = await profileScripts(viewer, { windowMs: profileMs, pagesDir: join(dir, 'pages') });
	const segments = profileMs / profile.segmentMs;
	return {
		engineMs: cost.engineMs / segments,
		playerMs: cost.playerMs / segments,
		interfaceMs: cost.interfaceMs / segments,
		collectorMs: cost.collectorMs / segments,
	};
}
