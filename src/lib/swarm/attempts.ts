import type { LinkOrigin } from '../model/link.ts';
import type { Clock } from '../util/clock.ts';
import { fromHex } from '../util/bytes.ts';
import type { Attempt, AttemptCounts, AttemptsHost } from './attempt.ts';
import { randomIdHex } from './binary-id.ts';
import * as bounds from './bounds.ts';
import { Connection } from './connection.ts';
import { cleanDescription } from './session-description.ts';
import { TokenBucket } from '../util/token-bucket.ts';
import type { AnnouncedOffer } from './tracker-message.ts';
import { WireLink } from './wire-link.ts';

/** An answer on its way back to whoever offered. */
export type SendDescription = (offerId: string, sdp: string) => void;

/** Every connection that is not a link yet: our offers, their offers, and who may become a neighbour. */
export class Attempts {
	readonly counts: AttemptCounts = {
		offersMade: 0,
		offersTaken: 0,
		offersRefused: { unwanted: 0, duplicate: 0, shunned: 0, budget: 0, full: 0, bad: 0 },
		answersTaken: 0,
		answersRefused: 0,
	};
	readonly #host: AttemptsHost;
	readonly #clock: Clock;
	readonly #attempts = new Set<Attempt>();
	readonly #byOfferId = new Map<string, Attempt>();
	readonly #inbound: Record<LinkOrigin, TokenBucket>;
	/** Every RTCPeerConnection that is not released: links', attempts', and those that deliver their last bytes. */
	readonly #connections = new Set<Connection>();
	#wanted = 0;
	/** Links that would still be taken when others offer them. */
	#room = 0;
	#closed = false;
	#whenReleased: () => void = () => undefined;

	constructor(host: AttemptsHost) {
		this.#host = host;
		this.#clock = host.connection.clock;
		const bucket = () =>
			new TokenBucket(bounds.INBOUND_OFFERS_PER_S, bounds.INBOUND_OFFERS_BURST, () =>
				this.#clock.now(),
			);
		this.#inbound = { tracker: bucket(), exchange: bucket() };
	}

	/** Connections under way, unanswered offers included. */
	get size(): number {
		return this.#attempts.size;
	}

	/** RTCPeerConnections in all: links', attempts', and those that still deliver their last bytes. */
	get connections(): number {
		return this.#connections.size;
	}

	/** Attempts toward a known peer. */
	get connecting(): number {
		return this.#count(({ peerId }) => peerId !== undefined);
	}

	/** Offers that wait to be made or answered by anyone. */
	get openOffers(): number {
		return this.#count(({ peerId }) => peerId === undefined);
	}

	get isMakingOffers(): boolean {
		return this.#count(({ step, origin }) => step === 'making' && origin === 'tracker') > 0;
	}

	/** Whether `takeOffers` would give any. */
	get hasOffers(): boolean {
		return this.#count((attempt) => this.#isIdle(attempt)) > 0;
	}

	/** How many more links are wanted, and how many there is room for. Makes or withdraws offers accordingly. */
	setWanted(count: number, room: number): void {
		this.#wanted = count;
		this.#room = room;
		this.evaluate();
	}

