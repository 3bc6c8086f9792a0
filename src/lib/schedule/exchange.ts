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

/**
 * Peer exchange (after BEP 11): neighbours tell each other whom they know, so that a swarm keeps forming links while no
 * tracker is reachable. The broadcaster takes no introductions.
 */
export class PeerExchange {
	readonly #role: PeerRole;
	readonly #clock: Clock;
	readonly #ownId: string;
	readonly #links: () => Iterable<Link>;
	readonly #candidates = new Map<string, { via: Link; atMs: number }>();
	readonly #triedAtMs = new Map<string, number>();

	/** `links` gives the neighbours there are. */
	constructor(
		options: { role: PeerRole; peerId: Uint8Array; clock: Clock },
		links: () => Iterable<Link>,
	) {
		this.#role = options.role;
		this.#clock = options.clock;
		this.#ownId = toHex(options.peerId);
		this.#links = links;
	}

	/** Whether there is a link to this peer. */
	hasLinkTo(peerId: string): boolean {
		for (const link of this.#links()) if (link.peerId === peerId) return true;
		return false;
	}

	/** Tells a new neighbour whom we have links to. */
	greet(link: Link): void {
		const peers: Uint8Array[] = [];
		for (const { peerId } of this.#links()) {
			const bytes = peerId === link.peerId ? undefined : fromHex(peerId);
			if (bytes?.length === 20 && peers.length < MAX_EXCHANGED_PEERS) peers.push(bytes);
		}
		if (peers.length > 0) link.send({ type: 'exchange', peers });
	}

	/** Takes introductions. */
	take(link: Link, peers: readonly Uint8Array[]): void {
		if (this.#role === 'broadcaster') return;
		let fromThis = 0;
		for (const { via } of this.#candidates.values()) if (via === link) fromThis++;
		for (const peer of peers) {
			const peerId = toHex(peer);
			if (peerId === this.#ownId || this.#candidates.has(peerId) || this.hasLinkTo(peerId))
				continue;
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
	pick(count: number): { peerId: Uint8Array; via: Link }[] {
		const picked: { peerId: Uint8Array; via: Link }[] = [];
		const nowMs = this.#clock.now();
		for (const [peerId, { via }] of this.#candidates) {
			if (picked.length >= count) break;
			this.#candidates.delete(peerId);
			const triedAtMs = this.#triedAtMs.get(peerId) ?? -Infinity;
			if (this.hasLinkTo(peerId) || nowMs - triedAtMs < RETRY_MS) continue;
			const bytes = fromHex(peerId);
			if (!bytes) continue;
			if (this.#triedAtMs.size > MAX_CANDIDATES) this.#triedAtMs.clear();
			this.#triedAtMs.set(peerId, nowMs);
			picked.push({ peerId: bytes, via });
		}
		return picked;
	}

	/**
	 * Whether a signal that came over `link` is for us. One for a neighbour is passed on, in the name of whoever sent it here, so
	 * nobody speaks in another's.
	 */
	isOurs(link: Link, signal: SignalMessage): boolean {
		const target = toHex(signal.to);
		if (target === this.#ownId) return true;
		for (const to of this.#links()) {
			if (to.peerId !== target || to === link) continue;
			to.send({ ...signal, from: fromHex(link.peerId) ?? signal.from });
			break;
		}
		return false;
	}

	/** Forgets everybody. */
	close(): void {
		this.#candidates.clear();
	}
}
