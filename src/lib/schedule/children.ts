import type { Random } from '../util/clock.ts';
import { NO_DEPTH, SUBSTREAMS } from '../model/message.ts';
import { PIECE_BITS, UPLINK_BRIM, UPLINK_FILL } from './bounds.ts';
import { isQuiet, type Neighbour } from './neighbour.ts';

/** A child is put out for another only when that one's uplink is this many times stronger. */
const STRONGER = 2;
/** A place is taken back for another tree only when we stand more than this much deeper in its own. */
const DEEPER = 1;
/** A piece should have left for all children of its substream within this time: a weak uplink takes few, or none. */
const FAN_OUT_MS = 150;
/** Least time between two children put out. */
const PUT_OUT_MS = 2000;
/** The same when the one who comes is served by nobody and would pass on more. */
const URGENT_PUT_OUT_MS = 250;
/** Uplink a neighbour is taken for that doesn't know its own. */
const ASSUMED_KBPS = 4000;

interface Ask {
	readonly neighbour: Neighbour;
	readonly s: number;
	/** Whether somebody else pushes it this substream already. */
	readonly served: boolean;
}

/** What `Children` must know to say yes. */
export interface Room {
	/** Bits per second to plan with. */
	readonly planBps: number;
	/** The stream's rate, bits per second; 0 when unknown yet. */
	readonly streamBps: number;
	/** Whether blocks wait longer than they should: no room at all then. */
	readonly congested: boolean;
	/** Hops from the broadcaster at which this substream comes to us. */
	depthOf(substream: number): number;
	/** Substreams that this neighbour pushes to us. */
	parentBits(neighbour: Neighbour): number;
	/** Whether this substream can be promised to this neighbour: there is somebody else who pushes it to us. */
	canServe(substream: number, neighbour: Neighbour): boolean;
}

/**
 * The parent's side of the push trees in a viewer or relay: which children are pushed what. A subscription is granted
 * only within the uplink; a much stronger child takes the place of the weakest, so strong uplinks rise toward the source.
 */
export class Children {
	#putOutAtMs = -Infinity;
	readonly #firstTree: number;

	/** Peers differ in which tree they serve first, so that no tree is short of places in all of them. */
	constructor(random: Random) {
		this.#firstTree = Math.floor(random() * SUBSTREAMS);
	}

	/** Substream places that are taken. */
	taken(neighbours: readonly Neighbour[]): number {
		let taken = 0;
		for (const neighbour of neighbours) taken += bitCount(neighbour.given);
		return taken;
	}

	/** Substream places that the uplink has room for. */
	capacity({ planBps, streamBps }: Room, fill = UPLINK_FILL): number {
		if (streamBps === 0) return SUBSTREAMS;
		return Math.floor((planBps * fill) / (streamBps / SUBSTREAMS));
	}

