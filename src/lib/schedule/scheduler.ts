import type { Clock, Random } from '../util/clock.ts';
import type { Link, LinkEnd } from '../model/link.ts';
import {
	SUBSTREAMS,
	type HaveMessage,
	type HelloMessage,
	type PeerRole,
	type PieceMessage,
	type PingMessage,
	type RequestMessage,
	type SubscribedMessage,
	type SubscribeMessage,
} from '../model/message.ts';
import { BLOCK_BYTES } from '../model/segment.ts';
import { Announcer } from './announcer.ts';
import {
	BUSY_DELAY_MS,
	BUSY_PAUSE_MS,
	GIVE_UP_MS,
	MAX_QUEUED_BLOCKS,
	MAX_UNSOLICITED,
	TICK_MS,
} from './bounds.ts';
import { clampUplinkKbps } from './children.ts';
import { HeldRequests, reject } from './held-requests.ts';
import { noteLag, noteService } from './lateness.ts';
import { Liveness } from './liveness.ts';
import { neighbourToDrop, wantedLinks } from './neighbourhood.ts';
import { count, settle, type Neighbour } from './neighbour.ts';
import { addBlock, startPiece, type PartialPiece } from './partial-piece.ts';
import { RequestBook } from './request-book.ts';
import { Roster } from './roster.ts';
import { MIX, Seeker, type Strategy } from './seeker.ts';
import {
	CHECKING,
	forBlocks,
	HELD,
	heldBits,
	MISSING,
	NOBODY,
	trackedPieceBytes,
	trackSegment,
	type NewSegment,
	type SegmentTrack,
} from './segment-track.ts';
import { SpreadWatch } from './spread-watch.ts';
import { Tracks } from './tracks.ts';
import { Trees } from './trees.ts';
import { Uplink, type Sending } from './uplink.ts';

export { MIX, type Strategy };

/** What the scheduler needs done by whoever owns it. */
export interface SchedulerPort {
	/** The bytes of a held block, or `undefined` when they are gone. */
	block(index: number, begin: number, length: number): Uint8Array | undefined;
	/** A piece came in whole: hash it, keep it if good, then call `checked`. */
	check(index: number, bytes: Uint8Array, slot: number): void;
	/** Send this neighbour the manifest of the segment. */
	inform(link: Link, firstPiece: number): void;
	/** Ask this neighbour for the manifest of the segment that holds the piece. */
	wantManifest(link: Link, piece: number): void;
	/** A wanted segment was given up. */
	lost(firstPiece: number): void;
	/** End this neighbour's link. */
	end(link: Link, why: LinkEnd): void;
}

/** Counts of one peer's traffic. Bytes are payload. */
export interface SchedulerStats {
	readonly bytesFromBroadcaster: number;
	readonly bytesFromViewers: number;
	readonly bytesSent: number;
	readonly duplicateBytes: number;
	readonly requestsSent: number;
	readonly piecesPushed: number;
	readonly piecesLost: number;
	readonly badPieces: number;
	readonly droppedBlocks: number;
}

export interface SchedulerOptions {
	readonly role: PeerRole;
	readonly clock: Clock;
	readonly random: Random;
	readonly port: SchedulerPort;
	readonly strategy?: Strategy;
	/** Bits per second this peer may send; 0 switches sharing off. */
	readonly uplinkCapBps?: number;
}

/** How often the trees are looked at when nobody asks. */
const TREES_MS = 250;
/** Period in which rates are folded. */
const SETTLE_MS = 500;
/** All missing pieces are looked through at most this often; a piece that news came of is looked at at once. */
const SCAN_MS = 10;
/** Neighbourhoods up to this size hear of every manifest at once. */
const SMALL_NEIGHBOURHOOD = 8;

