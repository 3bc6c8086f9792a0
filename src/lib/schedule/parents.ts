import type { Random } from '../util/clock.ts';
import { CUT_DEPTH, FULL_DEPTH, NO_DEPTH, SUBSTREAMS } from '../model/message.ts';
import {
	BROKEN_PROMISES,
	HANDOVER_MS,
	PARENT_KEEP_MS,
	PARENT_TRIAL_MS,
	PIECE_BITS,
	SUBSCRIPTION_GRACE_MS,
} from './bounds.ts';
import { canBeAsked, isQuiet, type Neighbour } from './neighbour.ts';

/** How long a neighbour that refused a substream isn't asked for it again; jittered by as much again. */
const REFUSED_MS = 1000;
/** What a hop is taken to cost while nothing was measured. */
const HOP_MS = 60;
/** What each promise that a neighbour broke since it last delivered counts for. */
const FAILURE_MS = 200;
const NO_ROOM_MS = 300;
/** What is added for a neighbour that never delivered a good piece: it may lie about what it holds, or pass on garbage. */
const UNPROVEN_MS = 150;
/** Pieces that a candidate's uplink is taken to send before ours is whole: ours, and another child's in front of it. */
const PIECES_TO_SEND = 2;
/** An asked neighbour that says nothing is passed over after this long. */
const ANSWER_MS = 1000;

/** A parent is left early only for one that stands this many hops nearer to the broadcaster: what was measured by then says little. */
const MUCH_NEARER = 2;
/** Deeper than this is a loop or as good as one. */
const MAX_DEPTH = 40;
/** How long a depth outlives its parent: who finds another one in this time spares its children the search. */
const DEPTH_KEEP_MS = 300;
/** Who lost a parent looks for another one in every tick for this long; then at the usual pace, as there may be none to be had. */
const LOST_LATELY_MS = 2000;
/** Whoever is cut off waits this long before it takes a parent that stands deeper than it did. */
const HOLD_DOWN_MS = 900;

const ALL = (1 << SUBSTREAMS) - 1;

interface Choice {
	/** Who pushes this substream to us. */
	parent: Neighbour | undefined;
	sinceMs: number;
	/** Whether nothing is heard of the parent: it stays, in case it comes back, but nothing comes by it. */
	silent: boolean;
	/** Who was asked to and has not answered; the parent stays until then. */
	candidate: Neighbour | undefined;
	askedAtMs: number;
}

/**
 * The child's side of the push trees: for each substream, which neighbour should push it. The one whose announcements
 * and deliveries come first is asked; where nothing was measured yet, the one that says it is nearest the broadcaster.
 * The broadcaster is always wished for, and takes a substream over when it grants it.
 */
