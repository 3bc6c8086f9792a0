import type { SiteConfig } from './config.ts';
import type { Channel } from './model/channel.ts';
import { ShoalError } from './model/error.ts';
import type { BroadcastStatus, Manifest } from './model/manifest.ts';
import type { EncodedSegment, InitSegment } from './model/segment.ts';
import { fitTitle } from './model/title.ts';
import { ChannelSession, type SessionOptions } from './channel-session.ts';
import { makeSegmentTorrent, type SegmentTorrent } from './store/segment-torrent.ts';
import type { ChannelKeys } from './sign/keys.ts';
import { signManifest } from './sign/manifest-signer.ts';
import type { PlaceKeeper } from './sign/place.ts';
import { sha256 } from './sign/web-proofs.ts';

/** Options of a publisher. */
export interface PublisherOptions extends Pick<
	SessionOptions,
	| 'iceTransportPolicy'
	| 'webrtc'
	| 'webSocket'
	| 'clock'
	| 'dvr'
	| 'uplinkCapBps'
	| 'uplinkGuessBps'
> {
	readonly config: SiteConfig;
	readonly keys: ChannelKeys;
	/** Where the channel goes on; the publisher moves it ahead. */
	readonly place: PlaceKeeper;
	readonly title?: string;
}

const SMALLEST_PIECE = 16 * 1024;

/**
 * Puts segments on a channel, wherever they come from: makes each a torrent, signs its manifest, and hands it to the
 * swarm. Browser and command line broadcast through it.
 */
export class Publisher {
	readonly session: ChannelSession;
	readonly #keys: ChannelKeys;
	#place: PlaceKeeper;
	/** Where the run that has begun puts its first segment. */
	#nextPlace: PlaceKeeper | undefined;
	#title: string;
	#queue: Promise<void> = Promise.resolve();
	readonly #initSha256 = new Map<InitSegment, Promise<Uint8Array>>();
	#last: { init: InitSegment; endUs: number; durationUs: number } | undefined;
	#ended = false;
	/** Segments put out, and their bytes. */
	readonly published = { segments: 0, bytes: 0, mediaUs: 0 };

	/** Joins the channel; goes to the trackers at once. Rejects with `no-webrtc` where nobody could ever be reached. */
	static async open(options: PublisherOptions): Promise<Publisher> {
		const session = await ChannelSession.join({
			...options,
			channel: options.keys.channel,
			role: 'broadcaster',
			sign: (bytes, done) => void options.keys.sign(bytes).then(done, () => undefined),
		});
		let unreachable: string | undefined;
		// Told within `open`; later, what stands goes on, and one connection that can't be made is not the end.
		const stop = session.on('trouble', ({ code, detail }) => {
			if (code === 'no-webrtc') unreachable = detail;
		});
		session.open();
		stop();
		if (unreachable !== undefined) {
			await session.close();
			throw new ShoalError('no-webrtc', unreachable);
		}
		return new Publisher(options, session);
	}

	private constructor(options: PublisherOptions, session: ChannelSession) {
		this.session = session;
		this.#keys = options.keys;
		this.#place = options.place;
		this.#title = fitTitle(options.title ?? '').shown;
	}

	get channel(): Channel {
		return this.#keys.channel;
	}

	/** Names the broadcast, from the next segment on; longer ones are cut. */
	set title(title: string) {
		this.#title = fitTitle(title).shown;
	}