/**
 * Who gives me which piece, and who gets mine. A state machine without I/O: messages, checks and time come in, messages
 * go out through links. Every event changes state and then calls `#evaluate`. Invariants:
 * 1. only pieces that are `HELD` (their hash was checked) are announced or sent;
 * 2. a piece is asked of at most `MAX_SOURCES_PER_PIECE` neighbours at a time, and never mixed from two;
 * 3. the broadcaster gives a piece to nobody twice, and to a second neighbour only when the first doesn't spread it,
 *    when the swarm is large, or when asked;
 * 4. every queue is within its bound of `bounds.ts`;
 * 5. every wanted piece is held, asked for, expected from a parent, or unknown to every neighbour; past
 *    `GIVE_UP_MS` its segment is declared lost;
 * 6. a piece nobody subscribed to or asked for is dropped unhashed and counted against its sender.
 */
export class Scheduler {
	readonly #role: PeerRole;
	readonly #clock: Clock;
	readonly #port: SchedulerPort;
	readonly #strategy: Strategy;
	readonly #roster = new Roster();
	readonly #tracks = new Tracks();
	readonly #uplink: Uplink;
	readonly #trees: Trees;
	readonly #book = new RequestBook(this.#roster);
	readonly #seeker: Seeker;
	readonly #held = new HeldRequests();
	readonly #announcer: Announcer;
	readonly #spread: SpreadWatch;
	readonly #liveness: Liveness;
	readonly #partials = new Map<number, PartialPiece>();
	#stopTick: (() => void) | undefined;
	#settledAtMs = 0;
	#settledBytes = 0;
	#sentKbps = 0;
	#streamBps = 0;
	#scannedAtMs = -Infinity;
	#droppedAtMs = 0;
	#closed = false;
	readonly #stats = {
		bytesFromBroadcaster: 0,
		bytesFromViewers: 0,
		duplicateBytes: 0,
		piecesPushed: 0,
		piecesLost: 0,
		badPieces: 0,
	};
	/** How far this peer's playhead is behind, told to neighbours in pings. */
	behindMs: number | undefined;

	constructor({ role, clock, random, port, strategy = MIX, uplinkCapBps }: SchedulerOptions) {
		this.#role = role;
		this.#clock = clock;
		this.#port = port;
		this.#strategy = strategy;
		this.#liveness = new Liveness(random);
		this.#uplink = new Uplink((sending) => this.#transmit(sending), uplinkCapBps);
		const roster = this.#roster;
		this.#trees = new Trees({
			role,
			random,
			roster,
			uplink: this.#uplink,
			push: strategy.push,
			streamBps: () => this.#streamBps,
			tell: (neighbour, depths) => this.#ping(neighbour, depths),
		});
		const { parents } = this.#trees;
		this.#seeker = new Seeker({ strategy, roster, book: this.#book, parents });
		this.#announcer = new Announcer({
			clock,
			roster,
			tracks: this.#tracks,
			// Its children tell the rest; what it announced would be asked of it.
			mute: () =>
				role === 'broadcaster' && strategy.push && roster.all.length > SMALL_NEIGHBOURHOOD,
		});
		this.#spread = new SpreadWatch(clock, roster, (neighbour, track, offset) => {
			this.#pushTo(neighbour, track, offset, 0);
			this.#flush();
		});
		this.#tick();
	}

	/** The neighbours there are; not to be changed. */
	get neighbours(): readonly Neighbour[] {
		return this.#roster.all;
	}

	/** How many more links this peer would like. */
	get wantedLinks(): number {
		return this.#closed ? 0 : wantedLinks(this.#role, this.#roster.all.length);
	}

	/** Bits per second that this peer's uplink was measured at, `undefined` until it was full once. */
	get uplinkBps(): number | undefined {
		return this.#uplink.measuredBps;
	}

	/** How long the oldest block waits to be sent, milliseconds. */
	get sendDelayMs(): number {
		const nowMs = this.#clock.now();
		return Math.max(this.#uplink.pushDelayMs(nowMs), this.#uplink.askedDelayMs(nowMs));
	}

	/** Hops to the broadcaster; 0 for itself, 255 when unknown. */
	get hop(): number {
		return this.#role === 'broadcaster' ? 0 : this.#trees.parents.hop();
	}

	/** The stream's rate as the manifests tell it, bits per second. */
	get streamBps(): number {
		return this.#streamBps;
	}

	get stats(): SchedulerStats {
		return {
			...this.#stats,
			requestsSent: this.#book.requestsSent,
			bytesSent: this.#uplink.sentBytes,
			droppedBlocks: this.#uplink.droppedBlocks,
		};
	}

	/** Blocks that wait to be sent; bounded. */
	get queuedBlocks(): number {
		return this.#uplink.waiting;
	}

	/** Limits what this peer sends, bits per second; 0 switches sharing off, `Infinity` takes the limit away. */
	setUplinkCap(capBps: number): void {
		this.#uplink.capBps = capBps;
		if (capBps === 0) this.#held.rejectAll();
		this.#evaluateTrees(undefined);
	}

	/** Takes a new link; gives `undefined` when every slot is taken. */
	add(link: Link): Neighbour | undefined {
		return this.#closed ? undefined : this.#roster.add(link, this.#clock.now());
	}

	/** Forgets a link that ended; what was asked of it is asked of others. */
	remove(neighbour: Neighbour): void {
		const { slot } = neighbour;
		if (!this.#roster.remove(neighbour)) return;
		this.#trees.parents.remove(neighbour);
		this.#uplink.cancel(({ to }) => to === neighbour);
		this.#held.forget(neighbour);
		for (const [index, partial] of this.#partials) {
			if (partial.slot === slot) this.#partials.delete(index);
		}
		for (const track of this.#tracks.all) {
			track.informed &= ~(1 << slot);
			for (let offset = 0; offset < track.count; offset++) {
				track.holders[offset] = (track.holders[offset] ?? 0) & ~(1 << slot);
				this.#book.forget(track, offset, slot);
			}
		}
		this.#scannedAtMs = -Infinity;
		this.#evaluate();
	}

	onHello(from: Neighbour, message: HelloMessage): void {
		from.role = message.role;
		from.uplinkKbps = clampUplinkKbps(
			message.uplinkBps === undefined ? undefined : message.uplinkBps / 1000,
		);
		if (message.role === 'broadcaster') from.hop = 0;
		this.#ping(from);
		this.#evaluateTrees(undefined);
		this.#evaluate();
	}

	/** Tells a neighbour what we hold of a segment whose manifest it was just sent. */
	announceTo(link: Link, firstPiece: number): void {
		const track = this.#tracks.of(firstPiece);
		if (!track) return;
		const { bits, held } = heldBits(track);
		if (held > 0) link.send({ type: 'have', first: track.firstPiece, bits });
	}

	/** Notes that a neighbour knows a segment's manifest. */
	noteInformed(from: Neighbour, firstPiece: number): void {
		const track = this.#tracks.of(firstPiece);
		if (track) track.informed |= 1 << from.slot;
	}

	/** Whether a neighbour knows a segment's manifest, by what was sent to it and heard from it. */
	isInformed(link: Link, firstPiece: number): boolean {
		const track = this.#tracks.of(firstPiece);
		const neighbour = this.#roster.of(link);
		return !!track && !!neighbour && (track.informed & (1 << neighbour.slot)) !== 0;
	}

	/**
	 * Takes up a segment whose manifest was accepted. `held` says that its pieces are all here (the broadcaster's own);
	 * `from` is who told of it.
	 */
	addSegment(
		segment: NewSegment & { held: boolean; durationMs: number },
		from: Neighbour | undefined,
	): void {
		const nowMs = this.#clock.now();
		const track = trackSegment(segment, nowMs);
		if (from) track.informed |= 1 << from.slot;
		if (segment.held) {
			track.missing = 0;
			track.states.fill(HELD);
		}
		this.#tracks.add(track);
		this.#noteStreamRate(segment.length, segment.durationMs);
		this.#informEagerly(track);
		if (segment.held) {
			// Piece by piece over all neighbours: each leaves once before any leaves twice.
			for (let offset = 0; offset < track.count; offset++) this.#passOn(track, offset);
		} else {
			this.#seeker.askAhead(track, nowMs);
		}
		this.#evaluate();
	}

	/** Starts wanting a segment that was known but not wanted. */
	want(firstPiece: number): void {
		const track = this.#tracks.of(firstPiece);
		if (!track || track.wanted) return;
		track.wanted = true;
		this.#tracks.seek(track);
		this.#evaluate();
	}

	/** Forgets a segment that left the DVR window. */
	removeSegment(firstPiece: number): void {
		const track = this.#tracks.remove(firstPiece);
		if (!track) return;
		for (let offset = 0; offset < track.count; offset++) {
			if (track.states[offset] !== HELD) this.#book.release(track, offset, NOBODY);
			this.#partials.delete(firstPiece + offset);
		}
	}

	onHave(from: Neighbour, { first, bits }: HaveMessage): void {
		const nowMs = this.#clock.now();
		const bit = 1 << from.slot;
		let unknown = -1;
		for (let i = 0; i < bits.length * 8; i++) {
			if (((bits[i >> 3] ?? 0) & (0x80 >> (i & 7))) === 0) continue;
			const index = first + i;
			const track = this.#tracks.of(index);
			if (!track) {
				if (index > this.#tracks.newestPiece) unknown = index;
				continue;
			}
			const offset = index - track.firstPiece;
			track.informed |= bit;
			// It has the piece from elsewhere: what waits for it here is in vain.
			if (this.#uplink.waiting > 0) {
				this.#uplink.cancel((sending) => sending.to === from && sending.index === index);
			}
			if (((track.holders[offset] ?? 0) & bit) !== 0) continue;
			track.holders[offset] = (track.holders[offset] ?? 0) | bit;
			noteLag(from, index, nowMs - track.knownAtMs);
			this.#seeker.consider(track, offset, nowMs);
		}
		if (unknown >= 0) this.#port.wantManifest(from.link, unknown);
		this.#flush();
	}

	onSubscribe(from: Neighbour, { substreams }: SubscribeMessage): void {
		from.askedUs = substreams;
		from.wants = substreams;
		from.given &= substreams;
		this.#evaluateTrees(from);
		this.#flush();
	}

	onSubscribed(from: Neighbour, { substreams, asked }: SubscribedMessage): void {
		this.#trees.parents.onSubscribed(from, substreams, asked, this.#clock.now());
		this.#evaluateTrees(undefined);
		this.#evaluate();
	}

	onRequest(from: Neighbour, message: RequestMessage): void {
		const { index, begin, length } = message;
		const track = this.#tracks.of(index);
		if (!track || !this.#uplink.open) return reject(from, message);
		const busy = this.#role !== 'broadcaster' && this.sendDelayMs > BUSY_DELAY_MS;
		if (busy || from.queuedBlocks >= MAX_QUEUED_BLOCKS) return reject(from, message);
		const offset = index - track.firstPiece;
		if (begin + length > trackedPieceBytes(track, offset)) {
			this.#port.end(from.link, 'protocol');
			return;
		}
		if (track.states[offset] === HELD) this.#queueAsked(from, index, begin, length);
		else if (track.lost) return reject(from, message);
		else this.#held.add(from, message, this.#clock.now());
		this.#flush();
	}

	onCancel(from: Neighbour, { index, begin }: { index: number; begin: number }): void {
		this.#uplink.cancel(
			(sending) =>
				sending.asked && sending.to === from && sending.index === index && sending.begin === begin,
		);
		this.#held.cancel(from, index, begin);
	}

	onReject(from: Neighbour, { index }: { index: number }): void {
		const track = this.#tracks.of(index);
		if (!track) return;
		const offset = index - track.firstPiece;
		if (!this.#book.isAsked(track, offset, from.slot)) return;
		const nowMs = this.#clock.now();
		this.#book.forget(track, offset, from.slot);
		from.busyUntilMs = nowMs + BUSY_PAUSE_MS;
		this.#seeker.consider(track, offset, nowMs);
		this.#flush();
	}

	onPiece(from: Neighbour, { index, begin, block }: PieceMessage): void {
		const nowMs = this.#clock.now();
		count(from.bytesIn, block.length);
		const bit = 1 << (index % SUBSTREAMS);
		const subscribed =
			(from.asked & bit) !== 0 || ((from.former & bit) !== 0 && nowMs < from.graceUntilMs);
		const track = this.#tracks.of(index);
		if (!track) {
			if (!subscribed) this.#countUnsolicited(from);
			else this.#stats.duplicateBytes += block.length;
			return;
		}
		const offset = index - track.firstPiece;
		const asked = this.#book.isAsked(track, offset, from.slot);
		track.holders[offset] = (track.holders[offset] ?? 0) | (1 << from.slot);
		track.informed |= 1 << from.slot;
		const lagMs = nowMs - track.knownAtMs;
		if (track.states[offset] !== MISSING) {
			// A second source that was asked, a canceled request, or a push that crossed an announcement.
			from.duplicateBytes += block.length;
			this.#stats.duplicateBytes += block.length;
			this.#book.forget(track, offset, from.slot);
			if (subscribed) noteLag(from, index, lagMs);
			return;
		}
		if (!asked && !subscribed && !this.#book.wasAsked(track, offset)) {
			this.#countUnsolicited(from);
			return;
		}
		const whole = this.#take(from, track, offset, begin, block);
		if (!whole) return;
		if (from.role === 'broadcaster') this.#stats.bytesFromBroadcaster += whole.length;
		else this.#stats.bytesFromViewers += whole.length;
		noteLag(from, index, lagMs);
		this.#seeker.noteMissed(from, index, lagMs);
		if (asked) noteService(from, nowMs - (track.askedAtMs[offset] ?? nowMs));
		from.brokenPromises = 0;
		track.states[offset] = CHECKING;
		this.#book.release(track, offset, from.slot);
		this.#port.check(index, whole, from.slot);
		this.#evaluate();
	}

	/** The answer to `port.check`. */
	checked(index: number, good: boolean, slot: number): void {
		const track = this.#tracks.of(index);
		if (track) {
			const offset = index - track.firstPiece;
			if (track.states[offset] !== CHECKING) return;
			track.states[offset] = good ? HELD : MISSING;
			if (good) {
				if (--track.missing === 0) this.#tracks.settle(track);
				this.#passOn(track, offset);
			}
		}
		if (!good) {
			this.#stats.badPieces++;
			const culprit = this.#roster.at(slot);
			if (culprit) this.#port.end(culprit.link, 'bad-piece');
		}
		this.#evaluate();
	}

	onPing(from: Neighbour, ping: PingMessage): void {
		if (from.role !== 'broadcaster') from.hop = Math.max(1, ping.hop);
		from.spareKbps = ping.spareKbps;
		from.uplinkKbps = clampUplinkKbps(ping.uplinkKbps);
		from.behindMs = ping.behindMs === 0xffff ? undefined : ping.behindMs;
		const before = from.depths;
		from.depths = ping.depths;
		const { parents } = this.#trees;
		parents.noteRoom(from, before);
		if (parents.lacksAny()) this.#evaluateTrees(undefined);
	}

	onPong(from: Neighbour, nonce: number): void {
		this.#liveness.onPong(from, nonce, this.#clock.now());
	}

	/** Something was heard of a neighbour. */
	heard(from: Neighbour): void {
		from.heardAtMs = this.#clock.now();
	}

	/** A link's buffer has room again. */
	onDrain(): void {
		this.#flush();
	}

	/** Stops; nothing is sent any more. */
	close(): void {
		this.#closed = true;
		this.#stopTick?.();
		this.#announcer.close();
		this.#spread.close();
	}

	/** The one place that decides: what is missing is sought, what waits is sent. */
	#evaluate(): void {
		if (this.#closed) return;
		const nowMs = this.#clock.now();
		if (nowMs - this.#scannedAtMs >= SCAN_MS) {
			this.#scannedAtMs = nowMs;
			for (const track of this.#tracks.sought) {
				if (nowMs - track.knownAtMs > GIVE_UP_MS) {
					this.#giveUp(track);
					continue;
				}
				for (let offset = 0; offset < track.count; offset++) {
					this.#seeker.consider(track, offset, nowMs);
				}
			}
		}
		this.#flush();
	}

	#evaluateTrees(asking: Neighbour | undefined): void {
		if (!this.#closed) this.#trees.evaluate(this.#clock.now(), asking);
	}

	#giveUp(track: SegmentTrack): void {
		track.lost = true;
		this.#tracks.settle(track);
		this.#stats.piecesLost += track.missing;
		for (let offset = 0; offset < track.count; offset++) {
			if (track.states[offset] === MISSING) this.#book.release(track, offset, NOBODY);
		}
		this.#port.lost(track.firstPiece);
	}

	/** Adds a block to its piece; gives the piece when it is whole. */
	#take(
		from: Neighbour,
		track: SegmentTrack,
		offset: number,
		begin: number,
		block: Uint8Array,
	): Uint8Array | undefined {
		const index = track.firstPiece + offset;
		const bytes = trackedPieceBytes(track, offset);
		if (block.length !== Math.min(BLOCK_BYTES, bytes - begin)) {
			this.#port.end(from.link, 'protocol');
			return undefined;
		}
		let partial = this.#partials.get(index);
		if (partial?.slot !== from.slot) {
			if (partial && begin !== 0) return undefined;
			this.#partials.set(index, (partial = startPiece(from.slot, bytes)));
		}
		const whole = addBlock(partial, begin, block);
		if (whole) this.#partials.delete(index);
		return whole;
	}

	#countUnsolicited(from: Neighbour): void {
		if (++from.unsolicited > MAX_UNSOLICITED) this.#port.end(from.link, 'protocol');
	}

	/** A piece is held: it goes to subscribers and those who asked, and is announced to the rest. */
	#passOn(track: SegmentTrack, offset: number): void {
		const index = track.firstPiece + offset;
		if (this.#uplink.open) {
			// Where we stand near the root a whole tree waits behind us; leaves can wait.
			const depth = this.#trees.parents.depthOf(index % SUBSTREAMS);
			let turn = 0;
			for (const child of this.#trees.childrenOf(index)) {
				if (((track.holders[offset] ?? 0) & (1 << child.slot)) !== 0) continue;
				this.#pushTo(child, track, offset, this.#role === 'broadcaster' ? turn++ : depth);
			}
		}
		for (const { from, message } of this.#held.take(index)) {
			this.#queueAsked(from, index, message.begin, message.length);
		}
		this.#announcer.announce(index);
	}

	#pushTo(to: Neighbour, track: SegmentTrack, offset: number, turn: number): void {
		if ((track.informed & (1 << to.slot)) === 0) {
			track.informed |= 1 << to.slot;
			this.#port.inform(to.link, track.firstPiece);
		}
		track.holders[offset] = (track.holders[offset] ?? 0) | (1 << to.slot);
		this.#stats.piecesPushed++;
		const index = track.firstPiece + offset;
		const queuedAtMs = this.#clock.now();
		forBlocks(track, offset, (begin, length) =>
			this.#uplink.push({ to, index, begin, length, asked: false, turn, queuedAtMs }),
		);
		if (this.#role === 'broadcaster') this.#spread.watch(to, track, offset);
	}

	#queueAsked(to: Neighbour, index: number, begin: number, length: number): void {
		const queuedAtMs = this.#clock.now();
		this.#uplink.push({ to, index, begin, length, asked: true, turn: 0, queuedAtMs });
	}

	#transmit({ to, index, begin, length }: Sending): number {
		const block = this.#port.block(index, begin, length);
		if (!block) return 0;
		count(to.bytesOut, block.length);
		to.link.send({ type: 'piece', index, begin, block });
		return block.length;
	}

	#flush(): void {
		this.#uplink.drain(this.#clock.now(), this.#roster.all);
	}

	/** Manifests go at once to those who will be pushed pieces, and to all in a small neighbourhood. */
	#informEagerly(track: SegmentTrack): void {
		const all = this.#roster.all.length <= SMALL_NEIGHBOURHOOD || !this.#strategy.push;
		for (const neighbour of this.#roster.all) {
			const bit = 1 << neighbour.slot;
			if (neighbour.role === undefined || (track.informed & bit) !== 0) continue;
			if (!all && neighbour.given === 0) continue;
			track.informed |= bit;
			this.#port.inform(neighbour.link, track.firstPiece);
		}
	}

	/** Repairs, liveness and rates: everything that no message sets off. */
	#tick(): void {
		if (this.#closed) return;
		const nowMs = this.#clock.now();
		if (nowMs - this.#settledAtMs >= SETTLE_MS) this.#settle(nowMs);
		for (const neighbour of this.#roster.all) {
			if (this.#liveness.isSilent(neighbour, nowMs)) this.#port.end(neighbour.link, 'silent');
			else if (this.#liveness.shouldPing(neighbour, nowMs)) this.#ping(neighbour);
		}
		this.#held.expire(nowMs);
		if (nowMs - this.#trees.evaluatedAtMs >= TREES_MS) this.#evaluateTrees(undefined);
		this.#evaluate();
		this.#stopTick = this.#clock.after(TICK_MS, () => this.#tick());
	}

	#settle(nowMs: number): void {
		const elapsedMs = Math.max(1, nowMs - this.#settledAtMs);
		this.#uplink.grow(nowMs);
		const sentKbps = ((this.#uplink.sentBytes - this.#settledBytes) * 8) / elapsedMs;
		this.#sentKbps += (sentKbps - this.#sentKbps) * 0.3;
		this.#settledBytes = this.#uplink.sentBytes;
		for (const neighbour of this.#roster.all) {
			settle(neighbour.bytesIn, elapsedMs);
			settle(neighbour.bytesOut, elapsedMs);
		}
		this.#settledAtMs = nowMs;
		const worst = neighbourToDrop(this.#role, this.#roster.all, nowMs, this.#droppedAtMs);
		if (!worst) return;
		this.#droppedAtMs = nowMs;
		this.#port.end(worst.link, 'crowded');
	}

	#ping(neighbour: Neighbour, told?: Uint8Array): void {
		if (neighbour.role === undefined) return;
		const nowMs = this.#clock.now();
		const depths = told ?? this.#trees.depthsFor(neighbour, nowMs);
		neighbour.toldDepths = depths;
		neighbour.toldAtMs = nowMs;
		const { open } = this.#uplink;
		const planKbps = this.#uplink.planBps / 1000;
		const usedKbps = Math.max(this.#trees.promisedKbps(), this.#sentKbps);
		neighbour.link.send({
			type: 'ping',
			nonce: this.#liveness.pinged(neighbour, nowMs),
			hop: this.hop,
			spareKbps: open ? Math.max(0, planKbps - usedKbps) : 0,
			uplinkKbps: open ? planKbps : 0,
			behindMs: this.behindMs ?? 0xffff,
			links: this.#roster.all.length,
			depths,
		});
	}

	#noteStreamRate(bytes: number, durationMs: number): void {
		if (durationMs <= 0) return;
		const bps = (bytes * 8000) / durationMs;
		this.#streamBps = this.#streamBps === 0 ? bps : this.#streamBps + (bps - this.#streamBps) * 0.1;
	}
}
