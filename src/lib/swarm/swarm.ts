import { ShoalError } from '../model/error.ts';
import { isBreach, type Link, type LinkOrigin } from '../model/link.ts';
import type { PeerRole, SignalMessage } from '../model/message.ts';
import type { WireFactory } from '../model/wire.ts';
import { concatBytes, fromHex, toHex, utf8 } from '../util/bytes.ts';
import type { Clock, Random } from '../util/clock.ts';
import { Emitter } from '../util/emitter.ts';
import type { Account } from './account.ts';
import { Announcer, type TrackerState } from './announcer.ts';
import type { AttemptCounts } from './attempt.ts';
import { Attempts } from './attempts.ts';
import { ID_BYTES } from './binary-id.ts';
import { ICE_FAILURES_TO_TELL, MAX_TRACKERS } from './bounds.ts';
import { isLoopbackUrl } from './session-description.ts';
import { ShunList } from './shun-list.ts';
import type { WireLink, WireLinkEnd } from './wire-link.ts';

/** What a swarm is joined with. */
export interface SwarmOptions {
	/** The channel's infohash, 20 bytes. */
	readonly infoHash: Uint8Array;
	/** WebSocket URLs of trackers; all are used side by side, at most `MAX_TRACKERS`. */
	readonly trackers: readonly string[];
	readonly iceServers: readonly RTCIceServer[];
	/** `relay` shows this peer's address to nobody but the TURN server. @default 'all' */
	readonly iceTransportPolicy?: RTCIceTransportPolicy;
	readonly role: PeerRole;
	readonly wire: WireFactory;
	readonly clock: Clock;
	readonly random: Random;
	/** @default the browser's */
	readonly webrtc?: typeof RTCPeerConnection | undefined;
	/** @default the browser's */
	readonly webSocket?: typeof WebSocket | undefined;
}

/** Why no links come about. Told once, and again after it was better in between. */
export interface SwarmTrouble {
	readonly code: 'no-tracker' | 'ice-failed' | 'no-webrtc';
	readonly detail: string;
}

/** What a swarm tells. */
export interface SwarmEvents {
	/** A new neighbour: both handshakes are through. Set its callbacks at once. */
	link: Link;
	/** How it stands with each tracker. */
	trackers: readonly TrackerState[];
	/** Peers as the trackers count them: broadcasters are `complete`. */
	audience: { readonly complete: number; readonly incomplete: number };
	trouble: SwarmTrouble;
}

/** Counts since the start, and how many there are now. */
export interface SwarmStats extends Readonly<AttemptCounts> {
	readonly links: number;
	/** Links by where they came from. */
	readonly linksByOrigin: Readonly<Record<LinkOrigin, number>>;
	/** Peers that a connection is being made to. */
	readonly connecting: number;
	/** Offers that nobody has taken. */
	readonly openOffers: number;
	/** RTCPeerConnections in all. */
	readonly connections: number;
	readonly linksMade: number;
	/** Ended attempts and links, by reason. */
	readonly ended: Readonly<Record<WireLinkEnd, number>>;
}

/** A channel's swarm: announces to trackers, makes WebRTC connections, and hands out links. */
export class Swarm extends Emitter<SwarmEvents> {
	/** This peer's id in the swarm, 20 bytes, new for each swarm. */
	readonly peerId: Uint8Array<ArrayBuffer>;
	readonly #options: SwarmOptions;
	readonly #peerIdHex: string;
	readonly #links = new Map<string, WireLink>();
	readonly #shunned: ShunList;
	readonly #ended = {} as Record<WireLinkEnd, number>;
	#attempts: Attempts | undefined;
	#announcers: readonly Announcer[] = [];
	#account: Account | undefined;
	#wanted = 0;
	#room = 0;
	#audience = 0;
	#linksMade = 0;
	#pathFailures = 0;
	#troubles = new Set<SwarmTrouble['code']>();
	#state: 'new' | 'open' | 'closed' = 'new';

	constructor(options: SwarmOptions) {
		super();
		if (options.infoHash.length !== ID_BYTES) throw new ShoalError('bad-link', 'infohash length');
		this.#options = options;
		// Azureus style: a client's letters and version, then randomness (BEP 20).
		this.peerId = concatBytes(utf8('-SH0100-'), crypto.getRandomValues(new Uint8Array(12)));
		this.#peerIdHex = toHex(this.peerId);
		this.#shunned = new ShunList(() => options.clock.now());
	}

	/** How it stands with each tracker. */
	get trackers(): readonly TrackerState[] {
		return this.#announcers.map(({ state }) => state);
	}

