// Which part of the site's scripts a page's processor time goes to, by a profile and the source maps of the pages.
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';

/** Where a function begins; lines and columns from 0. */
interface Place {
	readonly url: string;
	readonly functionName: string;
	readonly lineNumber: number;
	readonly columnNumber: number;
}

/** A profile as Chromium gives it (DevTools protocol, `Profiler.Profile`). */
export interface Profile {
	readonly nodes: readonly {
		readonly id: number;
		readonly callFrame: Place;
		readonly children?: readonly number[];
	}[];
	readonly samples?: readonly number[];
	/** Microseconds between samples. */
	readonly timeDeltas?: readonly number[];
}

/** Milliseconds of processor time on a page's main thread. */
export interface ScriptCost {
	/** Links, messages, signatures, pieces, trees: all that moves a segment from neighbour to neighbour. */
	readonly engineMs: number;
	/** From whole segments to the video element. */
	readonly playerMs: number;
	/** Pages and their framework. */
	readonly interfaceMs: number;
	/** Collecting garbage, whosever it was. */
	readonly collectorMs: number;
}

type Part = 'engine' | 'player' | 'interface';

const PLAYER = /src\/lib\/(play\/|player\.ts)/;
const ENGINE = /src\/lib\//;

/**
 * Sorts the samples of a profile; what the browser does for a script counts with the script that asked for it. Samples are of time on
 * the clock, in which a thread may wait for a processor: the `cpuMs` that it had are shared out by them.
 */
export function costOf(
	profile: Profile,
	{ cpuMs, origin, dir }: { readonly cpuMs: number; readonly origin: string; readonly dir: string },
): ScriptCost {
	const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
	const parents = new Map<number, number>();
	for (const node of profile.nodes)
		for (const child of node.children ?? []) parents.set(child, node.id);
	const places = new Places(origin, dir);
	const parts = new Map<number, Part | undefined>();
	const partOf = (id: number): Part | undefined => {
		if (parts.has(id)) return parts.get(id);
		const node = nodes.get(id);
		const parent = parents.get(id);
		let part: Part | undefined;
		if (node?.callFrame.url) part = places.partOf(node.callFrame);
		else if (parent !== undefined) part = partOf(parent);
		parts.set(id, part);
		return part;
	};
	const spentUs = { engine: 0, player: 0, interface: 0, collector: 0 };
	let busyUs = 0;
	for (const [i, id] of (profile.samples ?? []).entries()) {
		const deltaUs = profile.timeDeltas?.[i + 1] ?? 0;
		const name = nodes.get(id)?.callFrame.functionName;
		if (name === '(idle)') continue;
		busyUs += deltaUs;
		if (name === '(garbage collector)') {
			spentUs.collector += deltaUs;
			continue;
		}
		const part = partOf(id);
		if (part) spentUs[part] += deltaUs;
	}
	const cpuMsOf = (us: number) => (us / Math.max(1, busyUs)) * cpuMs;
	return {
		engineMs: cpuMsOf(spentUs.engine),
		playerMs: cpuMsOf(spentUs.player),
		interfaceMs: cpuMsOf(spentUs.interface),
		collectorMs: cpuMsOf(spentUs.collector),
	};
}

/** The source files that functions of the built pages come from. */
class Places {
	readonly #origin: string;
	readonly #dir: string;
	readonly #maps = new Map<string, SourceMap | undefined>();

	constructor(origin: string, dir: string) {
		this.#origin = origin;
		this.#dir = dir;
	}

	/** `undefined` for what is not the site's: the bench's own reader of frames. */
	partOf({ url, lineNumber, columnNumber }: Place): Part | undefined {
		if (!url.startsWith(this.#origin)) return undefined;
		const entry = this.#mapOf(url)?.findEntry(lineNumber, columnNumber);
		const source = entry && 'originalSource' in entry ? (entry.originalSource ?? '') : '';
		if (PLAYER.test(source)) return 'player';
		return ENGINE.test(source) ? 'engine' : 'interface';
	}

	#mapOf(url: string): SourceMap | undefined {
		if (this.#maps.has(url)) return this.#maps.get(url);
		const file = join(this.#dir, `${new URL(url).pathname}.map`);
		const map = existsSync(file)
			? new SourceMap(
					JSON.parse(readFileSync(file, 'utf8')) as ConstructorParameters<typeof SourceMap>[0],
				)
			: undefined;
		this.#maps.set(url, map);
		return map;
	}
}
