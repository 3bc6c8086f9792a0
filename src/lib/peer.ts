import { equalBytes } from './util/bytes.ts';
import type { Clock } from './util/clock.ts';
import { Emitter } from './util/emitter.ts';
import { isBreach, type Link, type LinkEnd } from './model/link.ts';
import { pieceCount, type Manifest } from './model/manifest.ts';
import type { SignedManifest } from './model/manifest-delta.ts';
import type { HelloMessage, Message } from './model/message.ts';
import { EarlyMessages } from './early-messages.ts';
import { Acceptance } from './sign/acceptance.ts';
import { BroadcasterProof } from './sign/broadcaster-proof.ts';
import { ManifestIntake, type IntakeResult } from './sign/manifest-intake.ts';
import type { PeerEvents, PeerOptions, ReceivedSegment, RefusalStats } from './peer-options.ts';
import { SegmentIntake } from './segment-intake.ts';
import { keyFrameBefore, ManifestExchange, type StartPoint } from './manifest-exchange.ts';
import { PeerExchange } from './schedule/exchange.ts';
import { InitRequests } from './schedule/init-requests.ts';
import { LinkBudget } from './schedule/link-budget.ts';
import type { Neighbour } from './schedule/neighbour.ts';
import { Scheduler, type SchedulerStats } from './schedule/scheduler.ts';
import { DvrWindow, type StoredSegment } from './store/dvr-window.ts';
import { segmentInfoDict } from './store/segment-torrent.ts';

const DEFAULT_WINDOW_MS = 60_000;

/**
 * One peer of a channel, whatever carries its links: broadcaster, viewer and relay all stand on it. It joins the rooms:
 * manifests pass the gate of `sign/`, pieces are sought and passed on by `schedule/`, and kept by `store/`.
 */
