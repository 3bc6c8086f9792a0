import type { SiteConfig } from './config.ts';
import { parseChannel, type Channel } from './model/channel.ts';
import { ShoalError } from './model/error.ts';
import type { Manifest } from './model/manifest.ts';
import type { InitSegment } from './model/segment.ts';
import { ChannelSession, type SessionOptions } from './channel-session.ts';
import type { ReceivedSegment as PeerSegment, RefusalStats } from './peer-options.ts';
import type { DvrLimits } from './store/dvr-window.ts';
import { SegmentOrder } from './store/segment-order.ts';
import type { TrackerState } from './swarm/announcer.ts';
import type { SwarmStats, SwarmTrouble } from './swarm/swarm.ts';
import { equalBytes } from './util/bytes.ts';
import { Emitter } from './util/emitter.ts';

/** What a viewer is doing. */
export type ViewerState =
	/** On the way to a tracker. */
	| { readonly type: 'connecting' }
	/** No tracker answers and there is no neighbour; tried again by itself. */
	| { readonly type: 'no-tracker'; readonly retryInMs?: number }
	/** For others who watch; `lost` when the stream came once and there is nobody left to get it from. */
	| { readonly type: 'finding-peers'; readonly lost?: boolean }
	/** For the broadcaster, who was last heard `quietMs` ago, if ever. */
	| { readonly type: 'waiting'; readonly quietMs?: number }
	| { readonly type: 'receiving' }
	/** The broadcast ended; another may follow on the channel. */
	| { readonly type: 'ended' }
	/** `no-webrtc` for good; `ice-failed` until a path is found after all. */
	| { readonly type: 'failed'; readonly error: ShoalError };

/** A segment that is whole and verified. */
export interface ReceivedSegment {
	readonly manifest: Manifest;
	/** Owned by the receiver. */
	readonly bytes: Uint8Array<ArrayBuffer>;
	/** What the bytes follow; one object for all segments that share it. */
	readonly init: InitSegment;
	/** Monotonic milliseconds. */
	readonly receivedAtMs: number;
}

/** Figures of a viewer; counters run from the beginning. */
export interface ViewerStats {
	/** People who watch, this one included, as far as trackers and neighbours tell. */
	readonly viewers: number;
	readonly links: number;
	/** Hops to the broadcaster; 255 when unknown. */
	readonly hop: number;
	/** What this peer passes on now, bits per second. */
	readonly uploadBps: number;
	/** What it takes in now, bits per second. */
	readonly downloadBps: number;
	/**
	 * What its uplink was seen to carry, bits per second: as measured, or as far as it was used while never full. `undefined` while nothing
	 * is known. For the `uplinkGuessBps` of the next visit, unless `maxUploadBps` was set: then it may be no more than that.
	 */
	readonly uplinkBps: number | undefined;
	readonly bytesFromBroadcaster: number;
	readonly bytesFromViewers: number;
	readonly bytesSent: number;
	readonly duplicateBytes: number;
	readonly segments: number;
	readonly segmentsLost: number;
	/** Sequence number of the first segment that came whole. */
	readonly firstSequence: number | undefined;
	/** From opening to the first whole segment. */
	readonly joinMs: number | undefined;
	/** Bytes of media in the DVR window. */
	readonly windowBytes: number;
	readonly refusals: Readonly<RefusalStats>;
	readonly trackers: readonly TrackerState[];
	readonly swarm: SwarmStats;
}

/** What a viewer tells. */
export interface ViewerEvents {
	state: ViewerState;
	/** An init segment that segments from now on follow. */
	init: InitSegment;
	/** Once for each segment, verified, in order of completion. */
	segment: ReceivedSegment;
	/** A segment that can't be had in time. */
	lost: { readonly sequence: number };
	/** Once a second. */
	stats: ViewerStats;
	/** Another device signs on this channel too. */
	fork: undefined;
}

/** Options of a viewer. */
export interface ViewerOptions extends Pick<
	SessionOptions,
	'iceTransportPolicy' | 'webrtc' | 'webSocket' | 'clock' | 'uplinkGuessBps'
> {
	readonly config: SiteConfig;
	/** A relay shows nothing and only adds capacity. @default 'viewer' */
	readonly role?: 'viewer' | 'relay';
	/** Media time kept and served, milliseconds. @default 60 000 */
	readonly dvrMs?: number;
	/** Whether this peer passes on what it gets. @default true */
	readonly share?: boolean;
	/** Bits per second it passes on at most. @default no limit */
	readonly maxUploadBps?: number | undefined;
	/** Where it begins: at the newest key frame, or with all that neighbours still hold. @default 'live' */
	readonly from?: 'live' | 'window';
}

