import type { Source } from './capture/source.ts';
import type { SiteConfig } from './config.ts';
import { Encoder } from './encode/encoder.ts';
import type { EncoderStats } from './encode/encoder-message.ts';
import { STEADY, type Profile } from './encode/profile.ts';
import { explainRate, RateControl, type RateDecision } from './encode/rate-control.ts';
import type { Channel } from './model/channel.ts';
import { ShoalError } from './model/error.ts';
import type { ChannelPeer } from './peer.ts';
import { Publisher, type PublisherOptions } from './publisher.ts';
import { judgeHealth, swarmMargin, type Health } from './schedule/health.ts';
import { holdChannel, type ReleaseChannel } from './sign/hold-channel.ts';
import { openSignStorage } from './sign/indexed-db-storage.ts';
import { openChannelKeys } from './sign/key-store.ts';
import type { ChannelKeys } from './sign/keys.ts';
import { openPlace } from './sign/place.ts';
import type { SignStorage } from './sign/sign-storage.ts';
import type { TrackerState } from './swarm/announcer.ts';
import type { ReceivedSegment } from './viewer.ts';
import { Emitter } from './util/emitter.ts';

/** Where a broadcast stands. */
export type BroadcasterState =
	| { readonly type: 'idle' }
	| { readonly type: 'starting' }
	/** On air since `sinceMs`, milliseconds since 1970. */
	| { readonly type: 'live'; readonly sinceMs: number }
	| { readonly type: 'stopping' }
	/** Off air after having been on; may go live again. */
	| { readonly type: 'ended' }
	| { readonly type: 'failed'; readonly error: ShoalError };

/** Something went wrong and was dealt with. */
export interface BroadcasterWarning {
	/**
	 * A warning of the encoder, `fork` (another device signs on this channel), `storage-failed`, or
	 * `bitrate-lowered` and `bitrate-raised` when the picture follows what gets through.
	 */
	readonly code: string;
	/** For logs. */
	readonly detail: string;
}

/** Figures of a broadcast; counters run from going live. */
export interface BroadcasterStats {
	/** People who watch, as trackers and links tell. */
	readonly viewers: number;
	readonly links: number;
	readonly segments: number;
	/** Payload bytes sent to viewers. */
	readonly sentBytes: number;
	/** Bytes sent over bytes of the stream. */
	readonly copies: number;
	readonly streamBps: number;
	/** The measured uplink, bits per second; `undefined` until it was full once. */
	readonly uplinkBps: number | undefined;
	readonly sendDelayMs: number;
	/** What the swarm can pass on over what it needs. */
	readonly margin: number | undefined;
	readonly health: Health;
	/** Why, and what to do, in a sentence. */
	readonly healthReason: string;
	/** How far the farthest neighbour's playhead is behind, milliseconds. */
	readonly farthestMs: number | undefined;
	readonly trackers: readonly TrackerState[];
	readonly encoder: EncoderStats | undefined;
	/** Whether another device was seen to sign on this channel in this run: viewers follow whichever began last. */
	readonly isForked: boolean;
	/** Bytes of media in the DVR window. */
	readonly windowBytes: number;
	/** What video may take and why. */
	readonly rate: RateDecision;
}

/** What a broadcaster tells. */
export interface BroadcasterEvents {
	state: BroadcasterState;
	/** Once a second while on air. */
	stats: BroadcasterStats;
	warning: BroadcasterWarning;
}

/** Options of a broadcaster. */
export interface BroadcasterOptions extends Pick<
	PublisherOptions,
	'iceTransportPolicy' | 'uplinkCapBps' | 'uplinkGuessBps'
> {
	readonly config: SiteConfig;
	/** @default STEADY */
	readonly profile?: Profile;
	readonly title?: string;
	/** @default this browser's own channel, made on the first visit */
	readonly keys?: ChannelKeys;
}

