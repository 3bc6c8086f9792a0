import type { Link } from '../model/link.ts';
import { newNeighbour, SLOTS, type Neighbour } from './neighbour.ts';

/** The neighbours there are; each has a slot, its bit in the holders of every piece, while it is here. */
export class Roster {
	readonly #bySlot: (Neighbour | undefined)[] = new Array<undefined>(SLOTS).fill(undefined);
	#all: readonly Neighbour[] = [];

	/** All of them, in order of arrival; not to be changed. */
	get all(): readonly Neighbour[] {
		return this.#all;
	}

	/** The neighbour in a slot. */
	at(slot: number | undefined): Neighbour | undefined {
		return slot === undefined ? undefined : this.#bySlot[slot];
	}

	/** The neighbour at the other end of a link. */
	of(link: Link): Neighbour | undefined {
		return this.#all.find((neighbour) => neighbour.link === link);
	}

	/** Takes a new link; gives `undefined` when every slot is taken. */
	add(link: Link, nowMs: number): Neighbour | undefined {
		const slot = this.#bySlot.indexOf(undefined);
		if (slot < 0) return undefined;
		const neighbour = newNeighbour(link, slot, nowMs);
		this.#bySlot[slot] = neighbour;
		this.#all = [...this.#all, neighbour];
		return neighbour;
	}

	/** Forgets one; gives whether it was here. */
	remove(neighbour: Neighbour): boolean {
		if (this.#bySlot[neighbour.slot] !== neighbour) return false;
		this.#bySlot[neighbour.slot] = undefined;
		this.#all = this.#all.filter((other) => other !== neighbour);
		return true;
	}
}
