import { fromHex, toHex } from '../util/bytes.ts';
import type { Clock } from '../util/clock.ts';
import type { Link } from '../model/link.ts';
import { MAX_EXCHANGED_PEERS, type PeerRole, type SignalMessage } from '../model/message.ts';

/** Who was tried isn't tried again for this long. */
const RETRY_MS = 60_000;
/** Peers heard of and not yet tried that are remembered, at most. */
const MAX_CANDIDATES = 200;
/** Of those, at most this many from one neighbour: nobody fills the table alone. */
const MAX_CANDIDATES_PER_LINK = 50;

/** Where a signal goes. */
export type SignalRoute =
	| { readonly type: 'ours' }
	| { readonly type: 'forward'; readonly to: Link; readonly signal: SignalMessage }
	| { readonly type: 'nowhere' };

/**
 * Peer exchange (after BEP 11): neighbours tell each other whom they know, so that a swarm keeps forming links while no
 * tracker is reachable. The broadcaster takes no introductions.
 */
export class PeerExchange {
	readonly #role: PeerRole;
	readonly #clock: Clock;
	readonly #ownId: string;
	readonly #candidates = new Map<string, { via: Link; atMs: number }>();
	readonly #triedAtMs = new Map<string, number>();

	constructor(options: { role: PeerRole; peerId: Uint8Array; clock: Clock }) {
		this.#role = options.role;
		this.#clock = options.clock;
		this.#ownId = toHex(options.peerId);
	}

	/** Tells a new neighbour whom we have links to. */
	greet(link: Link, peerIds: ReadonlySet<string>): void {
		const peers: Uint8Array[] = [];
		for (const peerId of peerIds) {
			const bytes = peerId === link.peerId ? undefined : fromHex(peerId);
			if (bytes?.length === 20 && peers.length < MAX_EXCHANGED_PEERS) peers.push(bytes);
		}
		if (peers.length > 0) link.send({ type: 'exchange', peers });
	}

	/** Takes introductions. */
	take(link: Link, peers: readonly Uint8Array[], known: ReadonlySet<string>): void {
		if (this.#role === 'broadcaster') return;
		let fromThis = 0;
		for (const { via } of this.#candidates.values()) if (via === link) fromThis++;
		for (const peer of peers) {
			const peerId = toHex(peer);
			if (peerId === this.#ownId || known.has(peerId) || this.#candidates.has(peerId)) continue;
			if (++fromThis > MAX_CANDIDATES_PER_LINK || this.#candidates.size >= MAX_CANDIDATES) break;
			this.#candidates.set(peerId, { via: link, atMs: this.#clock.now() });
		}
	}

	/** Forgets what a neighbour that left has introduced. */
	remove(link: Link): void {
		for (const [peerId, { via }] of this.#candidates) {
			if (via === link) this.#candidates.delete(peerId);
		}
	}

	/** Candidates to connect to now, at most `count`, and the neighbour that knows each; each is given once. */
	pick(count: number, known: ReadonlySet<string>): { peerId: Uint8Array; via: Link }[] {
		const picked: { peerId: Uint8Array; via: Link }[] = [];
		const nowMs = this.#clock.now();
		for (const [peerId, { via }] of this.#candidates) {
			if (picked.length >= count) break;
			this.#candidates.delete(peerId);
			if (known.has(peerId) || nowMs - (this.#triedAtMs.get(peerId) ?? -Infinity) < RETRY_MS)
				continue;
			const bytes = fromHex(peerId);
			if (!bytes) continue;
			if (this.#triedAtMs.size > MAX_CANDIDATES) this.#triedAtMs.clear();
			this.#triedAtMs.set(peerId, nowMs);
			picked.push({ peerId: bytes, via });
		}
		return picked;
	}

	/**
	 * Where a signal goes that came over `link`: to us, to the neighbour it is for, or nowhere. Who passes it on writes whom
	 * it is from, so nobody speaks in another's name.
	 */
	route(link: Link, signal: SignalMessage, links: Iterable<Link>): SignalRoute {
		const target = toHex(signal.to);
		if (target === this.#ownId) return { type: 'ours' };
		for (const to of links) {
			if (to.peerId !== target || to === link) continue;
			return {
				type: 'forward',
				to,
				signal: { ...signal, from: fromHex(link.peerId) ?? signal.from },
			};
		}
		return { type: 'nowhere' };
	}

	/** Forgets everybody. */
	close(): void {
		this.#candidates.clear();
	}
}
