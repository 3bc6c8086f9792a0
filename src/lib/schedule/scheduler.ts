import type { Clock } from '../util/clock.ts';
import type { Link } from '../model/link.ts';
import { pieceCount, type Manifest } from '../model/manifest.ts';
import {
	type CancelMessage,
	type HaveMessage,
	type HelloMessage,
	type PeerRole,
	type PieceMessage,
	type PingMessage,
	type RequestMessage,
	type SubscribedMessage,
	type SubscribeMessage,
} from '../model/message.ts';
import { Account } from './account.ts';
import { Announcer } from './announcer.ts';
import { BUSY_PAUSE_MS, GIVE_UP_MS, TICK_MS } from './bounds.ts';
import { clampUplinkKbps } from './children.ts';
import { Giver, SMALL_NEIGHBOURHOOD } from './giver.ts';
import { Heartbeat } from './heartbeat.ts';
import { noteLag } from './lateness.ts';
import { Liveness } from './liveness.ts';
import { freeLinks, neighbourToDrop, wantedLinks } from './neighbourhood.ts';
import type { Neighbour } from './neighbour.ts';
import type { SchedulerOptions, SchedulerPort, SchedulerStats } from './port.ts';
import { Receiver } from './receiver.ts';
import { RequestBook } from './request-book.ts';
import { Roster } from './roster.ts';
import { MIX, Seeker, type Strategy } from './seeker.ts';
import {
	CHECKING,
	forgetSlot,
	HELD,
	heldBits,
	MISSING,
	NOBODY,
	trackSegment,
	type SegmentTrack,
} from './segment-track.ts';
import { Tracks } from './tracks.ts';
import { Trees } from './trees.ts';
import { Uplink } from './uplink.ts';

export { MIX, type Strategy };

export type { SchedulerPort, SchedulerStats, SchedulerOptions };

