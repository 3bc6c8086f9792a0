import type { Clock, Random } from '../util/clock.ts';
import type { Account } from './account.ts';
import { backoffMs } from './backoff.ts';
import * as bounds from './bounds.ts';
import { TokenBucket } from '../util/token-bucket.ts';
import {
	announceFrame,
	answerFrame,
	parseTrackerFrame,
	type AnnouncedOffer,
	type TrackerMessage,
} from './tracker-message.ts';

/** How it stands with one tracker. */
export interface TrackerState {
	readonly url: string;
	readonly state: 'connecting' | 'open' | 'retrying';
	/** What went wrong last, plain text; `undefined` since the tracker last answered. While `open`, the reason that it refuses us for. */
	readonly lastError?: string;
	/** Milliseconds from the change to this state until the next try. */
	readonly retryInMs?: number;
}

/** What an announcer needs to know, and tells. */
export interface AnnouncerHost {
	/** 40 hexadecimal characters each. */
	readonly infoHash: string;
	readonly peerId: string;
	readonly left: 0 | 1;
	/** Ready offers to announce, at most `most`, each under an id of its own. */
	takeOffers(most: number): readonly AnnouncedOffer[];
	/** Whether there are ready offers. */
	hasOffers(): boolean;
	/** Whether more offers are in the making. */
	isMakingOffers(): boolean;
	/** Whether links are wanted before the tracker's interval is over. */
	isEager(): boolean;
	/** Whether, as far as is known, there is nobody left to meet. */
	knowsAll(): boolean;
	account(): Account | undefined;
	onState(): void;
	onIntroduction(message: TrackerMessage & { type: 'offer' | 'answer' }, from: Announcer): void;
	onAudience(complete: number, incomplete: number): void;
	/** None of these offers found a peer. */
	onNotRelayed(offerIds: readonly string[]): void;
}

/** Keeps one tracker told of us, for ever: WebTorrent tracker protocol over one WebSocket. */
export class Announcer {
	readonly url: string;
	readonly #host: AnnouncerHost;
	readonly #clock: Clock;
	readonly #random: Random;
	readonly #webSocket: typeof WebSocket;
	#state: TrackerState;
	#socket: WebSocket | undefined;
	#closed = false;
	#failures = 0;
	#openedAtMs = 0;
	#frames: TokenBucket | undefined;
	#droppedFrames = 0;
	#hasAnnounced = false;
	#firstOfferAtMs: number | undefined;
	#announcedAtMs = 0;
	#announcedOffers: readonly string[] = [];
	#intervalMs = bounds.ANNOUNCE_DEFAULT_MS;
	#prompts = 0;
	#resume: string | undefined;
	#cancelRetry: () => void = () => undefined;
	#cancelAnnounce: () => void = () => undefined;
	#cancelDeadline: () => void = () => undefined;

	constructor(
		url: string,
		host: AnnouncerHost,
		{ clock, random, webSocket }: { clock: Clock; random: Random; webSocket: typeof WebSocket },
	) {
		this.url = url;
		this.#host = host;
		this.#clock = clock;
		this.#random = random;
		this.#webSocket = webSocket;
		this.#state = { url, state: 'connecting' };
	}

	get state(): TrackerState {
		return this.#state;
	}

	/** Whether the tracker can hear us now. */
	get isOpen(): boolean {
		return !this.#closed && this.#state.state === 'open';
	}

