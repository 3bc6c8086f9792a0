import type { Random } from '../util/clock.ts';
import { CUT_DEPTH, FULL_DEPTH, NO_DEPTH, SUBSTREAMS, type PeerRole } from '../model/message.ts';
import { CONGESTED_MS, TELL_DEPTHS_MS } from './bounds.ts';
import { Children, strength, type Room } from './children.ts';
import { Dealer } from './dealer.ts';
import type { Neighbour } from './neighbour.ts';
import { Parents } from './parents.ts';
import type { Roster } from './roster.ts';
import type { Uplink } from './uplink.ts';

/** A branch counts no more than this. */
const MOST_TOLD = 255;
/** How often the trees are looked at when nobody asks and nothing is cut off. */
const TREES_MS = 250;

/** What the trees must know of the peer that stands in them. */
export interface TreesOptions {
	readonly role: PeerRole;
	readonly random: Random;
	readonly roster: Roster;
	readonly uplink: Uplink;
	/** Whether there are push trees at all. */
	readonly push: boolean;
	/** The stream's rate, bits per second; 0 when unknown. */
	readonly streamBps: () => number;
	/** Tells a neighbour what has become of our standing: a ping with these depths. */
	readonly tell: (neighbour: Neighbour, depths: Uint8Array) => void;
}

/** This peer's place in the push trees: whom it hangs on, who hangs on it, and what neighbours are told of both. */
export class Trees {
	readonly parents: Parents;
	readonly #children: Children;
	readonly #dealer = new Dealer();
	readonly #options: TreesOptions;
	#evaluatedAtMs = -Infinity;

	constructor(options: TreesOptions) {
		this.#options = options;
		this.parents = new Parents(options.random);
		this.#children = new Children(options.random);
	}

	/** Whether the trees are to be looked at: now and then, and at once when a place was lost lately. */
	isDue(nowMs: number): boolean {
		if (nowMs - this.#evaluatedAtMs >= TREES_MS) return true;
		return this.parents.hasNews(nowMs) || this.parents.lostAny(nowMs);
	}

	/** Looks for better parents, and gives and takes places; `asking` is answered in any case. */
	evaluate(nowMs: number, asking: Neighbour | undefined): void {
		const { push, role, roster } = this.#options;
		if (!push) {
			if (asking) tellGiven(asking);
			return;
		}
		this.#evaluatedAtMs = nowMs;
		if (role === 'broadcaster') {
			const { streamBps, planBps } = this.#room(nowMs);
			const copies = streamBps > 0 ? planBps / streamBps : 1;
			this.#dealer.evaluate(roster.all, copies, nowMs, tellGiven);
			return;
		}
		this.parents.evaluate(roster.all, nowMs, (neighbour, substreams) => {
			// Whoever is asked must know by then whether anybody else serves us.
			if (neighbour.role !== 'broadcaster') this.#tellDepths(neighbour, this.#isFull(nowMs));
			neighbour.link.send({ type: 'subscribe', substreams });
		});
		this.#children.evaluate(roster.all, this.#room(nowMs), asking, nowMs, tellGiven);
		this.#tellAll(nowMs);
	}

	/** Who is pushed this piece, strongest uplink first: it has the most to pass on to. */
	childrenOf(index: number): Neighbour[] {
		const bit = 1 << (index % SUBSTREAMS);
		const children = this.#options.roster.all.filter(({ given }) => (given & bit) !== 0);
		return children.length < 2 ? children : children.sort((a, b) => strength(b) - strength(a));
	}

	/** Kilobits per second that are promised to children. */
	promisedKbps(): number {
		const placeKbps = this.#options.streamBps() / SUBSTREAMS / 1000;
		return this.#children.taken(this.#options.roster.all) * placeKbps;
	}

	/** Per substream, how many peers get it through us. */
	branches(): Uint8Array {
		const branches = new Uint8Array(SUBSTREAMS);
		for (const { given, branches: theirs } of this.#options.roster.all) {
			for (let s = 0; given >> s !== 0; s++) {
				if ((given & (1 << s)) === 0) continue;
				branches[s] = Math.min(MOST_TOLD, (branches[s] ?? 0) + 1 + (theirs[s] ?? 0));
			}
		}
		return branches;
	}

	/** What a neighbour may know of where we stand: our depth per substream, as far as we could push it on. */
	depthsFor(neighbour: Neighbour, nowMs: number): Uint8Array {
		return this.#depthsFor(neighbour, this.#isFull(nowMs));
	}

	#depthsFor(neighbour: Neighbour, full: boolean): Uint8Array {
		const depths = new Uint8Array(SUBSTREAMS);
		for (let s = 0; s < SUBSTREAMS; s++) depths[s] = this.#depthFor(neighbour, s, full);
		return depths;
	}

