import type { Clock } from '../util/clock.ts';
import { SPREAD_MS } from './bounds.ts';
import { strength } from './children.ts';
import { isHeard, type Neighbour } from './neighbour.ts';
import type { Roster } from './roster.ts';
import type { SegmentTrack } from './segment-track.ts';

/** Among more neighbours than this, two must have a piece before it counts as spread. */
const SMALL_NEIGHBOURHOOD = 8;
/** How much one piece counts in a neighbour's account of spreading. */
const WEIGHT = 0.15;

/** A piece that was given to a neighbour, and is looked after later. */
interface Gift {
	readonly child: Neighbour;
	readonly track: SegmentTrack;
	readonly offset: number;
}

/**
 * The broadcaster's eye on what becomes of its pieces: when nobody else announces a piece soon after it was given to a
 * neighbour, another gets it too, and the first is thought less of.
 */
export class SpreadWatch {
	readonly #clock: Clock;
	readonly #roster: Roster;
	readonly #giveTo: (neighbour: Neighbour, track: SegmentTrack, offset: number) => void;
	readonly #watched = new Set<Gift>();
	/** The last time at which no neighbour was heard, milliseconds of the clock. */
	#deafAtMs = -Infinity;
	#closed = false;

	constructor(
		clock: Clock,
		roster: Roster,
		giveTo: (neighbour: Neighbour, track: SegmentTrack, offset: number) => void,
	) {
		this.#clock = clock;
		this.#roster = roster;
		this.#giveTo = giveTo;
	}

	/** A piece was given to a neighbour. */
	watch(child: Neighbour, track: SegmentTrack, offset: number): void {
		this.#lookLater({ child, track, offset });
	}

	#lookLater(gift: Gift): void {
		this.#watched.add(gift);
		this.#clock.after(spreadMs(gift.child), () => this.#look(gift));
	}

	/** To be called now and then: what was given only to neighbours that left or fell silent is looked after at once. */
	hasten(): void {
		const nowMs = this.#clock.now();
		let heard = 0;
		for (const neighbour of this.#roster.all) {
			if (isHeard(neighbour, nowMs)) heard |= 1 << neighbour.slot;
		}
		if (heard === 0 && this.#roster.all.length > 0) {
			this.#deafAtMs = nowMs;
			return;
		}
		for (const gift of this.#watched) {
			const pushed = gift.track.pushed[gift.offset] ?? 0;
			if ((pushed & heard) === 0) this.#look(gift);
		}
	}

	/** One announcement may be a lie. */
	#hasSpread(announced: number, pushed: number, nowMs: number): boolean {
		let others = 0;
		let holders = 0;
		for (const neighbour of this.#roster.all) {
			const bit = 1 << neighbour.slot;
			if ((pushed & bit) !== 0 || !isHeard(neighbour, nowMs)) continue;
			others++;
			if ((announced & bit) !== 0) holders++;
		}
		return holders >= (others > SMALL_NEIGHBOURHOOD ? 2 : 1);
	}

	close(): void {
		this.#closed = true;
	}

	#look(gift: Gift): void {
		if (this.#closed || !this.#watched.delete(gift)) return;
		const { child, track, offset } = gift;
		// Who has it of us says nothing; somebody must have it of them.
		const nowMs = this.#clock.now();
		const pushed = track.pushed[offset] ?? 0;
		const spread = this.#hasSpread((track.holders[offset] ?? 0) & ~pushed, pushed, nowMs);
		if (this.#roster.all.every((other) => other === child)) return;
		// What they announced while our own line was silent has yet to come: nobody is to blame.
		if (!spread && nowMs - this.#deafAtMs < spreadMs(child)) {
			this.#lookLater(gift);
			return;
		}
		child.spread += ((spread ? 1 : 0) - child.spread) * WEIGHT;
		if (spread) return;
		const others = this.#roster.all.filter(
			(other) =>
				other.role !== undefined &&
				strength(other) > 0 &&
				(pushed & (1 << other.slot)) === 0 &&
				isHeard(other, nowMs),
		);
		const next = others.sort((a, b) => strength(b) * b.spread - strength(a) * a.spread)[0];
		if (next) this.#giveTo(next, track, offset);
	}
}

/** Milliseconds in which others announce what a neighbour was given. */
function spreadMs({ rttMs }: Neighbour): number {
	return SPREAD_MS + 2 * rttMs;
}
