import { concatBytes, equalBytes } from './util/bytes.ts';
import type { Clock, Random } from './util/clock.ts';
import { Emitter } from './util/emitter.ts';
import type { Channel } from './model/channel.ts';
import type { Link, LinkEnd } from './model/link.ts';
import { pieceCount, pieceHash, type Manifest } from './model/manifest.ts';
import { manifestChanges, type SignedManifest } from './model/manifest-delta.ts';
import type {
	HelloMessage,
	Message,
	PeerRole,
	SignalMessage,
	WantManifestMessage,
} from './model/message.ts';
import type { Proofs } from './model/proofs.ts';
import { Acceptance } from './sign/acceptance.ts';
import { ManifestIntake, type IntakeResult } from './sign/manifest-intake.ts';
import { PeerExchange } from './schedule/exchange.ts';
import { LinkBudget } from './schedule/link-budget.ts';
import type { Neighbour } from './schedule/neighbour.ts';
import { Scheduler, type SchedulerStats, type Strategy } from './schedule/scheduler.ts';
import {
	DvrWindow,
	isWhole,
	wholePieces,
	type DvrLimits,
	type StoredSegment,
} from './store/dvr-window.ts';
import { InitCache } from './store/init-cache.ts';
import { segmentInfoDict } from './store/segment-torrent.ts';

/** A segment that is whole and verified. */
export interface ReceivedSegment {
	readonly manifest: Manifest;
	/** The segment's bytes; owned by the receiver. */
	readonly bytes: Uint8Array<ArrayBuffer>;
	/** The init segment that they follow; shared, not to be changed. */
	readonly init: Uint8Array<ArrayBuffer>;
	/** Monotonic milliseconds of the peer's clock. */
	readonly receivedAtMs: number;
}

/** What a peer tells its owner. */
export interface PeerEvents {
	/** A manifest was accepted; `newRun` when a broadcast began or began anew. */
	manifest: { manifest: Manifest; newRun: boolean };
	/** A wanted segment is whole, verified, and its init segment is here. In order of completion. */
	segment: ReceivedSegment;
	/** A wanted segment can't be had in time. */
	lost: Manifest;
	/** Another device signs on this channel too. */
	fork: undefined;
	/** A neighbour was put out, and why. */
	blamed: { peerId: string; why: LinkEnd };
	/** Links came or went. */
	links: { count: number };
	/** A neighbour to connect to, introduced by one we have: offers go through `via`. */
	introduction: { peerId: Uint8Array; via: (signal: SignalMessage) => void };
	/** An offer or answer for us that came over a wire. */
	signal: { signal: SignalMessage; reply: (signal: SignalMessage) => void };
}

export interface PeerOptions {
	readonly channel: Channel;
	readonly role: PeerRole;
	/** This peer's id in the swarm, 20 bytes. */
	readonly peerId: Uint8Array;
	readonly clock: Clock;
	readonly random: Random;
	readonly proofs: Proofs;
	readonly dvr?: DvrLimits;
	/** Bits per second this peer may send; 0 switches sharing off. @default no limit */
	readonly uplinkCapBps?: number;
	/** Where a joiner begins: at the newest key frame, or with all the window that neighbours hold. @default 'live' */
	readonly from?: 'live' | 'window';
	readonly strategy?: Strategy;
	/** Joins a segment's pieces; the simulator's thousands of peers share one memory. @default a new array */
	readonly assemble?: (pieces: readonly Uint8Array[]) => Uint8Array<ArrayBuffer>;
}

/** Counts of what the gate turned away. */
export interface RefusalStats {
	badSignatures: number;
	badMessages: number;
	staleManifests: number;
	forks: number;
	overBudget: number;
}

const DEFAULT_WINDOW_MS = 60_000;
/** Manifests asked for at once when some were missed. */
const MAX_GAP = 64;
/** An init segment that doesn't come is asked of another neighbour after this long. */
const INIT_RETRY_MS = 400;
/** The same missing manifest is asked for again after this long. */
const WANT_RETRY_MS = 150;

/**
 * One peer of a channel, whatever carries its links: broadcaster, viewer and relay all stand on it. It joins the rooms:
 * manifests pass the gate of `sign/`, pieces are sought and passed on by `schedule/`, and kept by `store/`.
 */
