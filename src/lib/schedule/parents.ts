import type { Random } from '../util/clock.ts';
import { SUBSTREAMS } from '../model/message.ts';
import { PARENT_GAIN_MS, PARENT_KEEP_MS, SUBSCRIPTION_GRACE_MS } from './bounds.ts';
import { canBeAsked, type Neighbour } from './neighbour.ts';

/** How long a neighbour that refused a substream isn't asked for it again; jittered by as much again. */
const REFUSED_MS = 1000;
/** What a hop is taken to cost while nothing was measured. */
const HOP_MS = 60;
const UNKNOWN_HOP_MS = 900;
const NO_ROOM_MS = 300;
/** An asked neighbour that says nothing is passed over after this long. */
const ANSWER_MS = 1000;

const ALL = (1 << SUBSTREAMS) - 1;

interface Choice {
	/** Who was chosen to push this substream, granted or not yet. */
	parent: Neighbour | undefined;
	sinceMs: number;
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
	}));
	readonly #refusedUntilMs = new Map<Neighbour, Float64Array>();
	readonly #random: Random;

	constructor(random: Random) {
		this.#random = random;
	}

	/** The neighbour that pushes this substream to us, if one granted it. */
	parentOf(substream: number): Neighbour | undefined {
		const parent = this.#choices[substream]?.parent;
		return parent && (parent.granted & (1 << substream)) !== 0 ? parent : undefined;
	}

	/** Hops to the broadcaster by the best parent; 255 when there is none. */
	hop(): number {
		let hop = 255;
		for (const { parent } of this.#choices) if (parent) hop = Math.min(hop, parent.hop + 1);
		return hop;
	}

	/** Takes note of what a neighbour says it pushes. */
	onSubscribed(from: Neighbour, substreams: number, nowMs: number): void {
		const before = from.granted;
		from.granted = substreams & from.asked;
		const refused = from.asked & ~from.granted;
		for (let s = 0; s < SUBSTREAMS; s++) {
			const bit = 1 << s;
			const choice = this.#choices[s];
			if (!choice) continue;
			if ((from.granted & bit) !== 0 && (before & bit) === 0) {
				if (from.role === 'broadcaster' || choice.parent === undefined) {
					choice.parent = from;
					choice.sinceMs = nowMs;
				}
			} else if ((refused & bit) !== 0) {
				if (from.role !== 'broadcaster') this.#noteRefusal(from, s, nowMs);
				if (choice.parent === from) choice.parent = undefined;
			}
		}
	}

	/** Forgets a neighbour that left. */
	remove(neighbour: Neighbour): void {
		this.#refusedUntilMs.delete(neighbour);
		for (const choice of this.#choices) {
			if (choice.parent === neighbour) choice.parent = undefined;
		}
	}

	/** A parent let us wait: somebody else is to push this substream. */
	fail(neighbour: Neighbour, substream: number, nowMs: number): void {
		const choice = this.#choices[substream];
		if (choice?.parent !== neighbour) return;
		if (neighbour.role !== 'broadcaster') {
			this.#noteRefusal(neighbour, substream, nowMs);
			choice.parent = undefined;
		}
	}

	/** Chooses anew and says which neighbours' `asked` differs from what was sent: `ask` sends it. */
	evaluate(
		neighbours: readonly Neighbour[],
		nowMs: number,
		ask: (neighbour: Neighbour, substreams: number) => void,
	): void {
		for (let s = 0; s < SUBSTREAMS; s++) this.#choose(s, neighbours, nowMs);
		for (const neighbour of neighbours) {
			if (neighbour.role === undefined) continue;
			const wish = this.#wishOf(neighbour);
			if (wish === neighbour.asked) continue;
			neighbour.former = neighbour.asked & ~wish;
			neighbour.graceUntilMs = nowMs + SUBSCRIPTION_GRACE_MS;
			neighbour.granted &= wish;
			neighbour.asked = wish;
			ask(neighbour, wish);
		}
	}

	#wishOf(neighbour: Neighbour): number {
		if (neighbour.role === 'broadcaster') return ALL;
		let wish = 0;
		this.#choices.forEach((choice, s) => {
			if (choice.parent === neighbour) wish |= 1 << s;
		});
		return wish;
	}

	#choose(s: number, neighbours: readonly Neighbour[], nowMs: number): void {
		const choice = this.#choices[s];
		if (!choice) return;
		const bit = 1 << s;
		const current = choice.parent;
		if (current) {
			const answered = (current.granted & bit) !== 0;
			if (current.role === 'broadcaster' && answered) return;
			if (!answered && nowMs - choice.sinceMs > ANSWER_MS) {
				this.#noteRefusal(current, s, nowMs);
				choice.parent = undefined;
			} else if (nowMs - choice.sinceMs < PARENT_KEEP_MS && canBeAsked(current, nowMs)) {
				return;
			}
		}
		const granting = neighbours.find(
			(neighbour) => neighbour.role === 'broadcaster' && (neighbour.granted & bit) !== 0,
		);
		const best = granting ?? this.#best(s, neighbours, nowMs);
		if (!best || best === choice.parent) return;
		if (choice.parent && canBeAsked(choice.parent, nowMs)) {
			const gainMs = this.#expectedLagMs(choice.parent, s) - this.#expectedLagMs(best, s);
			if (best !== granting && gainMs < PARENT_GAIN_MS) return;
		}
		choice.parent = best;
		choice.sinceMs = nowMs;
	}

	#best(s: number, neighbours: readonly Neighbour[], nowMs: number): Neighbour | undefined {
		const bit = 1 << s;
		let best: Neighbour | undefined;
		let bestMs = Infinity;
		for (const neighbour of neighbours) {
			if (neighbour.role === 'broadcaster' || !canBeAsked(neighbour, nowMs)) continue;
			if (neighbour.uplinkKbps === 0 || (neighbour.given & bit) !== 0) continue;
			if (nowMs < (this.#refusedUntilMs.get(neighbour)?.[s] ?? 0)) continue;
			const lagMs = this.#expectedLagMs(neighbour, s);
			if (lagMs < bestMs) {
				best = neighbour;
				bestMs = lagMs;
			}
		}
		return best;
	}

	#expectedLagMs(neighbour: Neighbour, s: number): number {
		const measured = neighbour.lagMs[s] ?? NaN;
		if (!Number.isNaN(measured)) return measured;
		const hops = neighbour.hop === 255 ? UNKNOWN_HOP_MS : neighbour.hop * HOP_MS;
		return hops + neighbour.rttMs / 2 + (neighbour.spareKbps === 0 ? NO_ROOM_MS : 0);
	}

	#noteRefusal(neighbour: Neighbour, s: number, nowMs: number): void {
		let until = this.#refusedUntilMs.get(neighbour);
		if (!until) this.#refusedUntilMs.set(neighbour, (until = new Float64Array(SUBSTREAMS)));
		until[s] = nowMs + REFUSED_MS * (1 + this.#random());
	}
}