	get stats(): SwarmStats {
		const linksByOrigin = { tracker: 0, exchange: 0 };
		for (const { origin } of this.#links.values()) linksByOrigin[origin]++;
		return {
			offersMade: 0,
			offersTaken: 0,
			offersRefused: { unwanted: 0, duplicate: 0, shunned: 0, budget: 0, full: 0, bad: 0 },
			answersTaken: 0,
			answersRefused: 0,
			...structuredClone(this.#attempts?.counts),
			links: this.#links.size,
			linksByOrigin,
			connecting: this.#attempts?.connecting ?? 0,
			openOffers: this.#attempts?.openOffers ?? 0,
			connections: this.#attempts?.connections ?? 0,
			linksMade: this.#linksMade,
			ended: { ...this.#ended },
		};
	}

	/** Joins. Whatever goes wrong is told as `trouble` and tried again. */
	open(): void {
		if (this.#state !== 'new') return;
		this.#state = 'open';
		const { clock, random, trackers } = this.#options;
		const webrtc = this.#options.webrtc ?? globalThis.RTCPeerConnection;
		const webSocket = this.#options.webSocket ?? globalThis.WebSocket;
		if (!webrtc) return this.#tell('no-webrtc', 'there is no RTCPeerConnection');
		const urls = [...new Set(trackers)].filter(isTrackerUrl).slice(0, MAX_TRACKERS);
		this.#attempts = this.#makeAttempts(webrtc, urls.some(isLoopbackUrl));
		const infoHash = toHex(this.#options.infoHash);
		this.#announcers = urls.map((url) => {
			const host = this.#announcerHost(infoHash);
			return new Announcer(url, host, { clock, random, webSocket });
		});
		for (const announcer of this.#announcers) announcer.open();
		if (urls.length === 0) this.#tell('no-tracker', 'there is no tracker to ask');
		this.#evaluate();
	}

	/**
	 * Leaves: says goodbye to trackers and ends every link. Resolves when the last bytes are out. With `atOnce` every connection
	 * is closed within the call: a page that goes away runs nothing after, and what it leaves open is missed only after 15 s.
	 */
	async close({ atOnce = false } = {}): Promise<void> {
		if (this.#state === 'closed') return;
		this.#state = 'closed';
		for (const announcer of this.#announcers) announcer.close();
		for (const link of [...this.#links.values()]) link.close('closed', !atOnce);
		this.#links.clear();
		await this.#attempts?.close();
		this.removeAllListeners();
	}

	/**
	 * How many more links are wanted now; 0 stops offers. Offers of others are taken while there is `room` for so many
	 * links, so that newcomers find a place with those who seek no more.
	 */
	wantLinks(count: number, room = count): void {
		const more = count > this.#wanted;
		this.#wanted = Math.max(0, count);
		this.#room = Math.max(this.#wanted, room);
		if (this.#state !== 'open') return;
		this.#evaluate();
		if (more) for (const announcer of this.#announcers) announcer.hurry();
	}

	/** What trackers are told about this peer from the next announce on; at once when it begins to starve. */
	report(account: Account): void {
		const starves = account.starving && !this.#account?.starving;
		this.#account = account;
		if (starves) for (const announcer of this.#announcers) announcer.hurry();
	}

	/** Offers a link to a peer that a neighbour knows; `send` gives that neighbour what to pass on. */
	connectVia(peerId: Uint8Array, send: (signal: SignalMessage) => void): void {
		if (this.#state !== 'open' || peerId.length !== ID_BYTES) return;
		const to = peerId.slice();
		void this.#attempts?.meet(toHex(to), (offerId, sdp) => {
			send(this.#signal('offer', to, offerId, sdp));
		});
	}

	/** Takes an offer or answer that a neighbour passed on; `reply` gives it what to pass back. */
	onSignal(signal: SignalMessage, reply: (signal: SignalMessage) => void): void {
		if (this.#state !== 'open' || signal.from.length !== ID_BYTES) return;
		const from = signal.from.slice();
		const [peerId, offerId] = [toHex(from), toHex(signal.offerId)];
		if (signal.kind === 'answer') {
			this.#attempts?.takeAnswer('exchange', peerId, offerId, signal.sdp);
		} else {
			this.#attempts?.takeOffer('exchange', peerId, offerId, signal.sdp, (id, sdp) => {
				reply(this.#signal('answer', from, id, sdp));
			});
		}
	}

	#signal(kind: 'offer' | 'answer', to: Uint8Array, offerId: string, sdp: string): SignalMessage {
		const id = fromHex(offerId) ?? new Uint8Array();
		return { type: 'signal', to, from: this.peerId, kind, offerId: id, sdp };
	}

	#makeAttempts(webrtc: typeof RTCPeerConnection, allowLoopback: boolean): Attempts {
		const { infoHash, wire, clock, iceServers, iceTransportPolicy = 'all' } = this.#options;
		return new Attempts({
			infoHash,
			peerId: this.#peerIdHex,
			wire,
			connection: { webrtc, iceServers, iceTransportPolicy, clock },
			rules: { allowLoopback },
			links: this.#links,
			isShunned: (peerId, origin) => this.#shunned.has(peerId, origin),
			canAnnounce: () => this.#announcers.some(({ state }) => state.state !== 'retrying'),
			onOffers: () => this.#announcers.forEach((announcer) => announcer.evaluate()),
			onLink: (link) => this.#addLink(link),
			onEnd: (link, why) => this.#onEnd(link, why),
			onUnavailable: (error) => this.#tell('no-webrtc', String(error)),
		});
	}

	#announcerHost(infoHash: string): ConstructorParameters<typeof Announcer>[1] {
		return {
			infoHash,
			peerId: this.#peerIdHex,
			left: this.#options.role === 'broadcaster' ? 0 : 1,
			takeOffers: (most) => this.#attempts?.takeOffers(most) ?? [],
			hasOffers: () => this.#attempts?.hasOffers ?? false,
			isMakingOffers: () => this.#attempts?.isMakingOffers ?? false,
			isEager: () => this.#wanted > (this.#attempts?.connecting ?? 0),
			knowsAll: () => this.#links.size > 0 && this.#links.size >= this.#audience - 1,
			account: () => this.#account,
			onState: () => this.#onTrackers(),
			onIntroduction: ({ type, peerId, offerId, sdp }, from) => {
				if (type === 'answer') {
					this.#attempts?.takeAnswer('tracker', peerId, offerId, sdp);
					return;
				}
				this.#attempts?.takeOffer('tracker', peerId, offerId, sdp, (id, answer) => {
					from.answer(peerId, id, answer);
				});
			},
			onAudience: (complete, incomplete) => {
				this.#audience = complete + incomplete;
				this.emit('audience', { complete, incomplete });
			},
			onNotRelayed: (offerIds) => this.#attempts?.releaseOffers(offerIds),
		};
	}

	#evaluate(): void {
		this.#attempts?.setWanted(this.#wanted, this.#room);
		for (const announcer of this.#announcers) announcer.evaluate();
	}

	#addLink(link: WireLink): void {
		this.#links.set(link.peerId, link);
		this.#linksMade++;
		this.#pathFailures = 0;
		this.#troubles.delete('ice-failed');
		this.emit('link', link);
	}

	#onEnd(link: WireLink, why: WireLinkEnd): void {
		this.#ended[why] = (this.#ended[why] ?? 0) + 1;
		if (this.#links.get(link.peerId) === link) this.#links.delete(link.peerId);
		if (isBreach(why) || why === 'no-extension') this.#shunned.add(link.peerId, link.origin);
		if (why === 'unreachable') this.#onPathFailure(link);
		if (this.#state === 'open') this.#evaluate();
	}

	#onPathFailure(link: WireLink): void {
		// An offer of theirs may have been taken by somebody else; an answer to ours was meant for us.
		this.#pathFailures += link.initiated ? 1 : 0.5;
		if (this.#linksMade === 0 && this.#pathFailures >= ICE_FAILURES_TO_TELL) {
			this.#tell('ice-failed', 'peers were found, but no path to any of them');
		}
	}

	#onTrackers(): void {
		const states = this.trackers;
		this.emit('trackers', states);
		if (states.some(({ state }) => state === 'open')) {
			this.#troubles.delete('no-tracker');
		} else if (states.length > 0 && states.every(({ lastError }) => lastError !== undefined)) {
			this.#tell(
				'no-tracker',
				states.map(({ url, lastError }) => `${url}: ${lastError}`).join('; '),
			);
		}
		if (this.#state === 'open') this.#evaluate();
	}

	#tell(code: SwarmTrouble['code'], detail: string): void {
		if (this.#troubles.has(code) || this.#state === 'closed') return;
		this.#troubles.add(code);
		this.emit('trouble', { code, detail });
	}
}

function isTrackerUrl(url: string): boolean {
	return /^wss?:\/\/./i.test(url);
}