export class ChannelPeer extends Emitter<PeerEvents> {
	readonly #options: PeerOptions;
	readonly #clock: Clock;
	readonly #proofs: Proofs;
	readonly #acceptance: Acceptance;
	readonly #intake: ManifestIntake;
	readonly #window: DvrWindow;
	readonly #inits = new InitCache();
	readonly #scheduler: Scheduler;
	readonly #exchange: PeerExchange;
	readonly #budgets = new Map<Neighbour, LinkBudget>();
	readonly #byLink = new Map<Link, Neighbour>();
	readonly #instance = new Uint8Array(16);
	readonly #initWanted = new Map<string, () => void>();
	readonly #wantedAtMs = new Map<number, number>();
	/** Whole segments that wait for their init segment. */
	#waitingForInit: StoredSegment[] = [];
	/** Epoch and sequence from which segments are wanted. */
	#start: { epoch: number; sequence: number } | undefined;
	#closed = false;
	readonly refusals: RefusalStats = {
		badSignatures: 0,
		badMessages: 0,
		staleManifests: 0,
		forks: 0,
		overBudget: 0,
	};

	constructor(options: PeerOptions) {
		super();
		this.#options = options;
		this.#clock = options.clock;
		this.#proofs = options.proofs;
		for (let i = 0; i < 16; i++) this.#instance[i] = Math.floor(options.random() * 256);
		const windowMs = options.dvr?.windowMs ?? DEFAULT_WINDOW_MS;
		this.#window = new DvrWindow(options.dvr);
		this.#acceptance = new Acceptance(options.channel.publicKey, windowMs);
		this.#intake = new ManifestIntake({
			channel: options.channel.publicKey,
			proofs: options.proofs,
			acceptance: this.#acceptance,
			infoDict: segmentInfoDict,
			now: () => this.#clock.now(),
			known: (firstPiece) => this.#signedAt(firstPiece),
		});
		this.#exchange = new PeerExchange(options);
		this.#scheduler = new Scheduler({
			role: options.role,
			clock: options.clock,
			random: options.random,
			...(options.strategy ? { strategy: options.strategy } : {}),
			...(options.uplinkCapBps !== undefined ? { uplinkCapBps: options.uplinkCapBps } : {}),
			port: {
				block: (index, begin, length) => this.#window.block(index, begin, length),
				check: (index, bytes, slot) => this.#checkPiece(index, bytes, slot),
				inform: (link, firstPiece) => this.#inform(link, firstPiece),
				wantManifest: (link, piece) => this.#wantManifest(link, piece, 0),
				lost: (firstPiece) => this.#lost(firstPiece),
				end: (link, why) => this.#end(link, why),
			},
		});
	}

	/** Neighbours, as the scheduler knows them; not to be changed. */
	get neighbours(): readonly Neighbour[] {
		return this.#scheduler.neighbours;
	}

	get traffic(): SchedulerStats {
		return this.#scheduler.stats;
	}

	/** The newest accepted manifest. */
	get newest(): Manifest | undefined {
		return this.#acceptance.newest;
	}

	/** When it was accepted, monotonic milliseconds. */
	get newestAtMs(): number | undefined {
		return this.#acceptance.newestAtMs;
	}

	/** Whether the broadcast that is followed has ended. */
	get ended(): boolean {
		return this.#acceptance.ended;
	}

	get hop(): number {
		return this.#scheduler.hop;
	}

	/** The stream's rate, bits per second. */
	get streamBps(): number {
		return this.#scheduler.streamBps;
	}

	/** The measured uplink, bits per second; `undefined` until it was full once. */
	get uplinkBps(): number | undefined {
		return this.#scheduler.uplinkBps;
	}

	/** How long the oldest block waits to be sent, milliseconds. */
	get sendDelayMs(): number {
		return this.#scheduler.sendDelayMs;
	}

	/** Blocks that wait to be sent. */
	get queuedBlocks(): number {
		return this.#scheduler.queuedBlocks;
	}

	/** Bytes of media in the DVR window. */
	get windowBytes(): number {
		return this.#window.bytes;
	}

	/** Whole segments in the window that have their init segment, oldest first. */
	*wholeSegments(): Iterable<ReceivedSegment> {
		for (const stored of this.#window.segments) {
			const { manifest } = stored.signed;
			const init = this.#inits.get(manifest.initSha256);
			if (!init || !isWhole(stored) || manifest.length === 0) continue;
			yield { manifest, bytes: this.#assemble(stored), init, receivedAtMs: this.#clock.now() };
		}
	}

	/** Limits what is sent, bits per second; 0 switches sharing off. */
	setUplinkCap(capBps: number): void {
		this.#scheduler.setUplinkCap(capBps);
	}

	/** Tells neighbours how far the playhead is behind; `undefined` when nothing is shown. */
	setBehind(behindMs: number | undefined): void {
		this.#scheduler.behindMs = behindMs;
	}

	/** Takes a link whose handshakes are done. Ends it at once when it leads to ourselves or there is no place. */
	addLink(link: Link): void {
		if (this.#closed) {
			link.close('closed');
			return;
		}
		if ([...this.#byLink.keys()].some(({ peerId }) => peerId === link.peerId)) {
			link.close('crowded');
			return;
		}
		const neighbour = this.#scheduler.add(link);
		if (!neighbour) {
			link.close('crowded');
			return;
		}
		this.#byLink.set(link, neighbour);
		this.#budgets.set(neighbour, new LinkBudget(() => this.#clock.now()));
		link.onMessage = (message) => this.#onMessage(neighbour, message);
		link.onClose = () => this.#forget(neighbour);
		link.onDrain = () => this.#scheduler.onDrain();
		link.send({
			type: 'hello',
			role: this.#options.role,
			uplinkBps: this.#options.uplinkCapBps === 0 ? 0 : this.#scheduler.uplinkBps,
			instance: this.#instance,
		});
		this.emit('links', { count: this.#byLink.size });
	}

	/**
	 * Puts a segment of our own out: only the broadcaster. `bytes` and `init` are the peer's from here on.
	 * A manifest that ends or pauses the broadcast comes with no bytes.
	 */
	publish(
		signed: SignedManifest,
		bytes: Uint8Array<ArrayBuffer>,
		init: Uint8Array<ArrayBuffer>,
	): void {
		const { manifest } = signed;
		this.#acceptance.judge(signed, this.#clock.now());
		this.#inits.put(manifest.initSha256, init);
		this.#dropOut(this.#window.add(signed));
		for (let offset = 0; offset < pieceCount(manifest); offset++) {
			const start = offset * manifest.pieceLength;
			const piece = bytes.subarray(start, start + manifest.pieceLength);
			this.#dropOut(this.#window.put(manifest.firstPiece + offset, piece).out);
		}
		if (pieceCount(manifest) === 0) this.#flood(signed, undefined);
		else this.#addToScheduler(signed, undefined, true);
	}

	/** Leaves: says goodbye to everybody and ends every link. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#scheduler.close();
		this.#exchange.close();
		for (const stop of this.#initWanted.values()) stop();
		for (const link of this.#byLink.keys()) {
			link.send({ type: 'bye' });
			link.close('closed');
		}
		this.#byLink.clear();
		this.removeAllListeners();
	}

	/** Drops a neighbour for a better one. */
	drop(neighbour: Neighbour): void {
		this.#end(neighbour.link, 'crowded');
	}

	#onMessage(from: Neighbour, message: Message): void {
		if (this.#closed || this.#byLink.get(from.link) !== from) return;
		const budget = this.#budgets.get(from);
		if (!budget?.allows(message)) {
			this.refusals.overBudget++;
			if (budget?.exhausted) this.#end(from.link, 'protocol');
			return;
		}
		this.#scheduler.heard(from);
		if (from.role === undefined && message.type !== 'hello') return;
		switch (message.type) {
			case 'hello':
				return this.#onHello(from, message);
			case 'manifest':
			case 'manifest-delta':
				return this.#intake.take(message, (result) => this.#onIntake(from, result));
			case 'want-manifest':
				return this.#onWantManifest(from, message);
			case 'have':
				return this.#scheduler.onHave(from, message);
			case 'subscribe':
				return this.#scheduler.onSubscribe(from, message);
			case 'subscribed':
				return this.#scheduler.onSubscribed(from, message);
			case 'request':
				return this.#scheduler.onRequest(from, message);
			case 'piece':
				return this.#scheduler.onPiece(from, message);
			case 'cancel':
				return this.#scheduler.onCancel(from, message);
			case 'reject':
				return this.#scheduler.onReject(from, message);
			case 'want-init': {
				const bytes = this.#inits.get(message.sha256);
				if (bytes) from.link.send({ type: 'init', sha256: message.sha256, bytes });
				return;
			}
			case 'init':
				return this.#onInit(from, message.sha256, message.bytes);
			case 'ping':
				from.link.send({ type: 'pong', nonce: message.nonce });
				return this.#scheduler.onPing(from, message);
			case 'pong':
				return this.#scheduler.onPong(from, message.nonce);
			case 'exchange':
				return this.#exchange.take(from.link, message.peers, this.#linkPeerIds());
			case 'signal':
				return this.#onSignal(from, message);
			case 'bye':
				from.link.close('bye');
				return this.#forget(from);
		}
	}

	#onHello(from: Neighbour, message: HelloMessage): void {
		if (from.role !== undefined) return;
		if (equalBytes(message.instance, this.#instance)) {
			this.#end(from.link, 'protocol');
			return;
		}
		this.#scheduler.onHello(from, message);
		if (this.#options.role === 'broadcaster') {
			// Nobody is told less than the newest: the broadcast is there the moment a viewer is.
			this.#onWantManifest(from, { type: 'want-manifest', piece: undefined, before: 0 });
		} else {
			const before = this.#options.from === 'window' ? MAX_GAP : 0;
			from.link.send({ type: 'want-manifest', piece: undefined, before });
		}
		this.#exchange.greet(from.link, this.#linkPeerIds());
	}

	#onIntake(from: Neighbour, result: IntakeResult): void {
		if (this.#closed || this.#byLink.get(from.link) !== from) {
			// The sender left while its manifest was checked; the manifest itself may still be news.
			if (result.type !== 'verdict' || result.verdict.type !== 'accept' || this.#closed) return;
		}
		switch (result.type) {
			case 'no-base':
				this.#wantManifest(from.link, result.piece, 0);
				from.link.send({ type: 'want-manifest', piece: undefined, before: 0 });
				return;
			case 'known':
				if (result.firstPiece !== undefined) {
					this.#scheduler.noteInformed(from, result.firstPiece);
				}
				return;
			case 'overloaded':
				this.refusals.overBudget++;
				return;
			case 'bad':
				if (result.why === 'bad-signature') this.refusals.badSignatures++;
				else this.refusals.badMessages++;
				this.#end(from.link, result.why);
				return;
			case 'verdict':
				this.#onVerdict(from, result.verdict, result.signed);
		}
	}

	#onVerdict(
		from: Neighbour,
		verdict: Extract<IntakeResult, { type: 'verdict' }>['verdict'],
		signed: SignedManifest,
	): void {
		switch (verdict.type) {
			case 'accept':
				this.#accept(from, signed, verdict.newRun);
				return;
			case 'ignore':
				if (verdict.why === 'stale') this.refusals.staleManifests++;
				return;
			case 'fork':
				this.refusals.forks++;
				this.emit('fork', undefined);
				return;
			case 'reject':
				this.refusals.badMessages++;
				this.#end(from.link, 'protocol');
		}
	}

	#accept(from: Neighbour, signed: SignedManifest, newRun: boolean): void {
		const { manifest } = signed;
		const previousNewest = this.#window.newest?.signed.manifest;
		if (newRun || !this.#start) {
			const sequence =
				this.#options.from === 'window' || (previousNewest && newRun)
					? 0
					: Math.max(0, manifest.sequence - manifest.sinceKeyFrame);
			this.#start = { epoch: manifest.epoch, sequence };
		}
		this.#dropOut(this.#window.add(signed));
		if (pieceCount(manifest) === 0) {
			this.#flood(signed, from);
		} else {
			if (!this.#inits.get(manifest.initSha256)) this.#wantInit(manifest, from.link);
			this.#addToScheduler(signed, from, false);
			this.#fillGap(from.link, manifest);
		}
		this.emit('manifest', { manifest, newRun });
	}

	/** Asks for the manifests between this one and the last before it that is known. */
	#fillGap(link: Link, manifest: Manifest): void {
		const start = this.#start;
		if (!start || manifest.epoch !== start.epoch || manifest.sequence <= start.sequence) return;
		const at = this.#window.find(manifest.firstPiece - 1)?.stored.signed.manifest;
		if (at?.sequence === manifest.sequence - 1 && at.epoch === manifest.epoch) return;
		let missing = 1;
		const least = Math.max(1, manifest.sequence - start.sequence);
		for (const { signed } of [...this.#window.segments].reverse()) {
			const other = signed.manifest;
			if (other.epoch !== manifest.epoch || other.sequence >= manifest.sequence) continue;
			missing = manifest.sequence - other.sequence - 1;
			break;
		}
		if (missing < 1 || manifest.firstPiece === 0) return;
		this.#wantManifest(link, manifest.firstPiece - 1, Math.min(MAX_GAP, least, missing) - 1);
	}

	#addToScheduler(signed: SignedManifest, from: Neighbour | undefined, held: boolean): void {
		const { manifest } = signed;
		const start = this.#start;
		const wanted =
			held ||
			(start !== undefined &&
				manifest.epoch === start.epoch &&
				manifest.sequence >= start.sequence);
		this.#scheduler.addSegment(
			{
				firstPiece: manifest.firstPiece,
				count: pieceCount(manifest),
				pieceLength: manifest.pieceLength,
				length: manifest.length,
				durationMs: manifest.durationUs / 1000,
				wanted,
				held,
			},
			from,
		);
	}

	/** Sends a manifest without pieces to everybody; there is nothing to push that would carry it. */
	#flood(signed: SignedManifest, except: Neighbour | undefined): void {
		for (const neighbour of this.#scheduler.neighbours) {
			if (neighbour !== except && neighbour.role !== undefined)
				this.#sendWhole(neighbour.link, signed);
		}
	}

	#inform(link: Link, firstPiece: number): void {
		const signed = this.#signedAt(firstPiece);
		if (!signed) return;
		const base = firstPiece > 0 ? this.#window.find(firstPiece - 1)?.stored.signed : undefined;
		const sameRun = base?.manifest.epoch === signed.manifest.epoch;
		if (base && sameRun && this.#scheduler.isInformed(link, base.manifest.firstPiece)) {
			link.send({
				type: 'manifest-delta',
				signature: signed.signature,
				baseFirstPiece: base.manifest.firstPiece,
				changes: manifestChanges(base, signed.manifest),
			});
		} else {
			this.#sendWhole(link, signed);
		}
	}

	#sendWhole(link: Link, { signature, dict }: SignedManifest): void {
		link.send({ type: 'manifest', signature, dict });
	}

	#onWantManifest(from: Neighbour, { piece, before }: WantManifestMessage): void {
		const segments = this.#window.segments;
		let last = segments.length - 1;
		if (piece !== undefined) {
			const found = this.#window.find(piece);
			if (!found) return;
			last = segments.indexOf(found.stored);
		}
		const newest = segments[last];
		if (!newest) return;
		// Whoever asks for the newest is about to join, and can only begin at a key frame.
		const back = piece === undefined ? newest.signed.manifest.sinceKeyFrame : 0;
		const first = Math.max(0, last - Math.max(before, back));
		for (const stored of segments.slice(first, last + 1)) {
			this.#sendWhole(from.link, stored.signed);
			this.#scheduler.noteInformed(from, stored.signed.manifest.firstPiece);
			this.#scheduler.announceTo(from.link, stored.signed.manifest.firstPiece);
		}
	}

	#wantManifest(link: Link, piece: number, before: number): void {
		const nowMs = this.#clock.now();
		if (nowMs - (this.#wantedAtMs.get(piece) ?? -Infinity) < WANT_RETRY_MS) return;
		if (this.#wantedAtMs.size > 256) this.#wantedAtMs.clear();
		this.#wantedAtMs.set(piece, nowMs);
		link.send({ type: 'want-manifest', piece, before });
	}

	#wantInit(manifest: Manifest, first: Link): void {
		const key = manifest.initSha256.join();
		if (this.#initWanted.has(key)) return;
		let turn = 0;
		const ask = () => {
			const neighbours = this.#scheduler.neighbours;
			const link = turn === 0 ? first : neighbours[turn % Math.max(1, neighbours.length)]?.link;
			turn++;
			link?.send({ type: 'want-init', sha256: manifest.initSha256 });
			this.#initWanted.set(key, this.#clock.after(INIT_RETRY_MS, ask));
		};
		ask();
	}

	#onInit(from: Neighbour, claimed: Uint8Array, bytes: Uint8Array): void {
		const key = claimed.join();
		if (!this.#initWanted.has(key)) return;
		this.#proofs.sha256(bytes, (digest) => {
			if (this.#closed) return;
			if (!equalBytes(digest, claimed)) {
				this.#end(from.link, 'bad-piece');
				return;
			}
			this.#initWanted.get(key)?.();
			this.#initWanted.delete(key);
			this.#inits.put(digest, new Uint8Array(bytes));
			const waiting = this.#waitingForInit;
			this.#waitingForInit = [];
			for (const stored of waiting) this.#deliver(stored);
		});
	}

	#checkPiece(index: number, bytes: Uint8Array, slot: number): void {
		const found = this.#window.find(index);
		if (!found) return;
		const { stored, offset } = found;
		this.#proofs.sha1(bytes, (digest) => {
			if (this.#closed) return;
			const good = equalBytes(digest, pieceHash(stored.signed.manifest, offset));
			if (!good) this.refusals.badMessages++;
			const { whole, out } = good ? this.#window.put(index, bytes) : { whole: undefined, out: [] };
			this.#scheduler.checked(index, good, slot);
			this.#dropOut(out);
			if (whole) this.#checkSegment(whole);
		});
	}

	/** SHA-1 names the pieces; SHA-256 is what a forger can't meet. Nothing is played before it fits. */
	#checkSegment(stored: StoredSegment): void {
		const { manifest } = stored.signed;
		const bytes = this.#assemble(stored);
		this.#proofs.sha256(bytes, (digest) => {
			if (this.#closed) return;
			if (equalBytes(digest, manifest.sha256)) this.#deliver(stored, bytes);
			else this.refusals.badMessages++;
		});
	}

	#assemble(stored: StoredSegment): Uint8Array<ArrayBuffer> {
		return (this.#options.assemble ?? concatPieces)(wholePieces(stored));
	}

	#deliver(stored: StoredSegment, bytes = this.#assemble(stored)): void {
		const { manifest } = stored.signed;
		const init = this.#inits.get(manifest.initSha256);
		if (!init) {
			this.#waitingForInit.push(stored);
			return;
		}
		this.emit('segment', { manifest, bytes, init, receivedAtMs: this.#clock.now() });
	}

	#lost(firstPiece: number): void {
		const signed = this.#signedAt(firstPiece);
		if (signed) this.emit('lost', signed.manifest);
	}

	#dropOut(out: readonly StoredSegment[]): void {
		for (const stored of out) {
			this.#scheduler.removeSegment(stored.signed.manifest.firstPiece);
			this.#waitingForInit = this.#waitingForInit.filter((waiting) => waiting !== stored);
		}
	}

	/** Asks neighbours to introduce up to `count` peers we heard of from them: an `introduction` event each. */
	seekIntroductions(count: number): void {
		for (const { peerId, via } of this.#exchange.pick(count, this.#linkPeerIds())) {
			this.emit('introduction', {
				peerId,
				via: (signal) => {
					if (this.#byLink.has(via)) via.send(signal);
				},
			});
		}
	}

	#onSignal(from: Neighbour, message: SignalMessage): void {
		const signal = this.#exchange.stamp(from.link, message);
		if (equalBytes(signal.to, this.#options.peerId)) {
			this.emit('signal', {
				signal: message,
				reply: (answer) => {
					if (this.#byLink.has(from.link)) from.link.send(answer);
				},
			});
			return;
		}
		const target = [...this.#byLink.keys()].find((link) => this.#exchange.is(link, signal.to));
		if (target && target !== from.link) target.send(signal);
	}

	#linkPeerIds(): Set<string> {
		return new Set([...this.#byLink.keys()].map(({ peerId }) => peerId));
	}

	#signedAt(firstPiece: number): SignedManifest | undefined {
		const found = this.#window.find(firstPiece);
		return found?.offset === 0 ? found.stored.signed : undefined;
	}

	#end(link: Link, why: LinkEnd): void {
		const neighbour = this.#byLink.get(link);
		if (!neighbour) return;
		if (why === 'protocol' || why === 'bad-piece' || why === 'bad-signature') {
			this.emit('blamed', { peerId: link.peerId, why });
		}
		link.close(why);
		this.#forget(neighbour);
	}

	#forget(neighbour: Neighbour): void {
		if (!this.#byLink.delete(neighbour.link)) return;
		this.#budgets.delete(neighbour);
		this.#scheduler.remove(neighbour);
		this.#exchange.remove(neighbour.link);
		this.emit('links', { count: this.#byLink.size });
	}
}

function concatPieces(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
	return concatBytes(...pieces);
}
