import type { Clock } from '../util/clock.ts';
import { MAX_HAVE_BITS_BYTES, type HaveMessage } from '../model/message.ts';
import { HAVE_BATCH_MS } from './bounds.ts';
import type { Roster } from './roster.ts';
import type { Tracks } from './tracks.ts';

/** Holders of a piece that left the window: nobody needs to hear of it. */
const EVERYBODY = -1;

/** Tells neighbours which pieces we hold: gathered for a moment, and only to those not known to have them. */
export class Announcer {
	readonly #clock: Clock;
	readonly #roster: Roster;
	readonly #tracks: Tracks;
	readonly #mute: () => boolean;
	#pieces: number[] = [];
	#stop: (() => void) | undefined;

	/** While `mute` is true what is held is not told. */
	constructor(options: { clock: Clock; roster: Roster; tracks: Tracks; mute: () => boolean }) {
		this.#clock = options.clock;
		this.#roster = options.roster;
		this.#tracks = options.tracks;
		this.#mute = options.mute;
	}

	/** A piece is held. */
	announce(index: number): void {
		this.#pieces.push(index);
		this.#stop ??= this.#clock.after(HAVE_BATCH_MS, () => this.#send());
	}

	close(): void {
		this.#stop?.();
		this.#pieces = [];
	}

	#send(): void {
		this.#stop = undefined;
		const indexes = this.#pieces.sort((a, b) => a - b);
		this.#pieces = [];
		if (this.#mute()) return;
		const holders = indexes.map((index) => {
			const track = this.#tracks.of(index);
			return track ? (track.holders[index - track.firstPiece] ?? 0) : EVERYBODY;
		});
		const told = new Map<string, HaveMessage[]>();
		for (const neighbour of this.#roster.all) {
			if (neighbour.role === undefined) continue;
			// The broadcaster has everything; it listens to see whether its pieces spread.
			const bit = neighbour.role === 'broadcaster' ? 0 : 1 << neighbour.slot;
			const news = indexes.filter((_, i) => ((holders[i] ?? EVERYBODY) & bit) === 0);
			if (news.length === 0) continue;
			// Many lack the same pieces, and are told with the same message.
			const name = news.join();
			let haves = told.get(name);
			if (!haves) told.set(name, (haves = toHaves(news)));
			for (const have of haves) neighbour.link.send(have);
		}
	}
}

/** Piece numbers in rising order as few `have` messages. */
export function toHaves(indexes: readonly number[]): HaveMessage[] {
	const haves: HaveMessage[] = [];
	let first = -1;
	let bits: number[] = [];
	const end = () => {
		if (bits.length > 0) haves.push({ type: 'have', first, bits: Uint8Array.from(bits) });
	};
	for (const index of indexes) {
		if (first < 0 || index - first >= MAX_HAVE_BITS_BYTES * 8) {
			end();
			first = index;
			bits = [];
		}
		const at = index - first;
		while (bits.length <= at >> 3) bits.push(0);
		bits[at >> 3] = (bits[at >> 3] ?? 0) | (0x80 >> (at & 7));
	}
	end();
	return haves;
}
