import { SUBSTREAMS } from '../model/message.ts';
import { strength } from './children.ts';
import { isHeard, type Neighbour } from './neighbour.ts';

/** A neighbour that spreads less than this share of what it gets first loses its place to another. */
const POOR_SPREAD = 0.5;
/** Least time between two places taken from neighbours that fill them badly: a tree must have time to grow. */
const MOVE_MS = 1500;
/**
 * Two neighbours get each piece of a large swarm, and who passes nothing on is covered by the other, though not quite: when
 * no place was taken for this long, less is forgiven.
 */
const CALM_MS = 4000;
const FAIR_SPREAD = 0.75;
/** Part of its weight that a neighbour keeps when it spreads nothing. */
const LEAST_TRUST = 0.2;
/** With at least this many neighbours each substream is dealt twice: a hop less for half the swarm. */
const DOUBLE_AT_LINKS = 16;
/** Fewer are borne while it is: where many left at once, ending it would cut off half of those who stay, and others are on their way. */
const STILL_DOUBLE_AT_LINKS = 8;
/** And with an uplink of this many times the stream, which the second copies must fit in; once dealt they stay a little below. */
const DOUBLE_UPLINK = 2.4;
const STILL_DOUBLE_UPLINK = 2.1;

/**
 * The broadcaster's side of the push trees: every substream is dealt to one neighbour, to two in a large swarm, so that
 * each piece leaves the broadcaster once before any leaves twice. Strong uplinks that do pass on get more. A place that
 * works is never taken for a stronger one: the whole of a tree may hang on it, and would be cut off.
 */
export class Dealer {
	#movedAtMs = -Infinity;
	#doubles = false;

	/**
	 * Deals anew where a place is free or badly filled; `tell` sends a neighbour whose `given` changed what it gets.
	 * `copies` is how many times the stream fits in the uplink.
	 */
	evaluate(
		neighbours: readonly Neighbour[],
		copies: number,
		nowMs: number,
		tell: (neighbour: Neighbour) => void,
	): void {
		this.#doubles =
			neighbours.length >= (this.#doubles ? STILL_DOUBLE_AT_LINKS : DOUBLE_AT_LINKS) &&
			copies >= (this.#doubles ? STILL_DOUBLE_UPLINK : DOUBLE_UPLINK);
		const before = new Map(neighbours.map((neighbour) => [neighbour, neighbour.given]));
		const load = new Map<Neighbour, number>();
		for (const neighbour of neighbours) {
			neighbour.given = !isHeard(neighbour, nowMs) ? 0 : neighbour.given & neighbour.wants;
			load.set(neighbour, 0);
		}
		const places = Math.min(this.#doubles ? 2 : 1, neighbours.length);
		const even = Math.ceil((SUBSTREAMS * places) / Math.max(1, neighbours.length));
		let total = 0;
		let sharing = 0;
		for (const neighbour of neighbours) {
			total += weight(neighbour);
			if (strength(neighbour) > 0) sharing++;
		}
		// While there are others nobody holds more than half of the trees: all would stop with it.
		const most = sharing > 2 ? SUBSTREAMS / 2 : SUBSTREAMS;
		const share = (neighbour: Neighbour) => (SUBSTREAMS * places * weight(neighbour)) / total;
		const fair = (neighbour: Neighbour) =>
			Math.max(even, Math.min(most, Math.ceil(share(neighbour))));
		for (let s = 0; s < SUBSTREAMS; s++) this.#deal(s, places, fair, neighbours, load, nowMs);
		for (const neighbour of neighbours) {
			if (before.get(neighbour) !== neighbour.given) tell(neighbour);
		}
	}

	#deal(
		s: number,
		places: number,
		fair: (neighbour: Neighbour) => number,
		neighbours: readonly Neighbour[],
		load: Map<Neighbour, number>,
		nowMs: number,
	): void {
		const bit = 1 << s;
		const loadOf = (neighbour: Neighbour) => load.get(neighbour) ?? 0;
		const weigh = (neighbour: Neighbour) => weight(neighbour) / (1 + loadOf(neighbour));
		const willing = neighbours.filter(
			(neighbour) => (neighbour.wants & bit) !== 0 && isHeard(neighbour, nowMs),
		);
		const holders = willing.filter((neighbour) => (neighbour.given & bit) !== 0);
		const others = willing
			.filter((neighbour) => (neighbour.given & bit) === 0)
			.sort((a, b) => weigh(b) - weigh(a));
		const chosen: Neighbour[] = [];
		for (const holder of holders) {
			const first = others[0];
			// A piece that goes to who passes nothing on comes to nobody else: no place is taken for it.
			const rival = first && (strength(first) > 0 || strength(holder) === 0) ? first : undefined;
			const overloaded =
				loadOf(holder) >= fair(holder) &&
				rival !== undefined &&
				rival.spread >= POOR_SPREAD &&
				loadOf(rival) < fair(rival);
			const poor =
				nowMs - this.#movedAtMs >= MOVE_MS &&
				rival !== undefined &&
				holder.spread < (nowMs - this.#movedAtMs >= CALM_MS ? FAIR_SPREAD : POOR_SPREAD) &&
				rival.spread > holder.spread;
			// Nothing hangs on who passes nothing on, so its place is free for the first who does.
			const sink = rival !== undefined && strength(holder) === 0 && strength(rival) > 0;
			if (chosen.length < places && !poor && !overloaded && !sink) chosen.push(holder);
			else {
				holder.given &= ~bit;
				if (poor) this.#movedAtMs = nowMs;
			}
		}
		while (chosen.length < places) {
			const next = others.shift();
			// A second copy for who passes nothing on is of use to nobody else.
			if (!next || (chosen.length > 0 && strength(next) === 0)) break;
			next.given |= bit;
			chosen.push(next);
		}
		// Nobody better was left for a place that was taken away: its holder keeps it.
		for (const holder of holders) {
			if (chosen.length >= places || chosen.includes(holder)) continue;
			if (chosen.length > 0 && strength(holder) === 0) continue;
			holder.given |= bit;
			chosen.push(holder);
		}
		for (const neighbour of chosen) load.set(neighbour, loadOf(neighbour) + 1);
	}
}

function weight(neighbour: Neighbour): number {
	// A peer that doesn't share still has to be fed when nobody else is there.
	// In a storm nobody spreads well: a bad account lowers a neighbour's weight, and never takes all of it.
	return (1 + strength(neighbour)) * (LEAST_TRUST + (1 - LEAST_TRUST) * neighbour.spread);
}