/** All missing pieces are looked through at most this often; a piece that news came of is looked at at once. */
const SCAN_MS = 10;
/**
 * Who gives me which piece, and who gets mine. A state machine without I/O: messages, checks and time come in, messages
 * go out through links. Every event changes state and then calls `#evaluate`. Invariants:
 * 1. only pieces that are `HELD` (their hash was checked) are announced or sent;
 * 2. a piece is asked of one neighbour at a time, and never mixed from two;
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
	readonly #receiver: Receiver;
	readonly #giver: Giver;
	readonly #announcer: Announcer;
	readonly #account: Account;
	readonly #liveness: Liveness;
	readonly #heartbeat: Heartbeat;
	#stopTick: (() => void) | undefined;
	#scannedAtMs = -Infinity;
	#droppedAtMs = 0;
	#closed = false;
	readonly #stats = { piecesLost: 0, badPieces: 0 };
	constructor({ role, clock, random, port, strategy = MIX, ...limits }: SchedulerOptions) {
		this.#role = role;
		this.#clock = clock;
		this.#port = port;
		this.#strategy = strategy;
		this.#liveness = new Liveness(random);
		this.#receiver = new Receiver(this.#tracks, this.#book, (link, why) => port.end(link, why));
		this.#uplink = new Uplink((sending) => this.#giver.transmit(sending), limits);
		this.#account = new Account(this.#roster, this.#uplink);
		const roster = this.#roster;
		this.#trees = new Trees({
			role,
			random,
			roster,
			uplink: this.#uplink,
			push: strategy.push,
			streamBps: () => this.#account.streamBps,
			tell: (neighbour, depths) => this.#heartbeat.ping(neighbour, clock.now(), depths),
		});
		this.#heartbeat = new Heartbeat({
			roster,
			trees: this.#trees,
			account: this.#account,
			liveness: this.#liveness,
			hop: () => this.hop,
			end: (link, why) => port.end(link, why),
		});
		const { parents } = this.#trees;
		this.#seeker = new Seeker({ strategy, roster, book: this.#book, parents });
		this.#giver = new Giver({
			role,
			clock,
			port,
			roster,
			tracks: this.#tracks,
			uplink: this.#uplink,
			trees: this.#trees,
		});
		this.#announcer = new Announcer({
			clock,
			roster,
			tracks: this.#tracks,
			// Its children tell the rest; what it announced would be asked of it.
			mute: () =>
				role === 'broadcaster' && strategy.push && roster.all.length > SMALL_NEIGHBOURHOOD,
		});
		this.#tick();
	}

	/** The neighbours there are; not to be changed. */
	get neighbours(): readonly Neighbour[] {
		return this.#roster.all;
	}

	/** How many more links this peer would like, and how many it has room for. */
	get linkRoom(): { readonly wanted: number; readonly free: number } {
		if (this.#closed) return { wanted: 0, free: 0 };
		const who = [this.#role, this.#roster.all, this.#clock.now()] as const;
		return { wanted: wantedLinks(...who), free: freeLinks(...who) };
	}

	/** What is known of this peer's uplink, bits per second. */
	get uplink(): Pick<Uplink, 'measuredBps' | 'seenBps' | 'planBps'> {
		return this.#uplink;
	}

	/** How long the oldest block waits to be sent, milliseconds. */
	get sendDelayMs(): number {
		return this.#giver.delayMs;
	}

	/** Hops to the broadcaster; 0 for itself, 255 when unknown. */
	get hop(): number {
		return this.#role === 'broadcaster' ? 0 : this.#trees.parents.hop();
	}

	/** The stream's rate as the manifests tell it, bits per second. */
	get streamBps(): number {
		return this.#account.streamBps;
	}

	get stats(): SchedulerStats {
		return {
			...this.#receiver.stats,
			...this.#stats,
			requestsSent: this.#book.requestsSent,
			piecesPushed: this.#giver.piecesPushed,
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
		this.#giver.expire();
		this.#evaluateTrees(undefined);
	}

	/** How far this peer's playhead is behind, told to neighbours in pings. */
	set behindMs(behindMs: number | undefined) {
		this.#heartbeat.behindMs = behindMs;
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
		this.#giver.forget(neighbour);
		this.#receiver.forget(neighbour);
		for (const track of this.#tracks.all) {
			forgetSlot(track, slot);
			for (let offset = 0; offset < track.count; offset++) this.#book.forget(track, offset, slot);
		}
		this.#scannedAtMs = -Infinity;
		this.#evaluate();
	}

	/** Whoever says that it broadcasts is a relay until `onBroadcaster`. */
	onHello(from: Neighbour, message: HelloMessage): void {
		from.role = message.role === 'broadcaster' ? 'relay' : message.role;
		from.uplinkKbps = clampUplinkKbps(
			message.uplinkBps === undefined ? undefined : message.uplinkBps / 1000,
		);
		this.#heartbeat.ping(from, this.#clock.now());
		this.#evaluateTrees(undefined);
		this.#evaluate();
	}

	/** A neighbour has shown that it is the broadcaster. */
	onBroadcaster(from: Neighbour): void {
		from.role = 'broadcaster';
		from.hop = 0;
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
		manifest: Manifest,
		{ wanted, held, from }: { wanted: boolean; held: boolean; from: Neighbour | undefined },
	): void {
		const nowMs = this.#clock.now();
		const { firstPiece, pieceLength, length } = manifest;
		const count = pieceCount(manifest);
		const track = trackSegment({ firstPiece, count, pieceLength, length, wanted }, nowMs);
		if (from) track.informed |= 1 << from.slot;
		if (held) {
			track.missing = 0;
			track.states.fill(HELD);
		}
		this.#tracks.add(track);
		this.#account.noteSegment(length, manifest.durationUs / 1000);
		const few = this.#roster.all.length <= SMALL_NEIGHBOURHOOD;
		this.#giver.inform(track, few || !this.#strategy.push);
		if (held) {
			// Piece by piece over all neighbours: each leaves once before any leaves twice.
			for (let offset = 0; offset < track.count; offset++) this.#passOn(track, offset);
		} else {
			this.#seeker.askAhead(track, nowMs);
		}
		this.#evaluate();
	}

	/** Whether a piece belongs to a segment that was taken up and is still in the window. */
	knows(index: number): boolean {
		return this.#tracks.of(index) !== undefined;
	}

	/** Forgets a segment that left the DVR window. */
	removeSegment(firstPiece: number): void {
		const track = this.#tracks.remove(firstPiece);
		if (!track) return;
		this.#receiver.forgetSegment(track);
		for (let offset = 0; offset < track.count; offset++) {
			if (track.states[offset] !== HELD) this.#book.release(track, offset, NOBODY);
		}
	}

	onHave(from: Neighbour, { first, bits }: HaveMessage): void {
		const nowMs = this.#clock.now();
		const bit = 1 << from.slot;
		const had = new Set<number>();
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
			// What never left its source nobody can have.
			if (this.#role === 'broadcaster' && track.left[offset] === 0) {
				this.#port.end(from.link, 'bad-have');
				return;
			}
			// Also what it announced before: told again, it says that our copy can be spared.
			had.add(index);
			if (((track.holders[offset] ?? 0) & bit) !== 0) continue;
			track.holders[offset] = (track.holders[offset] ?? 0) | bit;
			noteLag(from, index, nowMs - track.knownAtMs);
			this.#seeker.consider(track, offset, nowMs);
		}
		this.#giver.spare(from, had);
		if (unknown >= 0) this.#port.wantManifest(from.link, unknown);
	}

	onSubscribe(from: Neighbour, { substreams }: SubscribeMessage): void {
		from.askedUs = substreams;
		from.wants = substreams;
		this.#giver.keepOnly(from, substreams);
		this.#evaluateTrees(from);
		this.#giver.flush();
	}

	onSubscribed(from: Neighbour, { substreams, asked }: SubscribedMessage): void {
		const gained = this.#trees.parents.onSubscribed(from, substreams, asked, this.#clock.now());
		this.#seeker.leaveTo(from, gained, this.#tracks.sought);
		this.#evaluateTrees(undefined);
		this.#evaluate();
	}

	onRequest(from: Neighbour, message: RequestMessage): void {
		this.#giver.onRequest(from, message);
		this.#giver.flush();
	}

	onCancel(from: Neighbour, message: CancelMessage): void {
		this.#giver.onCancel(from, message);
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
		this.#giver.flush();
	}

	onPiece(from: Neighbour, message: PieceMessage): void {
		const came = this.#receiver.take(from, message, this.#clock.now());
		if (!came) return;
		this.#seeker.noteMissed(from, message.index, came.lagMs);
		this.#port.check(message.index, came.whole, from);
		this.#evaluate();
	}

	/** The answer to `port.check`. */
	checked(index: number, good: boolean, from: Neighbour): void {
		const track = this.#tracks.of(index);
		if (track) {
			const offset = index - track.firstPiece;
			if (track.states[offset] !== CHECKING) return;
			track.states[offset] = good ? HELD : MISSING;
			if (good) {
				this.#seeker.noteGood(index, from);
				if (--track.missing === 0) this.#tracks.settle(track);
				this.#passOn(track, offset);
			}
		}
		if (!good) {
			this.#stats.badPieces++;
			this.#port.end(from.link, 'bad-piece');
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
		from.branches = ping.branches;
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
		this.#giver.flush();
	}

	/** Stops; nothing is sent any more. */
	close(): void {
		this.#closed = true;
		this.#stopTick?.();
		this.#announcer.close();
		this.#giver.close();
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
		this.#giver.flush();
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

	/** A piece is held: it goes to whom it is due, and is announced to the rest. */
	#passOn(track: SegmentTrack, offset: number): void {
		this.#giver.passOn(track, offset);
		this.#announcer.announce(track.firstPiece + offset);
	}

	/** Repairs, liveness and rates: everything that no message sets off. */
	#tick(): void {
		if (this.#closed) return;
		const nowMs = this.#clock.now();
		if (this.#account.settle(nowMs)) this.#dropWorst(nowMs);
		this.#heartbeat.beat(nowMs);
		this.#giver.giveAnew();
		this.#giver.expire();
		if (this.#trees.isDue(nowMs)) this.#evaluateTrees(undefined);
		this.#evaluate();
		this.#stopTick = this.#clock.after(TICK_MS, () => this.#tick());
	}

	/** Lets go of a neighbour for a better one. */
	#dropWorst(nowMs: number): void {
		const worst = neighbourToDrop(this.#role, this.#roster.all, nowMs, this.#droppedAtMs);
		if (!worst) return;
		this.#droppedAtMs = nowMs;
		this.#port.end(worst.link, 'crowded');
	}
}