	/**
	 * Publishes a segment behind all before it. Resolves when it is in the swarm's hands; rejects with `storage-failed`
	 * when its place can't be reserved, and with `closed` after `end`. Takes over `segment.bytes`.
	 */
	publish(segment: EncodedSegment): Promise<void> {
		if (this.#ended) return Promise.reject(new ShoalError('closed', 'the broadcast has ended'));
		// Hashing may overlap; signing may not, for each manifest names the one before.
		const made = Promise.all([makeSegmentTorrent(segment.bytes), this.#initDigest(segment.init)]);
		return this.#inTurn(async () => {
			const [torrent, initSha256] = await made;
			await this.#sign(segment, torrent, initSha256);
		});
	}

	/**
	 * What is published from here on belongs to a new run, in a new place; its media time begins at 0 again. Until its first
	 * segment is out, the run before is the one that viewers follow, and that an end is signed in.
	 */
	beginRun(place: PlaceKeeper): void {
		this.#queue = this.#queue.then(() => void (this.#nextPlace = place));
	}

	/** Signs the end of the broadcast and leaves the swarm; idempotent. */
	async end(): Promise<void> {
		if (this.#ended) return;
		this.#ended = true;
		// In turn: what is still being signed comes before it.
		await this.#inTurn(() => this.#signEnd()).catch(() => undefined);
		if (this.#last) {
			// The last message needs a moment on the wire before the links are closed under it.
			await new Promise<void>((resolve) => this.session.clock.after(FAREWELL_MS, resolve));
		}
		await this.session.close();
	}

	#inTurn(work: () => Promise<void>): Promise<void> {
		const done = this.#queue.then(work);
		this.#queue = done.catch(() => undefined);
		return done;
	}

	#initDigest(init: InitSegment): Promise<Uint8Array> {
		let digest = this.#initSha256.get(init);
		if (!digest) this.#initSha256.set(init, (digest = sha256(init.bytes)));
		return digest;
	}

	async #sign(
		segment: EncodedSegment,
		torrent: SegmentTorrent,
		initSha256: Uint8Array,
	): Promise<void> {
		const pieces = torrent.pieceHashes.length / 20;
		const place = this.#nextPlace ?? this.#place;
		await place.reserve(pieces);
		this.#place = place;
		this.#nextPlace = undefined;
		const manifest: Manifest = {
			...this.#common('live', segment.durationUs),
			infoHash: torrent.infoHash,
			sha256: torrent.sha256,
			length: segment.bytes.length,
			pieceLength: torrent.pieceLength,
			pieceHashes: torrent.pieceHashes,
			initSha256,
			mime: segment.init.mime,
			startUs: segment.startUs,
			durationUs: segment.durationUs,
			discontinuity: segment.discontinuity,
			sinceKeyFrame: segment.sinceKeyFrame,
		};
		const signed = await signManifest(manifest, (bytes) => this.#keys.sign(bytes));
		place.advance(pieces, signed.sha256);
		this.#last = {
			init: segment.init,
			endUs: segment.startUs + segment.durationUs,
			durationUs: segment.durationUs,
		};
		this.published.segments++;
		this.published.bytes += segment.bytes.length;
		this.published.mediaUs += segment.durationUs;
		this.session.peer.publish(signed, segment.bytes, segment.init.bytes);
	}

	async #signEnd(): Promise<void> {
		const last = this.#last;
		if (!last) return;
		const manifest: Manifest = {
			...this.#common('ended', last.durationUs),
			infoHash: (await makeSegmentTorrent(new Uint8Array())).infoHash,
			sha256: await sha256(new Uint8Array()),
			length: 0,
			pieceLength: SMALLEST_PIECE,
			pieceHashes: new Uint8Array(),
			initSha256: await this.#initDigest(last.init),
			mime: last.init.mime,
			startUs: last.endUs,
			durationUs: 0,
			discontinuity: false,
			sinceKeyFrame: 0,
		};
		const signed = await signManifest(manifest, (bytes) => this.#keys.sign(bytes));
		this.#place.advance(0, signed.sha256);
		this.session.peer.publish(signed, new Uint8Array(), last.init.bytes);
	}

	#common(status: BroadcastStatus, durationUs: number) {
		const { epoch, session, sequence, nextPiece, previous } = this.#place.place;
		const nowMs = Math.round(this.session.clock.wallNow());
		return {
			channel: this.#keys.channel.publicKey,
			epoch,
			session,
			rendition: 0,
			sequence,
			signedAtMs: nowMs,
			previous,
			firstPiece: nextPiece,
			nextAtMs: nowMs + Math.round(durationUs / 1000),
			status,
			title: this.#title,
			encryption: new Uint8Array(),
		} as const;
	}
}

const FAREWELL_MS = 150;