export class ChannelPeer extends Emitter<PeerEvents> {
	readonly #options: PeerOptions;
	readonly #clock: Clock;
	readonly #acceptance: Acceptance;
	readonly #intake: ManifestIntake;
	readonly #broadcasterProof: BroadcasterProof;
	readonly #window: DvrWindow;
	readonly #segments: SegmentIntake;
	readonly #scheduler: Scheduler;
	readonly #exchange: PeerExchange;
	readonly #byLink = new Map<Link, Neighbour>();
	readonly #instance = new Uint8Array(16);
	readonly #initRequests: InitRequests;
	readonly #early = new EarlyMessages({
		take: (from, message) => {
			if (this.#isHere(from)) this.#take(from, message);
		},
		knowsPiece: (index) => this.#scheduler.knows(index),
		knowsManifest: (firstPiece) => this.#manifests.signedAt(firstPiece) !== undefined,
	});
	readonly #manifests: ManifestExchange;
	/** Epoch and sequence from which segments are wanted. */
	#start: StartPoint | undefined;
	/** Whether anything of this channel was delivered. */
	#hasFollowed = false;
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
		for (let i = 0; i < 16; i++) this.#instance[i] = Math.floor(options.random() * 256);
		const windowMs = options.dvr?.windowMs ?? DEFAULT_WINDOW_MS;
		this.#window = new DvrWindow(options.dvr);
		this.#segments = new SegmentIntake({
			proofs: options.proofs,
			window: this.#window,
			clock: this.#clock,
			assemble: options.assemble,
			deliver: (segment) => {
				this.#hasFollowed = true;
				if (!this.#closed) this.emit('segment', segment);
			},
			forged: () => this.refusals.badMessages++,
		});
		this.#manifests = new ManifestExchange(this.#clock, this.#window, () => this.#scheduler);
		this.#initRequests = new InitRequests(options, {
			links: () => this.#scheduler.neighbours.map(({ link }) => link),
			isNeeded: (sha256) => this.#window.needsInit(sha256, this.#start?.epoch),
			arrived: (sha256, bytes) => {
				this.emit('init', { sha256, bytes });
				this.#segments.takeInit(sha256, bytes);
			},
			end: (link, why) => this.#end(link, why),
		});
		this.#acceptance = new Acceptance(options.channel.publicKey, windowMs);
		this.#intake = new ManifestIntake({
			channel: options.channel.publicKey,
			proofs: options.proofs,
			judge: (signed) =>
				options.role === 'broadcaster'
					? this.#acceptance.judgeOthers(signed)
					: this.#acceptance.judge(signed, this.#clock.now()),
			infoDict: segmentInfoDict,
			now: () => this.#clock.now(),
			known: (firstPiece) => this.#manifests.signedAt(firstPiece),
			read: options.readManifest,
		});
		this.#broadcasterProof = new BroadcasterProof(options);
		this.#exchange = new PeerExchange(options, () => this.#byLink.keys());
		this.#scheduler = new Scheduler({
			role: options.role,
			clock: options.clock,
			random: options.random,
			...(options.strategy ? { strategy: options.strategy } : {}),
			uplinkCapBps: options.uplinkCapBps,
			uplinkGuessBps: options.uplinkGuessBps,
			port: {
				block: (index, begin, length) => this.#window.block(index, begin, length),
				check: (index, bytes, from) => this.#check(index, bytes, from),
				inform: (link, firstPiece) => this.#manifests.inform(link, firstPiece),
				wantManifest: (link, piece) => this.#manifests.ask(link, piece, 0),
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

	/** The oldest manifest of the newest run that is in the window. */
	get oldest(): Manifest | undefined {
		return this.#window.oldestOfRun?.signed.manifest;
	}

	/** Whether the broadcast that is followed has ended. */
	get ended(): boolean {
		return this.#acceptance.ended;
	}

	/** How many more links this peer would like, and how many it has room for; looked at anew on `links`. */
	get linkRoom(): Scheduler['linkRoom'] {
		return this.#scheduler.linkRoom;
	}

	/** Hops to the broadcaster; 255 when unknown. */
	get hop(): number {
		return this.#scheduler.hop;
	}

	/** The stream's rate, bits per second. */
	get streamBps(): number {
		return this.#scheduler.streamBps;
	}

	/** Its uplink, bits per second: `measuredBps` since it was full once, `seenBps` also when it grew without, `planBps` what it is taken for. */
	get uplink(): Scheduler['uplink'] {
		return this.#scheduler.uplink;
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
	wholeSegments(): Iterable<ReceivedSegment> {
		return this.#segments.whole();
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
		const known = this.#exchange.hasLinkTo(link.peerId);
		const neighbour = this.#closed || known ? undefined : this.#scheduler.add(link);
		if (!neighbour) return link.close(this.#closed ? 'closed' : 'crowded');
		this.#byLink.set(link, neighbour);
		const budget = new LinkBudget(() => this.#clock.now());
		link.onMessage = (message) => this.#onMessage(neighbour, budget, message);
		link.onClose = () => this.#forget(neighbour);
		link.onDrain = () => this.#scheduler.onDrain();
		link.send({
			type: 'hello',
			role: this.#options.role,
			uplinkBps: this.uplink.planBps === 0 ? 0 : this.uplink.measuredBps,
			instance: this.#instance,
		});
		this.#broadcasterProof.give(link);
		// In the same breath, and unasked: whoever joins has a round trip less to wait.
		this.#manifests.answer(neighbour, { piece: undefined, before: 0 });
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
		const verdict = this.#acceptance.judge(signed, this.#clock.now());
		if (verdict.type === 'fork') this.emit('fork', undefined);
		this.#segments.inits.put(manifest.initSha256, init);
		this.#dropOut(this.#window.addWhole(signed, bytes));
		if (pieceCount(manifest) === 0) this.#manifests.flood(signed, undefined);
		else this.#addToScheduler(signed, undefined, true);
	}

	/** Leaves: says goodbye to everybody and ends every link; with `keepLinks` whoever made them ends them. */
	close({ keepLinks = false } = {}): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#scheduler.close();
		this.#manifests.close();
		this.#exchange.close();
		this.#initRequests.close();
		for (const link of this.#byLink.keys()) {
			link.send({ type: 'bye' });
			if (!keepLinks) link.close('closed');
		}
		this.#byLink.clear();
		this.removeAllListeners();
	}

	#onMessage(from: Neighbour, budget: LinkBudget, message: Message): void {
		if (!this.#isHere(from)) return;
		if (!budget.allows(message)) {
			this.refusals.overBudget++;
			if (budget.exhausted) this.#end(from.link, 'protocol');
			return;
		}
		this.#scheduler.heard(from);
		if (from.role === undefined && message.type !== 'hello') return;
		this.#take(from, message);
	}

	#isHere(neighbour: Neighbour): boolean {
		return !this.#closed && this.#byLink.get(neighbour.link) === neighbour;
	}

	/** Takes a message of a neighbour that is here. */
	#take(from: Neighbour, message: Message): void {
		if (this.#early.hold(from, message)) return;
		switch (message.type) {
			case 'hello':
				return this.#onHello(from, message);
			case 'broadcaster-proof':
				return this.#broadcasterProof.check(from.link, message, (genuine) => {
					if (!genuine) this.#refuse(from, 'bad-signature');
					else if (this.#isHere(from)) this.#scheduler.onBroadcaster(from);
				});
			case 'manifest':
			case 'manifest-delta':
				this.#early.begin(from);
				return this.#intake.take(message, (result) => {
					this.#onIntake(from, result);
					this.#early.end(from);
				});
			case 'want-manifest':
				return this.#manifests.answer(from, message);
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
				const bytes = this.#segments.inits.get(message.sha256);
				if (bytes) from.link.send({ type: 'init', sha256: message.sha256, bytes });
				return;
			}
			case 'init':
				return this.#initRequests.take(from.link, message);
			case 'ping':
				from.link.send({ type: 'pong', nonce: message.nonce });
				return this.#scheduler.onPing(from, message);
			case 'pong':
				return this.#scheduler.onPong(from, message.nonce);
			case 'exchange':
				return this.#exchange.take(from.link, message.peers);
			case 'signal':
				if (!this.#exchange.isOurs(from.link, message)) return;
				this.emit('signal', { signal: message, reply: (answer) => from.link.send(answer) });
				return;
			case 'bye':
				from.link.close('bye');
				return this.#forget(from);
		}
	}

	#onHello(from: Neighbour, message: HelloMessage): void {
		if (from.role !== undefined) return;
		if (equalBytes(message.instance, this.#instance)) return this.#end(from.link, 'protocol');
		this.#scheduler.onHello(from, message);
		this.#exchange.greet(from.link);
	}

	#onIntake(from: Neighbour, result: IntakeResult): void {
		if (this.#closed || this.#byLink.get(from.link) !== from) {
			// The sender left while its manifest was checked; the manifest itself may still be news, and a forged one is remembered.
			const isNews = result.type === 'verdict' && result.verdict.type === 'accept';
			if (this.#closed || (!isNews && result.type !== 'bad')) return;
		}
		switch (result.type) {
			case 'no-base':
				this.#manifests.ask(from.link, result.piece, 0);
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
				return this.#refuse(from, result.why);
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
				return this.#accept(from, signed, verdict.newRun);
			case 'ignore':
				if (verdict.why === 'stale') this.refusals.staleManifests++;
				return;
			case 'fork':
				this.refusals.forks++;
				this.emit('fork', undefined);
				return;
			case 'reject':
				this.#refuse(from, 'protocol');
		}
	}

	#accept(from: Neighbour, signed: SignedManifest, newRun: boolean): void {
		const { manifest } = signed;
		if (newRun || !this.#start) {
			// Who followed the run before wants all of the next; who only heard of it, as joiners do, what is live.
			const isWhole = this.#options.from === 'window' || this.#hasFollowed;
			this.#start = isWhole ? { epoch: manifest.epoch, sequence: 0 } : keyFrameBefore(manifest);
		}
		this.#dropOut(this.#window.add(signed));
		if (pieceCount(manifest) === 0) {
			this.#manifests.flood(signed, from);
		} else {
			if (!this.#segments.inits.get(manifest.initSha256)) {
				this.#initRequests.want(manifest.initSha256, from.link);
			}
			this.#addToScheduler(signed, this.#isHere(from) ? from : undefined, false);
		}
		this.#manifests.fillGap(from, manifest, this.#start);
		this.emit('manifest', { manifest, newRun });
	}

	#addToScheduler(signed: SignedManifest, from: Neighbour | undefined, held: boolean): void {
		const { manifest } = signed;
		const start = this.#start;
		const wanted =
			held ||
			(start !== undefined &&
				manifest.epoch === start.epoch &&
				manifest.sequence >= start.sequence);
		this.#scheduler.addSegment(manifest, { wanted, held, from });
	}

	#check(index: number, bytes: Uint8Array, from: Neighbour): void {
		this.#segments.takePiece(index, bytes, ({ good, out }) => {
			if (this.#closed) return;
			if (!good) this.refusals.badMessages++;
			this.#scheduler.checked(index, good, from);
			this.#dropOut(out);
		});
	}

	#lost(firstPiece: number): void {
		const signed = this.#manifests.signedAt(firstPiece);
		if (signed) this.emit('lost', signed.manifest);
	}

	#dropOut(out: readonly StoredSegment[]): void {
		for (const stored of out) {
			this.#scheduler.removeSegment(stored.signed.manifest.firstPiece);
			this.#segments.forget(stored);
		}
	}

	/** Asks neighbours to introduce up to `count` peers we heard of from them: an `introduction` event each. */
	seekIntroductions(count: number): void {
		for (const { peerId, via } of this.#exchange.pick(count)) {
			this.emit('introduction', { peerId, via: (signal) => via.send(signal) });
		}
	}

	/** Leaves a neighbour for what it sent or signed. */
	#refuse({ link }: Neighbour, why: 'protocol' | 'bad-signature'): void {
		if (why === 'bad-signature') this.refusals.badSignatures++;
		else this.refusals.badMessages++;
		this.#end(link, why);
	}

	/** Ends a link. Who broke the rules is blamed also when it has left since, as what it sent is checked a moment later. */
	#end(link: Link, why: LinkEnd): void {
		if (isBreach(why)) this.emit('blamed', { peerId: link.peerId, why });
		const neighbour = this.#byLink.get(link);
		if (!neighbour) return;
		link.close(why);
		this.#forget(neighbour);
	}

	#forget(neighbour: Neighbour): void {
		if (!this.#byLink.delete(neighbour.link)) return;
		this.#early.forget(neighbour);
		this.#scheduler.remove(neighbour);
		this.#exchange.remove(neighbour.link);
		this.emit('links', { count: this.#byLink.size });
	}
}
