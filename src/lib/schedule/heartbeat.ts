import type { LinkEnd, Link } from '../model/link.ts';
import type { Account } from './account.ts';
import type { Liveness } from './liveness.ts';
import type { Neighbour } from './neighbour.ts';
import type { Roster } from './roster.ts';
import type { Trees } from './trees.ts';

/** Pings: signs of life that carry this peer's account of itself, and the end of neighbours that give none. */
export class Heartbeat {
	readonly #roster: Roster;
	readonly #trees: Trees;
	readonly #account: Account;
	readonly #liveness: Liveness;
	readonly #hop: () => number;
	readonly #end: (link: Link, why: LinkEnd) => void;
	/** How far this peer's playhead is behind; `undefined` when it shows nothing. */
	behindMs: number | undefined;

	constructor(options: {
		roster: Roster;
		trees: Trees;
		account: Account;
		liveness: Liveness;
		/** Hops to the broadcaster by the best parent. */
		hop: () => number;
		end: (link: Link, why: LinkEnd) => void;
	}) {
		this.#roster = options.roster;
		this.#trees = options.trees;
		this.#account = options.account;
		this.#liveness = options.liveness;
		this.#hop = options.hop;
		this.#end = options.end;
	}

	/** Pings who is due, and leaves who was silent too long. */
	beat(nowMs: number): void {
		const sleptMs = this.#liveness.sleptMs(nowMs);
		for (const neighbour of this.#roster.all) {
			if (sleptMs > 0) neighbour.heardAtMs = Math.min(nowMs, neighbour.heardAtMs + sleptMs);
			if (this.#liveness.isSilent(neighbour, nowMs)) this.#end(neighbour.link, 'silent');
			else if (this.#liveness.shouldPing(neighbour, nowMs)) this.ping(neighbour, nowMs);
		}
		this.#liveness.noteMany(this.#roster.all, nowMs);
	}

	/** Pings one neighbour; `told` are the depths to tell it, when they are known already. */
	ping(neighbour: Neighbour, nowMs: number, told?: Uint8Array): void {
		if (neighbour.role === undefined) return;
		const depths = told ?? this.#trees.depthsFor(neighbour, nowMs);
		const branches = this.#trees.branches();
		neighbour.toldDepths = depths;
		neighbour.toldBranches = branches;
		neighbour.toldAtMs = nowMs;
		neighbour.link.send({
			type: 'ping',
			nonce: this.#liveness.pinged(neighbour, nowMs),
			hop: this.#hop(),
			spareKbps: this.#account.spareKbps(this.#trees.promisedKbps()),
			uplinkKbps: this.#account.uplinkKbps,
			behindMs: this.behindMs ?? 0xffff,
			links: this.#roster.all.length,
			depths,
			branches,
		});
	}
}