/** Silence longer than this many segments, and than `MIN_QUIET_MS`, is the broadcaster's. */
const QUIET_SEGMENTS = 3;
const MIN_QUIET_MS = 2500;
/** A first manifest signed longer ago than this is what others kept of a broadcaster who is gone. */
const OLD_NEWS_MS = 15_000;
const LOOK_MS = 250;

/** Joins a channel and fetches its broadcast from whoever has it. */
export class Viewer extends Emitter<ViewerEvents> {
	readonly channel: Channel;
	readonly #options: ViewerOptions;
	#session: ChannelSession | undefined;
	#state: ViewerState = { type: 'connecting' };
	#inits = new Map<string, InitSegment>();
	#audience = 1;
	#trouble: SwarmTrouble | undefined;
	#share: boolean;
	#maxUploadBps: number | undefined;
	#openedAtMs = 0;
	#joinMs: number | undefined;
	#firstSequence: number | undefined;
	#segments = 0;
	/** When something of the window before the live edge last became known, monotonic milliseconds. */
	#pastAtMs = -Infinity;
	#lost = 0;
	#everLinked = false;
	/** Whoever waits in `segments()`. */
	readonly #readers = new Set<() => void>();
	#stopLook: (() => void) | undefined;
	#closed = false;

	/** Takes a peer link or a channel; throws `bad-link` or `bad-key`. Nothing goes out before `open`. */
	constructor(channel: Channel | string, options: ViewerOptions) {
		super();
		this.channel = typeof channel === 'string' ? parseChannel(channel) : channel;
		this.#options = options;
		this.#share = options.share ?? true;
		this.#maxUploadBps = options.maxUploadBps;
	}

	get state(): ViewerState {
		return this.#state;
	}

	/** The broadcast's title; empty when it has none or isn't known yet. Text of a stranger: never to be used as HTML. */
	get title(): string {
		return this.#session?.peer.newest?.title ?? '';
	}