	#depthFor(neighbour: Neighbour, s: number, full: boolean): number {
		if (!this.#options.uplink.open || this.#options.role === 'broadcaster') return NO_DEPTH;
		const depth = this.parents.depthOf(s);
		const given = (neighbour.given & (1 << s)) !== 0;
		if (depth === NO_DEPTH || this.parents.parentOf(s) === neighbour) return NO_DEPTH;
		const fed = this.parents.isFed(s);
		// Our children bear with us for a moment, but must know to ask others for what they miss.
		if (given) return fed ? depth : depth + CUT_DEPTH;
		// While nothing comes to us we are no use to others and in need ourselves.
		if (!fed) return NO_DEPTH;
		return full ? depth + FULL_DEPTH : depth;
	}

	/** Neighbours hear at once, though not all the time, when we come to stand elsewhere. */
	#tellAll(nowMs: number): void {
		const full = this.#isFull(nowMs);
		const branches = this.branches();
		for (const neighbour of this.#options.roster.all) {
			const soon = nowMs - neighbour.toldAtMs < TELL_DEPTHS_MS;
			if (!soon && this.#isBranchNews(neighbour, branches)) {
				this.#options.tell(neighbour, this.#depthsFor(neighbour, full));
			} else if (neighbour.role !== 'broadcaster') this.#tellDepths(neighbour, full, soon);
		}
	}

	/** A parent must know whether it has a leaf in us: leaves are served last. */
	#isBranchNews(neighbour: Neighbour, branches: Uint8Array): boolean {
		for (let s = 0; s < SUBSTREAMS; s++) {
			if (this.parents.parentOf(s) !== neighbour) continue;
			if ((branches[s] ?? 0) > 0 !== (neighbour.toldBranches[s] ?? 0) > 0) return true;
		}
		return false;
	}

	/** `onlyLosses` tells nothing but that a child is cut off with us: that can't wait. */
	#tellDepths(neighbour: Neighbour, full: boolean, onlyLosses = false): void {
		const told = neighbour.toldDepths;
		for (let s = 0; s < SUBSTREAMS; s++) {
			if (onlyLosses && (neighbour.given & (1 << s)) === 0) continue;
			const depth = this.#depthFor(neighbour, s, full);
			if (onlyLosses ? !isLoss(told[s], depth) : depth === told[s]) continue;
			this.#options.tell(neighbour, this.#depthsFor(neighbour, full));
			return;
		}
	}

	#isFull(nowMs: number): boolean {
		const room = this.#room(nowMs);
		const { roster } = this.#options;
		return room.congested || this.#children.taken(roster.all) >= this.#children.capacity(room);
	}

	#room(nowMs: number): Room {
		const { uplink, streamBps } = this.#options;
		return {
			planBps: uplink.planBps,
			streamBps: streamBps(),
			congested: uplink.pushDelayMs(nowMs) > CONGESTED_MS,
			depthOf: (s) => this.parents.depthOf(s),
			parentBits: (neighbour) => neighbour.granted & neighbour.asked,
			canServe: (s, child) => this.parents.isConnected(s) && this.parents.parentOf(s) !== child,
		};
	}
}

/** Whether a child that was told one depth is cut off by the next. */
function isLoss(before = 0, now: number): boolean {
	if (before === NO_DEPTH) return false;
	return now === NO_DEPTH || (now & CUT_DEPTH) > (before & CUT_DEPTH);
}

function tellGiven(neighbour: Neighbour): void {
	neighbour.link.send({
		type: 'subscribed',
		substreams: neighbour.given,
		asked: neighbour.askedUs,
	});
}
