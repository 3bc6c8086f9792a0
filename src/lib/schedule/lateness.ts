import { SUBSTREAMS } from '../model/message.ts';
import type { Neighbour } from './neighbour.ts';

/** How much one piece counts. */
const WEIGHT = 0.25;

/** Notes how long after its manifest a neighbour had a piece, by its announcement or delivery. */
export function noteLag(from: Neighbour, index: number, lagMs: number): void {
	const s = index % SUBSTREAMS;
	const before = from.lagMs[s] ?? NaN;
	from.lagMs[s] = Number.isNaN(before) ? lagMs : before + (lagMs - before) * WEIGHT;
	const spread = from.lagSpreadMs[s] ?? 0;
	const off = Number.isNaN(before) ? lagMs / 4 : Math.abs(lagMs - before);
	from.lagSpreadMs[s] = spread + (off - spread) * WEIGHT;
}

/** Notes how long a neighbour took to answer a request. */
export function noteService(from: Neighbour, serviceMs: number): void {
	if (serviceMs < 0) return;
	const before = from.serviceMs;
	from.serviceMs = Number.isNaN(before) ? serviceMs : before + (serviceMs - before) * WEIGHT;
}
