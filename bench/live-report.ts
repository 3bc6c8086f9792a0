import type { ScriptCost } from './live-cost.ts';
import type { FloorLook } from './live-floor-page.ts';
import type { HlsFigures } from './live-hls.ts';
import { percentile } from './live-percentile.ts';
import type { Joined } from './live-probe.ts';
import type { ScenarioFigures } from './live-scenario.ts';

/** A floor, and the scenarios that it is the floor of. */
export interface Group {
	readonly profile: string;
	readonly floor: FloorLook;
	readonly scenarios: readonly { readonly viewers: number; readonly figures: ScenarioFigures }[];
}

/** The figures as tables in Markdown. */
export function tables(groups: readonly Group[]): string {
	const heads: string[] = [''];
	const rows = new Map<string, string[]>();
	const put = (name: string, value: string) => rows.set(name, [...(rows.get(name) ?? []), value]);
	for (const { profile, floor, scenarios } of groups) {
		for (const { viewers, figures: f } of scenarios) {
			const { p50: floorP50, p95: floorP95 } = lowerFloor(floor);
			heads.push(`${profile}, ${viewers} viewers`);
			put('**glass to glass p50**', `**${ms(f.p50Ms)}** (${times(f.p50Ms / floorP50)} floor)`);
			put('**glass to glass p95**', `**${ms(f.p95Ms)}** (${times(f.p95Ms / floorP95)} floor)`);
			put('worst viewer’s p50', ms(f.worstP50Ms));
			put('no network, plain MSE: p50 / p95', p50AndP95(floor.plain.delaysMs));
			put('no network, Shoal’s player: p50 / p95', p50AndP95(floor.player.delaysMs));
			put('signed → whole at a viewer, p50 / p95', `${ms(f.travelP50Ms)} / ${ms(f.travelP95Ms)}`);
			put('player’s target behind the live edge', ms(f.targetMs));
			const joins = (of: (joined: Joined) => number) => p50AndAll(f.joins.map(of));
			put(
				'**join to first frame since the page’s script, p50** (all)',
				joins(({ sinceScriptMs }) => sinceScriptMs),
			);
			put(
				'… since the page’s beginning',
				joins(({ sincePageMs }) => sincePageMs),
			);
			put('stalls (player)', `${f.stalls}, ${ms(f.stalledMs)}`);
			put('pictures frozen ≥ 170 ms', `${f.freezes}, ${ms(f.frozenMs)}`);
			put('viewers’ bytes from viewers', `${(f.fromViewers * 100).toFixed(1)} %`);
			put('viewers’ bytes, from broadcaster + from viewers', bytes(f));
			put('broadcaster’s copies', `${f.copies.toFixed(2)} ×`);
			put('duplicates', `${(f.duplicates * 100).toFixed(2)} %`);
			put('segments lost', String(f.lost));
			put('stream', `${(f.streamBps / 1e6).toFixed(2)} Mbit/s (video: ${f.rate})`);
			put('frames: shown/s, read, unreadable', frames(f));
			put('frames the encoder dropped', String(f.sourceFramesDropped));
			put('link round trip seen, p50 / max', `${ms(f.rttMs)} / ${ms(f.rttMaxMs)}`);
			put(
				'a viewer’s scripts per segment, processor time: **engine**',
				cost(f, ({ engineMs }) => engineMs),
			);
			put(
				'… player',
				cost(f, ({ playerMs }) => playerMs),
			);
			put(
				'… pages',
				cost(f, ({ interfaceMs }) => interfaceMs),
			);
			put(
				'… garbage collector',
				cost(f, ({ collectorMs }) => collectorMs),
			);
			put('load average (1 min)', f.load1.toFixed(1));
		}
	}
	const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
	const body = [...rows].map(([name, values]) => line([name, ...values]));
	return [line(heads), line(heads.map(() => '---')), ...body].join('\n');
}

/** What is used today, as a table in Markdown. */
export function hlsTable(all: readonly HlsFigures[]): string {
	const rows = all.map(({ setting, viewers, p50Ms, p95Ms, fromViewers, freezes, frozenMs }) =>
		[
			`| ${viewers} viewers, ${setting.liveSyncS} s behind, server asked at once below ${setting.highDemandS} s`,
			ms(p50Ms),
			ms(p95Ms),
			`${(fromViewers * 100).toFixed(1)} %`,
			`${freezes}, ${ms(frozenMs)} |`,
		].join(' | '),
	);
	const head =
		'| ffmpeg HLS (1 s) + hls.js + P2P Media Loader | p50 | p95 | from viewers | frozen |';
	return [head, '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

/** The floor that scenarios are held against: whichever way without a network was faster. */
function lowerFloor({ plain, player }: FloorLook): { p50: number; p95: number } {
	const [first, second] = [plain, player].map(({ delaysMs }) => ({
		p50: percentile(delaysMs, 50),
		p95: percentile(delaysMs, 95),
	}));
	return second!.p50 < first!.p50 ? second! : first!;
}

function p50AndP95(valuesMs: readonly number[]): string {
	return `${ms(percentile(valuesMs, 50))} / ${ms(percentile(valuesMs, 95))}`;
}

function ms(value: number): string {
	return `${Math.round(value)} ms`;
}

function times(value: number): string {
	return `${value.toFixed(2)} ×`;
}

function p50AndAll(valuesMs: readonly number[]): string {
	const all = valuesMs.map((value) => Math.round(value)).join(', ');
	return `${ms(percentile(valuesMs, 50))} (${all})`;
}

function cost({ costPerSegment }: ScenarioFigures, of: (cost: ScriptCost) => number): string {
	return costPerSegment ? `${of(costPerSegment).toFixed(1)} ms` : '–';
}

function bytes({ bytesFromBroadcaster, bytesFromViewers }: ScenarioFigures): string {
	return `${(bytesFromBroadcaster / 1e6).toFixed(1)} + ${(bytesFromViewers / 1e6).toFixed(1)} MB`;
}

function frames({ shownPerSecond, frames: read, unreadable }: ScenarioFigures): string {
	return `${shownPerSecond.toFixed(1)}, ${read}, ${unreadable}`;
}
