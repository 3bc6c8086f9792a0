import type { PeerRole } from '../model/message.ts';
import { MAX_LINKS } from './bounds.ts';
import { strength } from './children.ts';
import { isQuiet, SLOTS, type Neighbour } from './neighbour.ts';

/** Links that a viewer or relay seeks; up to `MAX_LINKS` are taken when others ask. */
const SOUGHT_LINKS = { viewer: 8, relay: 16, broadcaster: MAX_LINKS.broadcaster } as const;
/** A neighbour is not judged before it was here this long. */
const JUDGED_AFTER_MS = 12_000;
/** Least time between two neighbours dropped for better ones. */
const DROP_MS = { viewer: 20_000, relay: 20_000, broadcaster: 6000 } as const;
/** Least time before one of no use is let go of, when there is no room to seek others. */
const USELESS_MS = 3000;
/** Slots of which the neighbours are kept whatever they are worth, so that the mesh stays random enough to hang together. */
const RANDOM_SLOTS = 3;
/** The broadcaster lets go of a neighbour only when it has this part of the usual uplink or less. */
const WEAK = 0.75;

/** A neighbour of the broadcaster that passes on no more than this part of what it is given takes a better one's place. */
const SINK = 0.2;
const CALM = 0.8;

/**
 * How many more links this peer would like: the swarm seeks as many. Neighbours that share nothing, or that nothing is heard
 * of, are no use to a viewer, who seeks others beside them.
 */
export function wantedLinks(
	role: PeerRole,
	neighbours: readonly Neighbour[],
	nowMs: number,
): number {
	let useful = 0;
	for (const neighbour of neighbours) {
		if (role === 'broadcaster' ? !isQuiet(neighbour, nowMs) : isUseful(neighbour, nowMs)) useful++;
	}
	return Math.max(0, Math.min(freeLinks(role, neighbours, nowMs), SOUGHT_LINKS[role] - useful));
}

/**
 * How many more links there is room for. Who fell silent takes no room from the living, and has a slot until it comes back
 * or is left: a swarm that lost half of its peers at once needs others now.
 */
export function freeLinks(role: PeerRole, neighbours: readonly Neighbour[], nowMs: number): number {
	let quiet = 0;
	for (const neighbour of neighbours) if (isQuiet(neighbour, nowMs)) quiet++;
	const room = MAX_LINKS[role] - (neighbours.length - quiet);
	return Math.max(0, Math.min(room, SLOTS - neighbours.length));
}

function isUseful(neighbour: Neighbour, nowMs: number): boolean {
	if (neighbour.role === undefined) return true;
	return neighbour.uplinkKbps > 0 && neighbour.failures === 0 && !isQuiet(neighbour, nowMs);
}

/**
 * The neighbour to let go of for a better one, if there is one. A broadcaster lets go of weak uplinks that hold no place
 * of a tree, so that strong ones come to stand next to it; others let go of whoever gives them nothing and gets nothing.
 */
export function neighbourToDrop(
	role: PeerRole,
	neighbours: readonly Neighbour[],
	nowMs: number,
	droppedAtMs: number,
): Neighbour | undefined {
	if (role !== 'broadcaster' && neighbours.length >= MAX_LINKS[role]) {
		const useless = uselessNeighbour(role, neighbours, nowMs);
		if (useless && nowMs - droppedAtMs >= USELESS_MS) return useless;
	}
	if (nowMs - droppedAtMs < DROP_MS[role] || neighbours.length < SOUGHT_LINKS[role])
		return undefined;
	const idle = neighbours.filter(
		(neighbour) =>
			neighbour.role !== undefined &&
			neighbour.role !== 'broadcaster' &&
			neighbour.given === 0 &&
			(neighbour.granted & neighbour.asked) === 0 &&
			nowMs - neighbour.sinceMs > JUDGED_AFTER_MS,
	);
	if (role === 'broadcaster') {
		// Where most spread well, one that doesn't keeps it to itself; in a storm it is nobody's fault.
		const calm = median(neighbours.map(({ spread }) => spread)) > CALM;
		const sink = calm ? neighbours.find(({ spread }) => spread < SINK) : undefined;
		if (sink) return sink;
		const usual = median(neighbours.map(strength));
		const weakest = least(idle, strength);
		return weakest && strength(weakest) <= WEAK * usual ? weakest : undefined;
	}
	// Few idle neighbours are a reserve; only beyond it is one let go.
	const spare = idle.filter(({ slot }) => slot >= RANDOM_SLOTS);
	return spare.length > RANDOM_SLOTS ? least(spare, ({ bytesIn }) => bytesIn.total) : undefined;
}

/** With every link taken and too few of them of use, one goes that gives nothing and gets nothing: or we seek no others. */
function uselessNeighbour(
	role: PeerRole,
	neighbours: readonly Neighbour[],
	nowMs: number,
): Neighbour | undefined {
	const useless = neighbours.filter((neighbour) => !isUseful(neighbour, nowMs));
	if (neighbours.length - useless.length >= SOUGHT_LINKS[role]) return undefined;
	return useless.find(
		({ role: theirs, given, sinceMs }) =>
			theirs !== 'broadcaster' && given === 0 && nowMs - sinceMs >= USELESS_MS,
	);
}

function least(
	neighbours: readonly Neighbour[],
	worth: (neighbour: Neighbour) => number,
): Neighbour | undefined {
	let worst: Neighbour | undefined;
	for (const neighbour of neighbours) {
		if (!worst || worth(neighbour) < worth(worst)) worst = neighbour;
	}
	return worst;
}

function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