interface OnAir {
	readonly publisher: Publisher;
	encoder: Encoder;
	readonly release: ReleaseChannel;
	readonly sinceMs: number;
	control: RateControl;
	rate: RateDecision;
	/** The encoder's counters when the rate was last looked at. */
	seen: { framesIn: number; framesDropped: number };
	/** The run in which another device was last seen on the channel; a later one has its viewers back. */
	forkedEpoch: number | undefined;
}

/** Broadcasts a source on this browser's channel. Composition only: encoder, publisher and the channel's keys. */
export class Broadcaster extends Emitter<BroadcasterEvents> {
	readonly channel: Channel;
	readonly #options: BroadcasterOptions;
	readonly #keys: ChannelKeys;
	readonly #storage: SignStorage;
	#profile: Profile;
	#title: string;
	#state: BroadcasterState = { type: 'idle' };
	/** Changes of the profile, one after the other. */
	#changes: Promise<void> = Promise.resolve();
	#onAir: OnAir | undefined;
	#source: Source | undefined;
	/** Holds the window, also after the end. */
	#peer: ChannelPeer | undefined;
	#audience = 0;
	#closed = false;

	/** Loads the channel; rejects with `no-signing` or `storage-failed`. Nothing goes out before `goLive`. */
	static async open(options: BroadcasterOptions): Promise<Broadcaster> {
		const storage = await openSignStorage();
		const keys = options.keys ?? (await openChannelKeys(storage));
		return new Broadcaster(options, keys, storage);
	}

	private constructor(options: BroadcasterOptions, keys: ChannelKeys, storage: SignStorage) {
		super();
		this.channel = keys.channel;
		this.#options = options;
		this.#keys = keys;
		this.#storage = storage;
		this.#profile = options.profile ?? STEADY;
		this.#title = options.title ?? '';
	}

	get state(): BroadcasterState {
		return this.#state;
	}