	/** Keeps as many offers ready as the links wanted call for. */
	evaluate(): void {
		if (this.#closed) return;
		const wanted = this.#missing() > 0;
		if (!wanted) {
			// Those just announced may be answered any moment, and a surplus link is easily ended.
			for (const attempt of [...this.#attempts]) if (this.#isIdle(attempt)) this.#abandon(attempt);
			return;
		}
		if (!this.#host.canAnnounce() || this.#isAboutToLink()) return;
		const target = Math.min(bounds.MAX_OPEN_OFFERS, this.#missing() + 1);
		while (this.openOffers < target && this.#hasRoom()) {
			const attempt = this.#begin({ origin: 'tracker', initiated: true, peerId: undefined });
			if (!attempt) return;
			void this.#makeOffer(attempt);
		}
	}

	/** Ready offers to announce, each under a new id. */
	takeOffers(most: number): AnnouncedOffer[] {
		const offers: AnnouncedOffer[] = [];
		if (this.#missing() <= 0) return offers;
		for (const attempt of this.#attempts) {
			if (offers.length >= most) break;
			if (!this.#isIdle(attempt)) continue;
			const offerId = this.#nameOffer(attempt);
			attempt.announcedAtMs = this.#clock.now();
			offers.push({ offerId, sdp: attempt.sdp });
		}
		this.evaluate();
		return offers;
	}

	/** Says that these offers reached nobody, so that they may be announced again at once. */
	releaseOffers(offerIds: readonly string[]): void {
		for (const offerId of offerIds) {
			const attempt = this.#byOfferId.get(offerId);
			if (attempt?.step === 'waiting') attempt.announcedAtMs = -Infinity;
		}
	}

	/** Takes or refuses an offer from outside; `send` carries the answer back. */
	takeOffer(
		origin: LinkOrigin,
		peerId: string,
		offerId: string,
		offerSdp: string,
		send: SendDescription,
	): void {
		const refused = this.counts.offersRefused;
		if (this.#closed || peerId === this.#host.peerId) return;
		if (this.#room <= 0) return void refused.unwanted++;
		if (this.#host.links.has(peerId)) return void refused.duplicate++;
		if (this.#host.isShunned(peerId, origin)) return void refused.shunned++;
		if (!this.#inbound[origin].take()) return void refused.budget++;
		const sdp = cleanDescription(offerSdp, this.#host.rules);
		if (!sdp) return void refused.bad++;
		if (!this.#prefers(peerId, false)) return void refused.duplicate++;
		if (!this.#isWelcome() && !this.#makeWay()) return void refused.unwanted++;
		if (!this.#hasRoom() && !this.#makeRoom() && !this.#makeWay()) return void refused.full++;
		const attempt = this.#begin({ origin, initiated: false, peerId });
		if (!attempt) return;
		this.counts.offersTaken++;
		this.#connecting(attempt, peerId);
		void this.#answer(attempt, sdp, offerId, send);
	}

	/** Takes an answer that fits an open offer of ours; counts and drops any other. */
	takeAnswer(origin: LinkOrigin, peerId: string, offerId: string, answerSdp: string): void {
		const attempt = this.#byOfferId.get(offerId);
		const fits =
			attempt?.step === 'waiting' &&
			attempt.origin === origin &&
			(attempt.peerId === undefined || attempt.peerId === peerId);
		const sdp = fits ? cleanDescription(answerSdp, this.#host.rules) : undefined;
		if (!attempt || !sdp || this.#host.isShunned(peerId, origin)) {
			this.counts.answersRefused++;
			return;
		}
		this.counts.answersTaken++;
		if (this.#host.links.has(peerId) || !this.#prefers(peerId, true, attempt)) {
			this.#abandon(attempt);
			this.evaluate();
			return;
		}
		attempt.cancelExpiry();
		attempt.peerId = peerId;
		this.#connecting(attempt, peerId);
		attempt.connection.accept(sdp);
		this.evaluate();
	}

	/** Offers a connection to one peer through a neighbour; `send` carries the offer there. */
	async meet(peerId: string, send: SendDescription): Promise<void> {
		if (this.#closed || peerId === this.#host.peerId) return;
		if (this.#host.links.has(peerId) || this.#host.isShunned(peerId, 'exchange')) return;
		const underWay = this.#count((attempt) => attempt.origin === 'exchange' && attempt.initiated);
		if (underWay >= bounds.MAX_EXCHANGE_ATTEMPTS) return;
		if (this.#attemptWith(peerId) || (!this.#hasRoom() && !this.#makeRoom())) return;
		const attempt = this.#begin({ origin: 'exchange', initiated: true, peerId });
		if (!attempt || !(await this.#makeOffer(attempt))) return;
		send(this.#nameOffer(attempt), attempt.sdp);
		attempt.cancelExpiry();
		attempt.cancelExpiry = this.#clock.after(bounds.CONNECT_DEADLINE_MS, () =>
			this.#abandon(attempt),
		);
	}

	/** Drops every attempt; resolves when the last connection, links' included, is released. */
	async close(): Promise<void> {
		this.#closed = true;
		for (const attempt of [...this.#attempts]) this.#abandon(attempt);
		if (this.#connections.size > 0) {
			await new Promise<void>((resolve) => (this.#whenReleased = resolve));
		}
	}

	#count(test: (attempt: Attempt) => boolean): number {
		let count = 0;
		for (const attempt of this.#attempts) if (test(attempt)) count++;
		return count;
	}

	/** The first link comes before everything: making further offers would keep it waiting for the processor. */
	#isAboutToLink(): boolean {
		if (this.#host.links.size > 0) return false;
		const sinceMs = this.#clock.now() - bounds.FIRST_LINK_MS;
		return this.#count((attempt) => attempt.connectingAtMs > sinceMs) > 0;
	}

	#connecting(attempt: Attempt, peerId: string): void {
		attempt.step = 'connecting';
		attempt.connectingAtMs = this.#clock.now();
		attempt.link = this.#link(attempt, peerId);
		attempt.cancelExpiry = this.#clock.after(bounds.FIRST_LINK_MS, () => this.evaluate());
	}

	/** Links wanted that nobody is being connected to for. */
	#missing(): number {
		return this.#wanted - this.connecting;
	}

	#hasRoom(): boolean {
		return this.size < bounds.MAX_ATTEMPTS && this.connections < bounds.MAX_CONNECTIONS;
	}

	/** Whether one more attempt fits the links there is room for. */
	#isWelcome(): boolean {
		return this.connecting < this.#room + bounds.SPARE_ATTEMPTS;
	}

	/** Gives up an attempt that takes too long, so that dead peers don't keep living ones out. */
	#makeWay(): boolean {
		for (const attempt of this.#attempts) {
			if (attempt.step !== 'connecting') continue;
			if (this.#clock.now() - attempt.connectingAtMs < bounds.STALE_ATTEMPT_MS) continue;
			this.#abandon(attempt);
			return true;
		}
		return false;
	}

	/** Gives up the oldest offer that nobody took: a peer at the door is worth more. */
	#makeRoom(): boolean {
		for (const attempt of this.#attempts) {
			if (attempt.peerId !== undefined) continue;
			this.#abandon(attempt);
			break;
		}
		return this.#hasRoom();
	}

	#isIdle({ step, origin, announcedAtMs }: Attempt): boolean {
		if (step !== 'waiting' || origin !== 'tracker') return false;
		return this.#clock.now() - announcedAtMs >= bounds.OFFER_IDLE_MS;
	}

	#attemptWith(peerId: string): Attempt | undefined {
		for (const attempt of this.#attempts) if (attempt.peerId === peerId) return attempt;
		return undefined;
	}

	/**
	 * When both sides offer at once, both keep the attempt of the peer with the smaller id; of two offers of ours, by tracker and by a
	 * neighbour, the one that was answered, as the other side refuses the second. Tells whether a new attempt goes ahead, and drops the one that it
	 * replaces.
	 */
	#prefers(peerId: string, initiated: boolean, except?: Attempt): boolean {
		const other = this.#attemptWith(peerId);
		if (!other || other === except) return true;
		const isUnanswered = initiated && other.initiated && other.step !== 'connecting';
		if (other.initiated === initiated && !isUnanswered) return false;
		const smallerIsOurs = this.#host.peerId < peerId;
		if (!isUnanswered && smallerIsOurs !== initiated) return false;
		this.#abandon(other);
		return true;
	}

	#begin(as: Pick<Attempt, 'origin' | 'initiated' | 'peerId'>): Attempt | undefined {
		let connection: Connection;
		try {
			connection = new Connection(this.#host.connection);
		} catch (error) {
			this.#host.onUnavailable(error);
			return undefined;
		}
		const attempt: Attempt = {
			...as,
			connection,
			step: 'making',
			sdp: '',
			offerIds: [],
			announcedAtMs: -Infinity,
			connectingAtMs: -Infinity,
			link: undefined,
			cancelExpiry: () => undefined,
		};
		connection.onEnd = () => this.#drop(attempt);
		connection.onReleased = () => {
			this.#connections.delete(connection);
			if (this.#connections.size === 0) this.#whenReleased();
		};
		this.#connections.add(connection);
		this.#attempts.add(attempt);
		return attempt;
	}

	async #makeOffer(attempt: Attempt): Promise<boolean> {
		try {
			const sdp = cleanDescription(await attempt.connection.offer(), this.#host.rules);
			if (!this.#attempts.has(attempt)) return false;
			if (!sdp) throw new Error('the browser made no data-channel description');
			attempt.sdp = sdp;
			attempt.step = 'waiting';
			this.counts.offersMade++;
			attempt.cancelExpiry = this.#clock.after(bounds.OFFER_LIFE_MS, () => {
				this.#abandon(attempt);
				this.evaluate();
			});
			return true;
		} catch {
			this.#abandon(attempt);
			return false;
		} finally {
			this.#host.onOffers();
		}
	}

	async #answer(
		attempt: Attempt,
		sdp: string,
		offerId: string,
		send: SendDescription,
	): Promise<void> {
		try {
			const answer = cleanDescription(await attempt.connection.answer(sdp), this.#host.rules);
			if (answer && this.#attempts.has(attempt)) send(offerId, answer);
		} catch {
			// the connection ended, which its link has told
		}
	}

	#nameOffer(attempt: Attempt): string {
		const offerId = randomIdHex();
		attempt.offerIds.push(offerId);
		this.#byOfferId.set(offerId, attempt);
		return offerId;
	}

	#link(attempt: Attempt, peerId: string): WireLink {
		const { connection, origin, initiated } = attempt;
		const wire = this.#host.wire({
			infoHash: this.#host.infoHash,
			peerId: fromHex(this.#host.peerId) ?? new Uint8Array(),
			initiator: initiated,
			now: () => this.#clock.now(),
		});
		return new WireLink({
			connection,
			wire,
			clock: this.#clock,
			peerId,
			initiated,
			origin,
			onReady: (link) => {
				this.#drop(attempt);
				if (this.#host.links.has(peerId)) link.close('crowded');
				else this.#host.onLink(link);
			},
			onEnd: (link, why) => {
				this.#drop(attempt);
				this.#host.onEnd(link, why);
			},
		});
	}

	/** Closes an attempt and forgets it. */
	#abandon(attempt: Attempt): void {
		if (attempt.link) attempt.link.close('closed');
		else attempt.connection.close({ deliver: false });
		this.#drop(attempt);
	}

	#drop(attempt: Attempt): void {
		if (!this.#attempts.delete(attempt)) return;
		attempt.cancelExpiry();
		for (const offerId of attempt.offerIds) this.#byOfferId.delete(offerId);
	}
}