	/** Joins; what goes wrong shows in `state`. */
	async open(): Promise<void> {
		if (this.#session || this.#closed) return;
		const { config, role = 'viewer', dvrMs, from, ...machine } = this.#options;
		const session = await ChannelSession.join({
			channel: this.channel,
			config,
			role,
			...(dvrMs !== undefined ? { dvr: windowLimits(dvrMs) } : {}),
			...(from ? { from } : {}),
			uplinkCapBps: this.#uplinkCapBps(),
			uplinkGuessBps: machine.uplinkGuessBps,
			iceTransportPolicy: machine.iceTransportPolicy,
			webrtc: machine.webrtc,
			webSocket: machine.webSocket,
			clock: machine.clock,
		});
		if (this.#isClosed()) return session.close();
		this.#session = session;
		this.#openedAtMs = session.clock.now();
		this.#listen(session);
		session.open();
		this.#look();
	}

	/** Leaves; idempotent. */
	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		this.#stopLook?.();
		this.#wakeReaders();
		await this.#session?.close();
		this.removeAllListeners();
	}

	/** Switches passing on off, or limits it, bits per second. */
	setSharing({ share, maxUploadBps }: { share: boolean; maxUploadBps?: number }): void {
		this.#share = share;
		this.#maxUploadBps = maxUploadBps;
		this.#session?.peer.setUplinkCap(this.#uplinkCapBps());
	}

	/** Tells neighbours how far behind the live edge the person watches; `undefined` when nothing is shown. */
	setPlayhead(behindMs: number | undefined): void {
		this.#session?.peer.setBehind(behindMs);
	}

	/**
	 * The segments in order from the live edge, or from the oldest that is held; one that can't be had is passed over.
	 * Ends when all of a broadcast that ended has come or can't be had, or when the viewer is closed.
	 */
	async *segments(from: 'live' | 'window' = 'live'): AsyncGenerator<ReceivedSegment> {
		const order = new SegmentOrder<ReceivedSegment>(MOST_WAITING[from]);
		const now = () => this.#session?.clock.now() ?? 0;
		let movedAtMs = now();
		let windowBytes = 0;
		let wake: () => void = () => undefined;
		const take = (segment: ReceivedSegment) => {
			if (order.put(segment)) movedAtMs = now();
			wake();
		};
		if (from === 'window') for (const segment of this.heldSegments()) take(segment);
		const undo = [
			this.on('segment', take),
			this.on('lost', ({ sequence }) => {
				order.lose(sequence);
				wake();
			}),
		];
		const awaken = () => wake();
		this.#readers.add(awaken);
		try {
			for (;;) {
				// The window is told of in whatever order; it begins with the oldest that there is, once no more of it becomes known.
				const oldest = this.#session?.peer.oldest?.sequence;
				const settled = oldest === 0 || now() - this.#pastAtMs > SETTLE_MS;
				if (from === 'window' && settled && oldest !== undefined) order.beginAt(oldest);
				const begun = from === 'live' || order.next !== undefined;
				const segment = begun ? order.take() : undefined;
				if (segment) {
					yield segment;
					continue;
				}
				if (this.#closed) return;
				// A large segment may take long to become whole: while any of it comes, others are still giving.
				const bytes = this.#session?.peer.windowBytes ?? 0;
				if (bytes !== windowBytes) movedAtMs = now();
				windowBytes = bytes;
				if (this.#state.type === 'ended') {
					if (order.next === this.#session?.peer.newest?.sequence) return;
					if (now() - movedAtMs > FAREWELL_MS) {
						if (order.lowest === undefined) return;
						order.skip();
						continue;
					}
				}
				await new Promise<void>((resolve) => (wake = resolve));
			}
		} finally {
			this.#readers.delete(awaken);
			for (const stop of undo) stop();
		}
	}

	/** Number of the newest segment that is known of, whether it is here or not. */
	get newestSequence(): number | undefined {
		return this.#session?.peer.newest?.sequence;
	}

	/** The whole segments that the DVR window holds now, oldest first. */
	*heldSegments(): Iterable<ReceivedSegment> {
		for (const segment of this.#session?.peer.wholeSegments() ?? []) yield this.#received(segment);
	}

	get stats(): ViewerStats {
		const peer = this.#session?.peer;
		const traffic = peer?.traffic;
		let uploadBps = 0;
		let downloadBps = 0;
		let watching = 0;
		for (const { bytesIn, bytesOut, role } of peer?.neighbours ?? []) {
			if (role === 'viewer') watching++;
			uploadBps += bytesOut.rate * 8;
			downloadBps += bytesIn.rate * 8;
		}
		return {
			viewers: Math.max(this.#audience, watching + 1),
			links: peer?.neighbours.length ?? 0,
			hop: peer?.hop ?? 255,
			uploadBps,
			downloadBps,
			uplinkBps: peer?.uplink.seenBps,
			bytesFromBroadcaster: traffic?.bytesFromBroadcaster ?? 0,
			bytesFromViewers: traffic?.bytesFromViewers ?? 0,
			bytesSent: traffic?.bytesSent ?? 0,
			duplicateBytes: traffic?.duplicateBytes ?? 0,
			segments: this.#segments,
			segmentsLost: this.#lost,
			firstSequence: this.#firstSequence,
			joinMs: this.#joinMs,
			windowBytes: peer?.windowBytes ?? 0,
			refusals: { ...(peer?.refusals ?? NO_REFUSALS) },
			trackers: this.#session?.swarm.trackers ?? [],
			swarm: this.#session?.swarm.stats ?? NO_SWARM,
		};
	}

	#uplinkCapBps(): number {
		return this.#share ? (this.#maxUploadBps ?? Infinity) : 0;
	}

	#isClosed(): boolean {
		return this.#closed;
	}

	#listen(session: ChannelSession): void {
		const { peer } = session;
		// Told ahead of the first segment, so that a player opens its decoder while that is on its way.
		peer.on('init', ({ sha256, bytes }) => {
			const { newest } = peer;
			if (newest && equalBytes(newest.initSha256, sha256)) this.#shared(newest, bytes);
		});
		peer.on('segment', (segment) => this.#onSegment(this.#received(segment)));
		peer.on('lost', ({ sequence }) => {
			this.#lost++;
			this.emit('lost', { sequence });
		});
		peer.on('manifest', ({ manifest, newRun }) => {
			if (newRun || manifest !== peer.newest) this.#pastAtMs = session.clock.now();
			this.#evaluate();
		});
		peer.on('links', ({ count }) => {
			if (count > 0) {
				this.#everLinked = true;
				if (this.#trouble?.code === 'ice-failed') this.#trouble = undefined;
			}
			this.#evaluate();
		});
		peer.on('fork', () => this.emit('fork', undefined));
		session.on('trackers', () => this.#evaluate());
		session.on('trouble', (trouble) => {
			this.#trouble = trouble;
			this.#evaluate();
		});
		session.on('audience', ({ incomplete }) => (this.#audience = Math.max(1, incomplete)));
		session.on('second', () => this.emit('stats', this.stats));
	}

	#onSegment(segment: ReceivedSegment): void {
		this.#segments++;
		this.#firstSequence ??= segment.manifest.sequence;
		this.#joinMs ??= segment.receivedAtMs - this.#openedAtMs;
		this.emit('segment', segment);
	}

	#received({ manifest, bytes, init, receivedAtMs }: PeerSegment): ReceivedSegment {
		return { manifest, bytes, init: this.#shared(manifest, init), receivedAtMs };
	}

	/** One init object per init segment, so that whoever plays can tell by identity. */
	#shared({ initSha256, mime }: Manifest, bytes: Uint8Array<ArrayBuffer>): InitSegment {
		const key = initSha256.join();
		let shared = this.#inits.get(key);
		if (!shared) {
			shared = { bytes, mime };
			this.#inits.set(key, shared);
			this.emit('init', shared);
		}
		return shared;
	}

	#wakeReaders(): void {
		for (const awaken of this.#readers) awaken();
	}

	/** Silence comes without an event, so the state is looked at now and then. */
	#look(): void {
		this.#evaluate();
		this.#wakeReaders();
		this.#stopLook = this.#session?.clock.after(LOOK_MS, () => this.#look());
	}

	#evaluate(): void {
		const state = this.#judge();
		const before = this.#state;
		// A quiet broadcaster's silence grows; saying so each second is enough.
		if (before.type === state.type && !differs(before, state)) return;
		this.#state = state;
		this.emit('state', state);
	}

	#judge(): ViewerState {
		const session = this.#session;
		if (!session) return { type: 'connecting' };
		const { peer, swarm, clock } = session;
		if (this.#trouble?.code === 'no-webrtc') return failed('no-webrtc', this.#trouble.detail);
		if (peer.ended) return { type: 'ended' };
		const { newest, newestAtMs } = peer;
		if (newest && newestAtMs !== undefined) {
			const quietMs = clock.now() - newestAtMs;
			const lengthMs = newest.durationUs / 1000;
			const wallQuietMs = clock.wallNow() - newest.signedAtMs;
			const oldNews = this.#segments === 0 && wallQuietMs > OLD_NEWS_MS;
			if (quietMs <= Math.max(MIN_QUIET_MS, QUIET_SEGMENTS * lengthMs) && !oldNews) {
				return { type: 'receiving' };
			}
			if (peer.neighbours.length > 0) {
				return { type: 'waiting', quietMs: oldNews ? Math.max(quietMs, wallQuietMs) : quietMs };
			}
		} else if (peer.neighbours.length > 0) {
			return { type: 'waiting' };
		}
		if (this.#trouble?.code === 'ice-failed' && !this.#everLinked) {
			return failed('ice-failed', this.#trouble.detail);
		}
		const { trackers } = swarm;
		if (trackers.some(({ state }) => state === 'open')) {
			return { type: 'finding-peers', ...(this.#segments > 0 ? { lost: true } : {}) };
		}
		const retrying = trackers.filter(({ state }) => state === 'retrying');
		if (retrying.length === trackers.length) {
			const waits = retrying.flatMap(({ retryInMs }) =>
				retryInMs === undefined ? [] : [retryInMs],
			);
			return waits.length > 0
				? { type: 'no-tracker', retryInMs: Math.min(...waits) }
				: { type: 'no-tracker' };
		}
		return { type: 'connecting' };
	}
}

/** Segments that may wait for one before them in `segments()`. */
const MOST_WAITING = { live: 64, window: 2048 } as const;
/** The window is known when nothing of it became known for this long. */
const SETTLE_MS = 1000;
/** How long after the end, or after the last that came, what is still missing is waited for. */
const FAREWELL_MS = 3000;

const NO_REFUSALS: RefusalStats = {
	badSignatures: 0,
	badMessages: 0,
	staleManifests: 0,
	forks: 0,
	overBudget: 0,
};
const NO_SWARM: SwarmStats = {
	offersMade: 0,
	offersTaken: 0,
	offersRefused: { unwanted: 0, duplicate: 0, shunned: 0, budget: 0, full: 0, bad: 0 },
	answersTaken: 0,
	answersRefused: 0,
	links: 0,
	linksByOrigin: { tracker: 0, exchange: 0 },
	connecting: 0,
	openOffers: 0,
	connections: 0,
	linksMade: 0,
	ended: {} as SwarmStats['ended'],
};

/** A long window needs memory for streams of 10 Mbit/s. */
function windowLimits(windowMs: number): DvrLimits {
	return { windowMs, maxBytes: Math.max(64 * 1024 * 1024, windowMs * 1250) };
}

function failed(code: 'no-webrtc' | 'ice-failed', detail: string): ViewerState {
	return { type: 'failed', error: new ShoalError(code, detail) };
}

function differs(before: ViewerState, after: ViewerState): boolean {
	if (before.type === 'waiting' && after.type === 'waiting') {
		return Math.floor((before.quietMs ?? 0) / 1000) !== Math.floor((after.quietMs ?? 0) / 1000);
	}
	if (before.type === 'failed' && after.type === 'failed')
		return before.error.code !== after.error.code;
	return false;
}