export class Parents {
	readonly #choices: Choice[] = Array.from({ length: SUBSTREAMS }, () => ({
		parent: undefined,
		sinceMs: -Infinity,
		silent: false,
		candidate: undefined,
		askedAtMs: -Infinity,
	}));
	readonly #refusedUntilMs = new Map<Neighbour, Float64Array>();
	readonly #random: Random;
	#unproven: Neighbour | undefined;
	readonly #depths = new Uint8Array(SUBSTREAMS).fill(NO_DEPTH);
	readonly #lastDepths = new Uint8Array(SUBSTREAMS).fill(NO_DEPTH);
	readonly #depthAtMs = new Float64Array(SUBSTREAMS).fill(-Infinity);

	constructor(random: Random) {
		this.#random = random;
	}

	/** The neighbour that pushes this substream to us. */
	parentOf(substream: number): Neighbour | undefined {
		return this.#choices[substream]?.parent;
	}

	/** Whether this substream's parent has only just begun to push it: what the one before it sent may still come. */
	isHandingOver(substream: number, nowMs: number): boolean {
		return nowMs - (this.#choices[substream]?.sinceMs ?? -Infinity) <= HANDOVER_MS;
	}

	/**
	 * Hops from the broadcaster at which this substream comes; `NO_DEPTH` when nobody pushes it. A depth outlives its
	 * parent a while: whoever hangs on us would otherwise move each time we do.
	 */
	depthOf(substream: number): number {
		return this.#depths[substream] ?? NO_DEPTH;
	}

	#updateDepths(nowMs: number): void {
		for (let s = 0; s < SUBSTREAMS; s++) {
			const parent = this.#choices[s]?.silent ? undefined : this.parentOf(s);
			let depth = NO_DEPTH;
			if (parent?.role === 'broadcaster') depth = 1;
			else if (parent && depthAt(parent, s) < MAX_DEPTH) depth = depthAt(parent, s) + 1;
			if (depth !== NO_DEPTH) {
				this.#depths[s] = depth;
				this.#lastDepths[s] = depth;
				this.#depthAtMs[s] = nowMs;
			} else if (parent || nowMs - (this.#depthAtMs[s] ?? 0) > DEPTH_KEEP_MS) {
				// That a branch is cut off must reach its last leaf at once, or parts of it come to hang on each other.
				this.#depths[s] = NO_DEPTH;
			}
		}
	}

	/** Whether a substream comes from the broadcaster: its parent is heard of, and it and all above it have told so. */
	isConnected(substream: number): boolean {
		const parent = this.parentOf(substream);
		if (this.#choices[substream]?.silent) return false;
		if (parent === undefined || parent.role === 'broadcaster') return parent !== undefined;
		return depthAt(parent, substream) < MAX_DEPTH;
	}

	/** Whether a substream comes now: it does not while somebody above its parent seeks a parent, though the place is kept. */
	isFed(substream: number): boolean {
		const parent = this.parentOf(substream);
		if (!parent || !this.isConnected(substream)) return false;
		return parent.role === 'broadcaster' || ((parent.depths[substream] ?? 0) & CUT_DEPTH) === 0;
	}

	/** Whether some parent fell silent, or is heard of again, since parents were last chosen. */
	hasNews(nowMs: number): boolean {
		return this.#choices.some(
			({ parent, silent }) => parent !== undefined && isQuiet(parent, nowMs) !== silent,
		);
	}

	/** Whether some substream came from the broadcaster a moment ago, and doesn't now. */
	lostAny(nowMs: number): boolean {
		return this.#choices.some((_, s) => {
			const lost = nowMs - (this.#depthAtMs[s] ?? 0) < LOST_LATELY_MS;
			return lost && !this.isConnected(s);
		});
	}

	/** Whether some substream doesn't come. */
	lacksAny(): boolean {
		return this.#choices.some((_, s) => !this.isFed(s));
	}

	/** Hops to the broadcaster by the best parent; 255 when there is none. */
	hop(): number {
		let hop = 255;
		for (const { parent } of this.#choices) if (parent) hop = Math.min(hop, parent.hop + 1);
		return hop;
	}

	/**
	 * Takes note of what a neighbour says it pushes, in answer to the mask it was `asked` for. Gives the substreams that it
	 * has become the parent of.
	 */
	onSubscribed(from: Neighbour, substreams: number, asked: number, nowMs: number): number {
		let gained = 0;
		from.granted = substreams & from.asked;
		this.#choices.forEach((choice, s) => {
			const bit = 1 << s;
			if ((from.granted & bit) !== 0) {
				if (choice.candidate !== from && from.role !== 'broadcaster') return;
				choice.candidate = undefined;
				if (choice.parent === from) return;
				choice.parent = from;
				choice.silent = false;
				choice.sinceMs = nowMs;
				gained |= bit;
			} else if ((from.asked & asked & bit) !== 0) {
				if (from.role !== 'broadcaster') this.#noteRefusal(from, s, nowMs);
				if (choice.candidate === from) choice.candidate = undefined;
				if (choice.parent === from) choice.parent = undefined;
			}
		});
		return gained;
	}

	/** A neighbour that was full and has room again need not be left alone any longer. */
	noteRoom(neighbour: Neighbour, before: Uint8Array): void {
		const until = this.#refusedUntilMs.get(neighbour);
		if (!until) return;
		for (let s = 0; s < SUBSTREAMS; s++) {
			if (isFull(before[s]) && !isFull(neighbour.depths[s])) until[s] = 0;
		}
	}

	/**
	 * A neighbour that would be a better parent, had it ever delivered anything: one piece should be asked of it, so that
	 * nothing hangs on it if it is a liar. Given out once, for a piece that it is among the `holders` of.
	 */
	takeUnproven(holders: number): Neighbour | undefined {
		const unproven = this.#unproven;
		if (!unproven || (holders & (1 << unproven.slot)) === 0) return undefined;
		this.#unproven = undefined;
		return unproven;
	}

	/** Forgets a neighbour that left. */
	remove(neighbour: Neighbour): void {
		this.#refusedUntilMs.delete(neighbour);
		if (this.#unproven === neighbour) this.#unproven = undefined;
		for (const choice of this.#choices) {
			if (choice.parent === neighbour) choice.parent = undefined;
			if (choice.candidate === neighbour) choice.candidate = undefined;
		}
	}

	/** A parent let us wait: somebody else is to push this substream. */
	fail(neighbour: Neighbour, substream: number, nowMs: number): void {
		const choice = this.#choices[substream];
		if (choice?.parent !== neighbour || neighbour.role === 'broadcaster') return;
		this.#noteRefusal(neighbour, substream, nowMs);
		choice.parent = undefined;
	}

	/** Chooses anew and says which neighbours' `asked` differs from what was sent: `ask` sends it. */
	evaluate(
		neighbours: readonly Neighbour[],
		nowMs: number,
		ask: (neighbour: Neighbour, substreams: number) => void,
	): void {
		for (let s = 0; s < SUBSTREAMS; s++) this.#choose(s, neighbours, nowMs);
		this.#updateDepths(nowMs);
		for (const neighbour of neighbours) {
			const wish = this.#wishOf(neighbour);
			if (wish === neighbour.asked) continue;
			// What ended a moment ago may still be on its way; a later change must not make it an offence.
			const before = nowMs < neighbour.graceUntilMs ? neighbour.former : 0;
			neighbour.former = (before | neighbour.asked) & ~wish;
			neighbour.graceUntilMs = nowMs + SUBSCRIPTION_GRACE_MS;
			neighbour.granted &= wish;
			neighbour.asked = wish;
			ask(neighbour, wish);
		}
	}

	#wishOf(neighbour: Neighbour): number {
		if (neighbour.role === 'broadcaster') return ALL;
		let wish = 0;
		this.#choices.forEach(({ parent, candidate }, s) => {
			if (parent === neighbour || candidate === neighbour) wish |= 1 << s;
		});
		return wish;
	}

	#choose(s: number, neighbours: readonly Neighbour[], nowMs: number): void {
		const choice = this.#choices[s];
		if (!choice) return;
		const { parent, candidate } = choice;
		choice.silent = parent !== undefined && isQuiet(parent, nowMs);
		if (candidate) {
			if (nowMs - choice.askedAtMs < ANSWER_MS && canBeAsked(candidate, nowMs)) return;
			this.#noteRefusal(candidate, s, nowMs);
			choice.candidate = undefined;
		}
		const alive = parent !== undefined && canBeAsked(parent, nowMs) && this.isConnected(s);
		const heldMs = nowMs - choice.sinceMs;
		if (alive && (parent.role === 'broadcaster' || heldMs < PARENT_TRIAL_MS)) return;
		const best = this.#best(s, neighbours, nowMs);
		if (!best || best === parent) return;
		if (alive) {
			const hopsNearer = depthAt(parent, s) - depthAt(best, s);
			if (heldMs < PARENT_KEEP_MS && hopsNearer < MUCH_NEARER) return;
			const gainMs = this.#expectedLagMs(parent, s) - this.#expectedLagMs(best, s);
			if (gainMs < (parent.lagSpreadMs[s] ?? 0) / 2) return;
			if (!best.proven) {
				this.#unproven = best;
				return;
			}
		}
		choice.candidate = best;
		choice.askedAtMs = nowMs;
	}

	#best(s: number, neighbours: readonly Neighbour[], nowMs: number): Neighbour | undefined {
		const bit = 1 << s;
		const cutOffMs = nowMs - (this.#depthAtMs[s] ?? 0);
		const deepest = cutOffMs > HOLD_DOWN_MS ? MAX_DEPTH : (this.#lastDepths[s] ?? NO_DEPTH);
		let best: Neighbour | undefined;
		let bestMs = Infinity;
		for (const neighbour of neighbours) {
			if (neighbour.role === 'broadcaster' || !canBeAsked(neighbour, nowMs)) continue;
			if (neighbour.depths[s] === NO_DEPTH || (neighbour.given & bit) !== 0) continue;
			// Whoever hangs on us stands deeper than we do: choosing only among the others keeps loops away. Who is cut off
			// may hang on any other, but only when all that hang on it have heard of it and tell no depth any more.
			if (depthAt(neighbour, s) > deepest) continue;
			// Who never keeps its promises has one chance at a time, however early it announces.
			if (neighbour.failures >= BROKEN_PROMISES && this.#wishOf(neighbour) !== 0) continue;
			if (nowMs < (this.#refusedUntilMs.get(neighbour)?.[s] ?? 0)) continue;
			const lagMs = this.#expectedLagMs(neighbour, s) + (neighbour.proven ? 0 : UNPROVEN_MS);
			if (lagMs < bestMs) {
				best = neighbour;
				bestMs = lagMs;
			}
		}
		return best;
	}

	#expectedLagMs(neighbour: Neighbour, s: number): number {
		const measured = neighbour.lagMs[s] ?? NaN;
		const told = neighbour.depths[s];
		const full = told !== NO_DEPTH && isFull(told) ? NO_ROOM_MS : 0;
		if (!Number.isNaN(measured)) {
			return measured + this.#sendMs(neighbour, s) + full + neighbour.failures * FAILURE_MS;
		}
		const depth = depthAt(neighbour, s);
		return depth * HOP_MS + neighbour.rttMs / 2 + full;
	}

	/** What of a piece's way our parent's lag has in it, and that of others, who only announced it, has not. */
	#sendMs(neighbour: Neighbour, s: number): number {
		if (this.parentOf(s) === neighbour || neighbour.uplinkKbps === 0) return 0;
		return (PIECES_TO_SEND * PIECE_BITS) / neighbour.uplinkKbps;
	}

	#noteRefusal(neighbour: Neighbour, s: number, nowMs: number): void {
		let until = this.#refusedUntilMs.get(neighbour);
		if (!until) this.#refusedUntilMs.set(neighbour, (until = new Float64Array(SUBSTREAMS)));
		until[s] = nowMs + REFUSED_MS * (1 + this.#random());
	}
}

/** Whether who tells this depth has no room, or is no parent to be had at all. */
function isFull(told = NO_DEPTH): boolean {
	return (told & FULL_DEPTH) !== 0;
}

/** The depth a neighbour told, with or without room. */
function depthAt(neighbour: Neighbour, s: number): number {
	const told = neighbour.depths[s] ?? NO_DEPTH;
	return told === NO_DEPTH ? MAX_DEPTH : told & (FULL_DEPTH - 1);
}