	/** Begins; later calls do nothing. */
	open(): void {
		if (this.#closed || this.#socket) return;
		this.#cancelRetry();
		this.#setState({ url: this.url, state: 'connecting', ...this.#lastError() });
		let socket: WebSocket;
		try {
			socket = new this.#webSocket(this.url);
		} catch (error) {
			return this.#retry(error instanceof Error ? error.message : 'refused');
		}
		this.#socket = socket;
		socket.onopen = () => this.#opened();
		socket.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data);
		socket.onerror = () => undefined; // close follows and says as much
		socket.onclose = ({ code, reason }) => this.#drop(closeText(code, reason));
		this.#cancelDeadline = this.#clock.after(bounds.TRACKER_OPEN_DEADLINE_MS, () =>
			this.#drop('no answer'),
		);
	}

	/** Something changed: offers are ready, or wishes are others. Announces when it is time. */
	evaluate(): void {
		if (!this.isOpen) return;
		this.#cancelAnnounce();
		const waitMs = Math.max(0, this.#dueAtMs() - this.#clock.now());
		if (waitMs === 0) this.#announce();
		else this.#cancelAnnounce = this.#clock.after(waitMs, () => this.evaluate());
	}

	/** Links are newly needed: prompt announces start over at their shortest distance. */
	hurry(): void {
		this.#prompts = 0;
		this.evaluate();
	}

	/** Sends the answer to an offer that came from this tracker; dropped when the tracker is away. */
	answer(toPeerId: string, offerId: string, sdp: string): void {
		const { infoHash, peerId } = this.#host;
		this.#send(answerFrame({ infoHash, peerId, toPeerId, offerId, sdp }));
	}

	/** Says goodbye and ends for good. */
	close(): void {
		if (this.#closed) return;
		if (this.isOpen && this.#hasAnnounced) this.#sendAnnounce('stopped', []);
		this.#closed = true;
		this.#forget();
	}

	#lastError(): { lastError?: string } {
		const { lastError } = this.#state;
		return lastError === undefined ? {} : { lastError };
	}

	#setState(state: TrackerState): void {
		this.#state = state;
		this.#host.onState();
	}

	#opened(): void {
		this.#cancelDeadline();
		this.#openedAtMs = this.#clock.now();
		this.#frames = new TokenBucket(bounds.TRACKER_FRAMES_PER_S, bounds.TRACKER_FRAMES_BURST, () =>
			this.#clock.now(),
		);
		this.#droppedFrames = 0;
		this.#hasAnnounced = false;
		this.#intervalMs = bounds.ANNOUNCE_DEFAULT_MS;
		this.#prompts = 0;
		this.#setState({ url: this.url, state: 'open' });
		this.evaluate();
	}

	/** When the next announce leaves, on the clock's scale. */
	#dueAtMs(): number {
		const host = this.#host;
		if (!this.#hasAnnounced) {
			// Trackers introduce us by our offers, so the first announce waits a moment for them.
			if (!host.isMakingOffers()) return this.#openedAtMs;
			const latestMs = this.#openedAtMs + bounds.FIRST_ANNOUNCE_MS;
			if (!host.hasOffers()) return latestMs;
			this.#firstOfferAtMs ??= this.#clock.now();
			return Math.min(latestMs, this.#firstOfferAtMs + bounds.FIRST_OFFERS_MS);
		}
		const regularAtMs = this.#announcedAtMs + this.#intervalMs;
		if (!host.isEager() || !(host.hasOffers() || host.isMakingOffers())) return regularAtMs;
		// What is known may be a moment old: newcomers and peers that lost the tracker are not counted yet.
		if (host.knowsAll() && this.#prompts >= bounds.PROMPTS_IN_DOUBT) return regularAtMs;
		const promptMs = Math.min(
			bounds.PROMPT_MOST_MS,
			bounds.PROMPT_LEAST_MS * 2 ** Math.min(10, this.#prompts),
		);
		return Math.min(regularAtMs, this.#announcedAtMs + promptMs);
	}

	#announce(): void {
		const isFirst = !this.#hasAnnounced;
		const offers = this.#host.takeOffers(bounds.MAX_OFFERS_PER_ANNOUNCE);
		if (!isFirst && this.#clock.now() < this.#announcedAtMs + this.#intervalMs) this.#prompts++;
		this.#hasAnnounced = true;
		this.#firstOfferAtMs = undefined;
		this.#announcedAtMs = this.#clock.now();
		this.#announcedOffers = offers.map(({ offerId }) => offerId);
		this.#sendAnnounce(isFirst ? 'started' : undefined, offers);
		this.#cancelDeadline();
		this.#cancelDeadline = this.#clock.after(bounds.TRACKER_REPLY_DEADLINE_MS, () =>
			this.#drop('no answer'),
		);
		this.evaluate();
	}

	#sendAnnounce(event: 'started' | 'stopped' | undefined, offers: readonly AnnouncedOffer[]) {
		const { infoHash, peerId, left } = this.#host;
		const account = this.#host.account();
		const resume = this.#resume;
		this.#send(announceFrame({ infoHash, peerId, left, event, offers, account, resume }));
	}

	#send(frame: string): void {
		const socket = this.#socket;
		if (!this.isOpen || !socket || socket.bufferedAmount > bounds.MAX_TRACKER_BUFFERED_BYTES) {
			return;
		}
		try {
			socket.send(frame);
		} catch {
			this.#drop('closed');
		}
	}

	#receive(data: unknown): void {
		if (!this.#frames?.take()) {
			if (++this.#droppedFrames > bounds.MAX_DROPPED_FRAMES) this.#drop('too many messages');
			return;
		}
		if (typeof data !== 'string' || data.length > bounds.MAX_TRACKER_FRAME_CHARS) return;
		const { infoHash, peerId } = this.#host;
		const message = parseTrackerFrame(data, infoHash, peerId);
		if (!message) return;
		this.#cancelDeadline();
		if (message.type === 'reply') this.#takeReply(message);
		else if (message.type === 'failure') this.#fail(message.reason);
		else this.#host.onIntroduction(message, this);
	}

	#takeReply({
		intervalS,
		complete,
		incomplete,
		relayed,
		resume,
	}: TrackerMessage & { type: 'reply' }): void {
		if (this.#state.lastError !== undefined) this.#setState({ url: this.url, state: 'open' });
		if (resume !== undefined) this.#resume = resume;
		if (intervalS !== undefined) {
			this.#intervalMs = Math.min(
				bounds.ANNOUNCE_MOST_MS,
				Math.max(bounds.ANNOUNCE_LEAST_MS, intervalS * 1000),
			);
		}
		if (relayed === 0 && this.#announcedOffers.length > 0) {
			this.#host.onNotRelayed(this.#announcedOffers);
		}
		if (complete !== undefined && incomplete !== undefined) {
			this.#host.onAudience(complete, incomplete);
		}
		this.evaluate();
	}

	/** The tracker refuses us in words; it may change its mind by the next announce. */
	#fail(reason: string): void {
		this.#setState({ url: this.url, state: 'open', lastError: reason });
	}

	#drop(why: string): void {
		if (this.#closed) return;
		// Who the tracker has not introduced by now, it never will.
		if (this.#announcedOffers.length > 0) this.#host.onNotRelayed(this.#announcedOffers);
		this.#announcedOffers = [];
		const livedMs = this.isOpen ? this.#clock.now() - this.#openedAtMs : 0;
		if (livedMs >= bounds.GOOD_CONNECTION_MS) this.#failures = 0;
		this.#forget();
		this.#retry(why);
	}

	#retry(why: string): void {
		this.#failures++;
		const retryInMs = backoffMs(
			this.#failures,
			bounds.RETRY_LEAST_MS,
			bounds.RETRY_MOST_MS,
			this.#random,
		);
		this.#cancelRetry = this.#clock.after(retryInMs, () => this.open());
		this.#setState({ url: this.url, state: 'retrying', lastError: why, retryInMs });
	}

	/** Lets go of the socket and of every timer. */
	#forget(): void {
		this.#cancelRetry();
		this.#cancelAnnounce();
		this.#cancelDeadline();
		this.#firstOfferAtMs = undefined;
		const socket = this.#socket;
		this.#socket = undefined;
		if (!socket) return;
		socket.onopen = null;
		socket.onmessage = null;
		socket.onclose = null;
		// Stays: closing a socket that is still connecting is an error to some implementations.
		socket.onerror = () => undefined;
		socket.close();
	}
}

function closeText(code: number, reason: string): string {
	if (reason) return reason.slice(0, 120).replace(/[^\x20-\x7e]/g, ' ');
	return code === 1006 ? 'no connection' : `closed (${code})`;
}