	/**
	 * Goes on air with a source, which stays the caller's. Rejects with `already-live` (in another tab), `no-encoder`,
	 * `encoder-failed`, `no-webrtc` or `storage-failed`; then nothing went out.
	 */
	async goLive(source: Source): Promise<void> {
		if (this.#closed) throw new ShoalError('closed', 'this broadcaster is closed');
		if (this.#onAir || this.#state.type === 'starting') return;
		this.#setState({ type: 'starting' });
		this.#source = source;
		const profile = this.#profile;
		const undo: (() => unknown)[] = [];
		try {
			const release = await holdChannel(this.channel);
			undo.push(release);
			const encoder = await Encoder.open(source, profile);
			undo.push(() => encoder.close());
			const place = await openPlace(this.channel, this.#storage);
			const { config, iceTransportPolicy, uplinkCapBps, uplinkGuessBps } = this.#options;
			const publisher = await Publisher.open({
				config,
				keys: this.#keys,
				place,
				title: this.#title,
				...(iceTransportPolicy ? { iceTransportPolicy } : {}),
				...(uplinkCapBps === undefined ? {} : { uplinkCapBps }),
				uplinkGuessBps,
			});
			undo.push(() => publisher.end());
			await this.#catchUp(encoder, source);
			const { videoBps } = profile;
			this.#goOnAir({
				...{ publisher, encoder, release, sinceMs: Date.now() },
				control: new RateControl(videoBps),
				rate: { videoBps, reason: 'full' },
				seen: { framesIn: 0, framesDropped: 0 },
				forkedEpoch: undefined,
			});
		} catch (cause) {
			for (const step of undo.reverse()) await step();
			const error =
				cause instanceof ShoalError
					? cause
					: new ShoalError('encoder-failed', String(cause), { cause });
			this.#setState({ type: 'failed', error });
			throw error;
		}
		// Chosen while it started.
		if (this.#profile !== profile) await this.setProfile(this.#profile);
	}

	/** Hands an encoder that was opened with one source the one that was chosen meanwhile. */
	async #catchUp(encoder: Encoder, openedWith: Source | undefined): Promise<void> {
		if (this.#source && this.#source !== openedWith) await encoder.setSource(this.#source);
	}

	/** Goes over to another source; the channel and its timeline go on. */
	async setSource(source: Source): Promise<void> {
		const before = this.#source;
		this.#source = source;
		try {
			await this.#onAir?.encoder.setSource(source);
		} catch (cause) {
			if (this.#source === source) this.#source = before; // the one that is still sent
			throw cause;
		}
	}

	/**
	 * Changes how the broadcast is encoded. On air, it goes on in a new run of the channel: viewers play on without doing
	 * anything. Rejects with `encoder-failed` or `no-encoder`; then the broadcast has ended.
	 */
	setProfile(profile: Profile): Promise<void> {
		this.#profile = profile;
		// One after the other: two at once would both open an encoder, and one of them outlive the broadcast.
		const turn = this.#changes.then(() => this.#applyProfile(profile));
		this.#changes = turn.catch(() => undefined);
		return turn;
	}

	async #applyProfile(profile: Profile): Promise<void> {
		const onAir = this.#onAir;
		// Of several that wait the last one counts.
		if (!onAir || this.#profile !== profile) return;
		try {
			await onAir.encoder.close();
			const place = await openPlace(this.channel, this.#storage);
			const source = this.#source;
			const encoder = await Encoder.open(source, profile);
			await this.#catchUp(encoder, source);
			if (this.#onAir !== onAir) return await encoder.close();
			onAir.publisher.beginRun(place);
			onAir.encoder = encoder;
			onAir.control = new RateControl(profile.videoBps);
			onAir.seen = { framesIn: 0, framesDropped: 0 };
			this.#listenToEncoder(onAir, encoder);
		} catch (cause) {
			this.#onPublishFailed(onAir, cause);
			throw cause;
		}
	}

	/** Names the broadcast; longer than 120 bytes of UTF-8 is cut. */
	setTitle(title: string): void {
		this.#title = title;
		if (this.#onAir) this.#onAir.publisher.title = title;
	}

	/** Signs the end of the broadcast and goes off air; the source stays open. */
	async stop(): Promise<void> {
		const onAir = this.#onAir;
		if (!onAir) return;
		this.#onAir = undefined;
		this.#setState({ type: 'stopping' });
		await onAir.encoder.close();
		await onAir.publisher.end();
		onAir.release();
		this.#setState({ type: 'ended' });
	}

	/** Goes off air and forgets everything but the channel; idempotent. */
	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		await this.stop();
		this.#peer = undefined;
		this.removeAllListeners();
	}

	/** The segments that the DVR window holds, oldest first; of a broadcast that ended, those of its end. */
	*heldSegments(): Iterable<ReceivedSegment> {
		for (const { init, ...segment } of this.#peer?.wholeSegments() ?? []) {
			yield { ...segment, init: { bytes: init, mime: segment.manifest.mime } };
		}
	}

	get stats(): BroadcasterStats {
		const onAir = this.#onAir;
		const peer = onAir?.publisher.session.peer;
		const neighbours = peer?.neighbours ?? [];
		const viewers = Math.max(neighbours.length, this.#audience);
		const streamBps = peer?.streamBps ?? 0;
		const sentBytes = peer?.traffic.bytesSent ?? 0;
		const trackers = onAir?.publisher.session.swarm.trackers ?? [];
		const margin = swarmMargin({
			uplinkBps: peer?.uplink.measuredBps,
			streamBps,
			viewers,
			neighbourUplinksBps: neighbours.map(({ uplinkKbps }) => uplinkKbps * 1000),
		});
		const { health, reason } = judgeHealth({
			links: neighbours.length,
			viewers,
			tracked: trackers.some(({ state, lastError }) => state === 'open' && !lastError),
			sendDelayMs: peer?.sendDelayMs ?? 0,
			uplinkBps: peer?.uplink.measuredBps,
			streamBps,
			margin,
		});
		const rate = onAir?.rate ?? { videoBps: this.#profile.videoBps, reason: 'full' };
		const behind = neighbours.flatMap(({ behindMs }) => (behindMs === undefined ? [] : [behindMs]));
		return {
			viewers,
			links: neighbours.length,
			segments: onAir?.publisher.published.segments ?? 0,
			sentBytes,
			copies: sentBytes / Math.max(1, onAir?.publisher.published.bytes ?? 0),
			streamBps,
			uplinkBps: peer?.uplink.measuredBps,
			sendDelayMs: peer?.sendDelayMs ?? 0,
			margin,
			health,
			healthReason: `${reason} ${explainRate(rate)}`.trim(),
			farthestMs: behind.length > 0 ? Math.max(...behind) : undefined,
			trackers,
			encoder: onAir?.encoder.stats,
			isForked: onAir?.forkedEpoch !== undefined && onAir.forkedEpoch === peer?.newest?.epoch,
			windowBytes: this.#peer?.windowBytes ?? 0,
			rate,
		};
	}

	#goOnAir(onAir: OnAir): void {
		const { publisher, encoder } = onAir;
		this.#onAir = onAir;
		this.#peer = publisher.session.peer;
		this.#audience = 0;
		this.#listenToEncoder(onAir, encoder);
		publisher.session.on('audience', ({ incomplete }) => (this.#audience = incomplete));
		publisher.session.on('second', () => {
			this.#adaptRate(onAir);
			this.emit('stats', this.stats);
		});
		const { peer } = publisher.session;
		peer.on('fork', () => {
			onAir.forkedEpoch = peer.newest?.epoch;
			this.emit('warning', { code: 'fork', detail: 'another device signs on this channel' });
		});
		this.#setState({ type: 'live', sinceMs: onAir.sinceMs });
	}

	#listenToEncoder(onAir: OnAir, encoder: Encoder): void {
		encoder.on('segment', (segment) => {
			onAir.publisher
				.publish(segment)
				.catch((cause: unknown) => this.#onPublishFailed(onAir, cause));
		});
		encoder.on('warning', (warning) => this.emit('warning', warning));
		encoder.on('error', (error) => void this.#fail(onAir, error));
	}

	/** Gives video the bitrate that gets through. */
	#adaptRate(onAir: OnAir): void {
		const { streamBps, uplinkBps, sendDelayMs, margin, links } = this.stats;
		const { framesIn, framesDropped } = onAir.encoder.stats;
		const droppedShare =
			(framesDropped - onAir.seen.framesDropped) / Math.max(1, framesIn - onAir.seen.framesIn);
		onAir.seen = { framesIn, framesDropped };
		const before = onAir.rate;
		const signs = { streamBps, uplinkBps, queueDelayMs: sendDelayMs, droppedShare };
		onAir.rate = onAir.control.next(
			{ ...signs, margin: links > 0 ? margin : undefined },
			onAir.publisher.session.clock.now(),
		);
		if (onAir.rate.videoBps === before.videoBps) return;
		onAir.encoder.setVideoBps(onAir.rate.videoBps);
		const isLower = onAir.rate.videoBps < before.videoBps;
		const code = isLower ? 'bitrate-lowered' : 'bitrate-raised';
		this.emit('warning', { code, detail: explainRate(onAir.rate) });
	}

	#onPublishFailed(onAir: OnAir, cause: unknown): void {
		if (this.#onAir !== onAir) return;
		const error =
			cause instanceof ShoalError
				? cause
				: new ShoalError('encoder-failed', String(cause), { cause });
		void this.#fail(onAir, error);
	}

	async #fail(onAir: OnAir, error: ShoalError): Promise<void> {
		if (this.#onAir !== onAir) return;
		await this.stop();
		this.#setState({ type: 'failed', error });
	}

	#setState(state: BroadcasterState): void {
		this.#state = state;
		this.emit('state', state);
	}
}