	/** Grants and withdraws; `tell` sends a child whose `given` changed, or that asked, what it gets. */
	evaluate(
		neighbours: readonly Neighbour[],
		room: Room,
		asking: Neighbour | undefined,
		nowMs: number,
		tell: (neighbour: Neighbour) => void,
	): void {
		const changed = new Set<Neighbour>();
		if (asking) changed.add(asking);
		const capacity = this.capacity(room);
		const most = this.capacity(room, UPLINK_BRIM);
		const widest = Math.floor((room.planBps * FAN_OUT_MS) / 1000 / PIECE_BITS);
		let taken = 0;
		for (const neighbour of neighbours) {
			// A child stays when our own parent goes: it sees for itself when we are late.
			const here = isQuiet(neighbour, nowMs) ? 0 : neighbour.given & neighbour.wants;
			const kept = here & ~room.parentBits(neighbour);
			if (kept !== neighbour.given) {
				neighbour.given = kept;
				changed.add(neighbour);
			}
			taken += bitCount(kept);
		}
		while (taken > most) {
			if (!this.#withdrawOne(neighbours, undefined, changed)) break;
			taken--;
		}
		for (const { neighbour, s, served } of this.#asks(neighbours, room, nowMs)) {
			if (room.congested) break;
			// A slow parent is better than none.
			if (childrenOf(s, neighbours) >= (served ? widest : Math.max(1, widest))) continue;
			if (taken >= (served ? capacity : most)) {
				const patienceMs = served ? PUT_OUT_MS : URGENT_PUT_OUT_MS;
				if (nowMs - this.#putOutAtMs < patienceMs) continue;
				const freed =
					this.#withdrawDeeper(neighbours, s, room, changed) ||
					this.#withdrawOne(neighbours, neighbour, changed);
				if (!freed) continue;
				this.#putOutAtMs = nowMs;
				taken--;
			}
			neighbour.given |= 1 << s;
			changed.add(neighbour);
			taken++;
		}
		for (const neighbour of changed) tell(neighbour);
	}

	/** What is asked for and can be given: whoever is served by nobody first, then the strong; trees in an order of our own. */
	#asks(neighbours: readonly Neighbour[], room: Room, nowMs: number): Ask[] {
		const asks: Ask[] = [];
		for (const neighbour of neighbours) {
			const wants = isQuiet(neighbour, nowMs) ? 0 : neighbour.wants & ~neighbour.given;
			const open = this.#servable(neighbour, wants, room);
			for (let i = 0; open !== 0 && i < SUBSTREAMS; i++) {
				const s = (i + this.#firstTree) % SUBSTREAMS;
				if ((open & (1 << s)) === 0) continue;
				// Whoever passes nothing on tells no depth; it comes after those who would.
				const served = neighbour.depths[s] !== NO_DEPTH || strength(neighbour) === 0;
				asks.push({ neighbour, s, served });
			}
		}
		return asks.sort(
			(a, b) =>
				Number(a.served) - Number(b.served) || strength(b.neighbour) - strength(a.neighbour),
		);
	}

	#servable(neighbour: Neighbour, substreams: number, room: Room): number {
		let servable = 0;
		for (let s = 0; s < SUBSTREAMS; s++) {
			const bit = 1 << s;
			if ((substreams & bit) !== 0 && room.canServe(s, neighbour)) servable |= bit;
		}
		return servable;
	}

	/**
	 * Takes a place in a tree where we stand much deeper than in this one: a peer that feeds many in few trees keeps all
	 * trees shallow.
	 */
	#withdrawDeeper(
		neighbours: readonly Neighbour[],
		s: number,
		room: Room,
		changed: Set<Neighbour>,
	): boolean {
		let worst: Neighbour | undefined;
		let worstSubstream = -1;
		let worstDepth = room.depthOf(s) + DEEPER;
		for (const neighbour of neighbours) {
			for (let other = 0; other < SUBSTREAMS; other++) {
				if ((neighbour.given & (1 << other)) === 0) continue;
				const depth = room.depthOf(other);
				if (depth <= worstDepth) continue;
				worst = neighbour;
				worstSubstream = other;
				worstDepth = depth;
			}
		}
		if (!worst) return false;
		worst.given &= ~(1 << worstSubstream);
		worst.wants &= ~(1 << worstSubstream);
		changed.add(worst);
		return true;
	}

	/** Takes one place from the weakest child; with `stronger` given, only from one much weaker than it. */
	#withdrawOne(
		neighbours: readonly Neighbour[],
		stronger: Neighbour | undefined,
		changed: Set<Neighbour>,
	): boolean {
		let weakest: Neighbour | undefined;
		for (const neighbour of neighbours) {
			if (neighbour.given === 0 || neighbour === stronger) continue;
			if (!weakest || strength(neighbour) < strength(weakest)) weakest = neighbour;
		}
		if (!weakest) return false;
		if (stronger && strength(stronger) < STRONGER * strength(weakest)) return false;
		const bit = 1 << (31 - Math.clz32(weakest.given));
		weakest.given &= ~bit;
		weakest.wants &= ~bit;
		changed.add(weakest);
		return true;
	}
}

/** Kilobits per second that a neighbour is taken to be able to pass on. */
export function strength(neighbour: Neighbour): number {
	return neighbour.uplinkKbps;
}

/** An uplink as reported in a hello or ping, where 0 means that the peer doesn't share. */
export function clampUplinkKbps(kbps: number | undefined): number {
	return kbps === undefined ? ASSUMED_KBPS : Math.min(kbps, 1_000_000);
}

/** Bits set. */
export function bitCount(bits: number): number {
	let counted = 0;
	for (; bits !== 0; bits &= bits - 1) counted++;
	return counted;
}

function childrenOf(s: number, neighbours: readonly Neighbour[]): number {
	let children = 0;
	for (const { given } of neighbours) if ((given & (1 << s)) !== 0) children++;
	return children;
}
