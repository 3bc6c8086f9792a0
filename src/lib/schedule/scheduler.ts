import type { Clock, Random } from '../util/clock.ts';
import type { Link, LinkEnd } from '../model/link.ts';
import {
	FULL_DEPTH,
	MAX_HAVE_BITS_BYTES,
	NO_DEPTH,
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
import {
	BROKEN_PROMISES,
	BUSY_DELAY_MS,
	BUSY_PAUSE_MS,
	CONGESTED_MS,
	GIVE_UP_MS,
	HAVE_BATCH_MS,
	HOLD_REQUEST_MS,
	MAX_PATIENCE_MS,
	MAX_QUEUED_BLOCKS,
	MAX_SOURCES_PER_PIECE,
	MAX_UNSOLICITED,
	REPAIR_SLACK_MS,
	REQUEST_TIMEOUT_MS,
	SNUB_MS,
	SPREAD_MS,
	TELL_DEPTHS_MS,
	TICK_MS,
} from './bounds.ts';
import { Children, clampUplinkKbps, strength, type Room } from './children.ts';
import { Dealer } from './dealer.ts';
import { Liveness } from './liveness.ts';
import { canBeAsked, count, newNeighbour, settle, SLOTS, type Neighbour } from './neighbour.ts';
import { Parents } from './parents.ts';
import { addBlock, startPiece, type PartialPiece } from './partial-piece.ts';
import { chooseSource } from './pull.ts';
import {
	CHECKING,
	HELD,
	heldBits,
	MISSING,
	NOBODY,
	trackedPieceBytes,
	trackSegment,
	type SegmentTrack,
} from './segment-track.ts';
import { Uplink, type Sending } from './uplink.ts';

/** How pieces travel; the benchmark compares them, everything else uses `mix`. */
export interface Strategy {
	/** Subscribers are pushed new pieces. */
	readonly push: boolean;
	/** Pieces are asked for when their manifest comes, and the request is held upstream. */
	readonly standing: boolean;
}

/** Push to subscribers, standing requests where nobody pushes, pull to repair. */
export const MIX: Strategy = { push: true, standing: true };

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

interface HeldRequest {
	readonly from: Neighbour;
	readonly message: RequestMessage;
	readonly atMs: number;
}

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
	readonly #uplink: Uplink;
	readonly #parents: Parents;
	readonly #children: Children;
	readonly #dealer = new Dealer();
	readonly #liveness: Liveness;
	readonly #bySlot: (Neighbour | undefined)[] = new Array<undefined>(SLOTS).fill(undefined);
	#neighbours: Neighbour[] = [];
	#tracks: SegmentTrack[] = [];
	readonly #partials = new Map<number, PartialPiece>();
	#heldRequests: HeldRequest[] = [];
	#announced: number[] = [];
	#stopAnnounce: (() => void) | undefined;
	#stopTick: (() => void) | undefined;
	#settledAtMs = 0;
	#settledBytes = 0;
	#sentKbps = 0;
	#streamBps = 0;
	#treesAtMs = 0;
	#closed = false;
	readonly #stats = {
		bytesFromBroadcaster: 0,
		bytesFromViewers: 0,
		duplicateBytes: 0,
		requestsSent: 0,
		piecesPushed: 0,
		piecesLost: 0,
		badPieces: 0,
	};

	constructor({ role, clock, random, port, strategy = MIX, uplinkCapBps }: SchedulerOptions) {
		this.#role = role;
		this.#clock = clock;
		this.#port = port;
		this.#strategy = strategy;
		this.#parents = new Parents(random);
		this.#children = new Children(random);
		this.#liveness = new Liveness(random);
		this.#uplink = new Uplink((sending) => this.#transmit(sending), uplinkCapBps);
		this.#tick();
	}

	/** The neighbours there are; not to be changed. */
	get neighbours(): readonly Neighbour[] {
		return this.#neighbours;
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
		return this.#role === 'broadcaster' ? 0 : this.#parents.hop();
	}

	/** The stream's rate as the manifests tell it, bits per second. */
	get streamBps(): number {
		return this.#streamBps;
	}

	get stats(): SchedulerStats {
		return {
			...this.#stats,
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
		if (capBps === 0) this.#heldRequests = [];
		this.#evaluateTrees(undefined);
	}

	/** Takes a new link; gives `undefined` when every slot is taken. */
	add(link: Link): Neighbour | undefined {
		const slot = this.#bySlot.indexOf(undefined);
		if (slot < 0 || this.#closed) return undefined;
		const neighbour = newNeighbour(link, slot, this.#clock.now());
		this.#bySlot[slot] = neighbour;
		this.#neighbours = [...this.#neighbours, neighbour];
		return neighbour;
	}

	/** Forgets a link that ended; what was asked of it is asked of others. */
	remove(neighbour: Neighbour): void {
		if (this.#bySlot[neighbour.slot] !== neighbour) return;
		this.#bySlot[neighbour.slot] = undefined;
		this.#neighbours = this.#neighbours.filter((other) => other !== neighbour);
		this.#parents.remove(neighbour);
		this.#uplink.cancel(({ to }) => to === neighbour);
		this.#heldRequests = this.#heldRequests.filter(({ from }) => from !== neighbour);
		const clear = ~(1 << neighbour.slot);
		for (const [index, partial] of this.#partials) {
			if (partial.slot === neighbour.slot) this.#partials.delete(index);
		}
		for (const track of this.#tracks) {
			track.informed &= clear;
			for (let offset = 0; offset < track.count; offset++) {
				track.holders[offset] = (track.holders[offset] ?? 0) & clear;
				if (track.askedFirst[offset] === neighbour.slot) track.askedFirst[offset] = NOBODY;
				if (track.askedSecond[offset] === neighbour.slot) track.askedSecond[offset] = NOBODY;
			}
		}
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
		const track = this.#trackOf(firstPiece);
		if (!track) return;
		const { bits, held } = heldBits(track);
		if (held > 0) link.send({ type: 'have', first: track.firstPiece, bits });
	}

	/** Notes that a neighbour knows a segment's manifest. */
	noteInformed(from: Neighbour, firstPiece: number): void {
		const track = this.#trackOf(firstPiece);
		if (track) track.informed |= 1 << from.slot;
	}

	/** Whether a neighbour knows a segment's manifest, by what was sent to it and heard from it. */
	isInformed(link: Link, firstPiece: number): boolean {
		const track = this.#trackOf(firstPiece);
		const neighbour = this.#neighbours.find((other) => other.link === link);
		return !!track && !!neighbour && (track.informed & (1 << neighbour.slot)) !== 0;
	}

	/**
	 * Takes up a segment whose manifest was accepted. `held` says that its pieces are all here (the broadcaster's own);
	 * `from` is who told of it.
	 */
	addSegment(
		segment: {
			firstPiece: number;
			count: number;
			pieceLength: number;
			length: number;
			wanted: boolean;
			held: boolean;
			durationMs: number;
		},
		from: Neighbour | undefined,
	): void {
		const nowMs = this.#clock.now();
		const track = trackSegment({ ...segment, knownAtMs: nowMs });
		if (from) track.informed |= 1 << from.slot;
		this.#insert(track);
		this.#noteStreamRate(segment.length, segment.durationMs);
		if (segment.held) {
			track.missing = 0;
			track.states.fill(HELD);
		}
		this.#informEagerly(track);
		if (segment.held) {
			// Piece by piece over all neighbours: each leaves once before any leaves twice.
			for (let offset = 0; offset < track.count; offset++) this.#passOn(track, offset);
		} else {
			this.#askStanding(track, nowMs);
		}
		this.#evaluate();
	}

	/** Starts wanting a segment that was known but not wanted. */
	want(firstPiece: number): void {
		const track = this.#trackOf(firstPiece);
		if (!track || track.wanted) return;
		track.wanted = true;
		this.#evaluate();
	}

	/** Forgets a segment that left the DVR window. */
	removeSegment(firstPiece: number): void {
		const at = this.#find(firstPiece);
		const track = this.#tracks[at];
		if (!track || track.firstPiece !== firstPiece) return;
		this.#tracks.splice(at, 1);
		for (let offset = 0; offset < track.count; offset++) {
			if (track.states[offset] !== HELD) this.#release(track, offset, NOBODY);
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
			const track = this.#trackOf(index);
			if (!track) {
				if (index > this.#newestPiece()) unknown = index;
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
			this.#noteLag(from, index, nowMs - track.knownAtMs);
			this.#consider(track, offset, nowMs);
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
		this.#parents.onSubscribed(from, substreams, asked, this.#clock.now());
		this.#evaluateTrees(undefined);
		this.#evaluate();
	}

	onRequest(from: Neighbour, message: RequestMessage): void {
		const { index, begin, length } = message;
		const reject = () => from.link.send({ type: 'reject', index, begin, length });
		const track = this.#trackOf(index);
		if (!track || !this.#uplink.open) return reject();
		const busy = this.#role !== 'broadcaster' && this.sendDelayMs > BUSY_DELAY_MS;
		if (busy || from.queuedBlocks >= MAX_QUEUED_BLOCKS) return reject();
		const offset = index - track.firstPiece;
		if (begin + length > trackedPieceBytes(track, offset)) {
			this.#port.end(from.link, 'protocol');
			return;
		}
		if (track.states[offset] === HELD) {
			this.#queueBlock(from, index, begin, length, true);
		} else {
			if (track.lost) return reject();
			from.queuedBlocks++;
			this.#heldRequests.push({ from, message, atMs: this.#clock.now() });
		}
		this.#flush();
	}

	onCancel(from: Neighbour, { index, begin }: { index: number; begin: number }): void {
		this.#uplink.cancel(
			(sending) =>
				sending.asked && sending.to === from && sending.index === index && sending.begin === begin,
		);
		this.#heldRequests = this.#heldRequests.filter(({ from: holder, message }) => {
			const match = holder === from && message.index === index && message.begin === begin;
			if (match) from.queuedBlocks--;
			return !match;
		});
	}

	onReject(from: Neighbour, { index }: { index: number }): void {
		const track = this.#trackOf(index);
		if (!track) return;
		const offset = index - track.firstPiece;
		if (!this.#isAsked(track, offset, from.slot)) return;
		this.#forgetAsk(track, offset, from.slot);
		from.busyUntilMs = this.#clock.now() + BUSY_PAUSE_MS;
		this.#consider(track, offset, this.#clock.now());
		this.#flush();
	}

	onPiece(from: Neighbour, { index, begin, block }: PieceMessage): void {
		const nowMs = this.#clock.now();
		count(from.bytesIn, block.length);
		const bit = 1 << (index % SUBSTREAMS);
		const subscribed =
			(from.asked & bit) !== 0 || ((from.former & bit) !== 0 && nowMs < from.graceUntilMs);
		const track = this.#trackOf(index);
		const offset = track ? index - track.firstPiece : 0;
		const asked = track !== undefined && this.#isAsked(track, offset, from.slot);
		if (!track) {
			if (!subscribed) this.#countUnsolicited(from);
			else this.#stats.duplicateBytes += block.length;
			return;
		}
		track.holders[offset] = (track.holders[offset] ?? 0) | (1 << from.slot);
		track.informed |= 1 << from.slot;
		if (track.states[offset] !== MISSING) {
			// A second source that was asked, a canceled request, or a push that crossed an announcement.
			from.duplicateBytes += block.length;
			this.#stats.duplicateBytes += block.length;
			this.#forgetAsk(track, offset, from.slot);
			if (subscribed) this.#noteLag(from, index, nowMs - track.knownAtMs);
			return;
		}
		if (!asked && !subscribed && !this.#wasAsked(track, offset)) {
			this.#countUnsolicited(from);
			return;
		}
		const bytes = trackedPieceBytes(track, offset);
		if (block.length !== Math.min(BLOCK_BYTES, bytes - begin)) {
			this.#port.end(from.link, 'protocol');
			return;
		}
		let partial = this.#partials.get(index);
		if (partial?.slot !== from.slot) {
			if (partial && begin !== 0) return;
			this.#partials.set(index, (partial = startPiece(from.slot, bytes)));
		}
		const whole = addBlock(partial, begin, block);
		if (!whole) return;
		this.#partials.delete(index);
		if (from.role === 'broadcaster') this.#stats.bytesFromBroadcaster += whole.length;
		else this.#stats.bytesFromViewers += whole.length;
		this.#noteLag(from, index, nowMs - track.knownAtMs);
		this.#noteMissed(from, index, nowMs - track.knownAtMs);
		if (asked) this.#noteService(from, nowMs - (track.askedAtMs[offset] ?? nowMs));
		from.brokenPromises = 0;
		track.states[offset] = CHECKING;
		this.#release(track, offset, from.slot);
		this.#port.check(index, whole, from.slot);
		this.#evaluate();
	}

	/** The answer to `port.check`. */
	checked(index: number, good: boolean, slot: number): void {
		const track = this.#trackOf(index);
		if (track) {
			const offset = index - track.firstPiece;
			if (track.states[offset] !== CHECKING) return;
			track.states[offset] = good ? HELD : MISSING;
			if (good) {
				track.missing--;
				this.#passOn(track, offset);
			}
		}
		if (!good) {
			this.#stats.badPieces++;
			const culprit = this.#bySlot[slot];
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
		this.#parents.noteRoom(from, before);
		if (this.#parents.lacksAny()) this.#evaluateTrees(undefined);
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
		this.#stopAnnounce?.();
	}

	/** How far this peer's playhead is behind, told to neighbours in pings. */
	behindMs: number | undefined;

	/** The one place that decides: what is missing is sought, what waits is sent. */
	#evaluate(): void {
		if (this.#closed) return;
		const nowMs = this.#clock.now();
		for (let at = this.#tracks.length - 1; at >= 0; at--) {
			const track = this.#tracks[at];
			if (!track || nowMs - track.knownAtMs > GIVE_UP_MS + TICK_MS * 4) break;
			if (track.missing === 0 || !track.wanted || track.lost) continue;
			if (nowMs - track.knownAtMs > GIVE_UP_MS) {
				this.#giveUp(track);
				continue;
			}
			for (let offset = 0; offset < track.count; offset++) this.#consider(track, offset, nowMs);
		}
		this.#flush();
	}

	#giveUp(track: SegmentTrack): void {
		track.lost = true;
		this.#stats.piecesLost += track.missing;
		for (let offset = 0; offset < track.count; offset++) {
			if (track.states[offset] === MISSING) this.#release(track, offset, NOBODY);
		}
		this.#port.lost(track.firstPiece);
	}

	/** Seeks one piece, if it has to be sought. */
	#consider(track: SegmentTrack, offset: number, nowMs: number): void {
		if (track.states[offset] !== MISSING || !track.wanted || track.lost) return;
		const holders = track.holders[offset] ?? 0;
		if (holders === 0) return;
		const index = track.firstPiece + offset;
		const first = this.#bySlot[track.askedFirst[offset] ?? NOBODY];
		if (!first) {
			if (this.#isExpected(track, index, nowMs)) return;
			const source = chooseSource(this.#neighbours, holders, NOBODY, nowMs);
			if (source) this.#ask(track, offset, source, nowMs);
			return;
		}
		const waitedMs = nowMs - (track.askedAtMs[offset] ?? 0);
		const usualMs = Number.isNaN(first.serviceMs) ? first.rttMs : first.serviceMs;
		const patienceMs = Math.max(first.rttMs, 1.5 * usualMs) + REPAIR_SLACK_MS;
		if (waitedMs < patienceMs && canBeAsked(first, nowMs)) return;
		const source = chooseSource(this.#neighbours, holders, first.slot, nowMs);
		if (!source && waitedMs < Math.max(REQUEST_TIMEOUT_MS, 4 * first.rttMs)) return;
		this.#noteService(first, waitedMs);
		if ((holders & (1 << first.slot)) !== 0) this.#breakPromise(first, nowMs);
		this.#withdraw(track, offset, first);
		track.askedFirst[offset] = NOBODY;
		if (source) this.#ask(track, offset, source, nowMs);
	}

	/** Whether a parent pushes this piece and isn't late with it. */
	#isExpected(track: SegmentTrack, index: number, nowMs: number): boolean {
		if (!this.#strategy.push) return false;
		const substream = index % SUBSTREAMS;
		const parent = this.#parents.parentOf(substream);
		if (!parent || !canBeAsked(parent, nowMs)) return false;
		const lagMs = parent.lagMs[substream] ?? NaN;
		const usualMs = Number.isNaN(lagMs) ? 2 * parent.rttMs : lagMs;
		const spreadMs = 2 * (parent.lagSpreadMs[substream] ?? 0);
		const patienceMs =
			Math.min(usualMs + spreadMs, MAX_PATIENCE_MS) + parent.rttMs + REPAIR_SLACK_MS;
		const lateMs = nowMs - track.knownAtMs - patienceMs;
		if (lateMs < 0) return true;
		if (lateMs > REQUEST_TIMEOUT_MS) {
			this.#parents.fail(parent, substream, nowMs);
			this.#breakPromise(parent, nowMs);
		}
		return false;
	}

	/** Where nobody pushes, pieces are asked for before anybody announced them. */
	#askStanding(track: SegmentTrack, nowMs: number): void {
		if (!this.#strategy.standing || !track.wanted) return;
		for (let offset = 0; offset < track.count; offset++) {
			if (track.states[offset] !== MISSING || track.askedFirst[offset] !== NOBODY) continue;
			const substream = (track.firstPiece + offset) % SUBSTREAMS;
			if (this.#strategy.push && this.#parents.parentOf(substream)) continue;
			let best: Neighbour | undefined;
			let bestMs = Infinity;
			for (const neighbour of this.#neighbours) {
				const lagMs = neighbour.lagMs[substream] ?? NaN;
				if (Number.isNaN(lagMs) || neighbour.role === 'broadcaster') continue;
				if (!canBeAsked(neighbour, nowMs) || neighbour.outstanding >= 16) continue;
				const waitMs = lagMs + neighbour.outstanding * 10;
				if (waitMs < bestMs) {
					best = neighbour;
					bestMs = waitMs;
				}
			}
			if (best) this.#ask(track, offset, best, nowMs + bestMs);
		}
	}

	#ask(track: SegmentTrack, offset: number, source: Neighbour, atMs: number): void {
		if (track.askedFirst[offset] === NOBODY) track.askedFirst[offset] = source.slot;
		else track.askedSecond[offset] = source.slot;
		track.askedAtMs[offset] = atMs;
		source.outstanding++;
		this.#stats.requestsSent++;
		this.#forBlocks(track, offset, (begin, length) =>
			source.link.send({ type: 'request', index: track.firstPiece + offset, begin, length }),
		);
	}

	/** Takes a request back. */
	#withdraw(track: SegmentTrack, offset: number, source: Neighbour): void {
		source.outstanding = Math.max(0, source.outstanding - 1);
		this.#forBlocks(track, offset, (begin, length) =>
			source.link.send({ type: 'cancel', index: track.firstPiece + offset, begin, length }),
		);
	}

	/** Ends what was asked for a piece; requests to others than `delivered` are taken back. */
	#release(track: SegmentTrack, offset: number, delivered: number): void {
		for (const slot of [track.askedFirst[offset], track.askedSecond[offset]]) {
			const source = slot === undefined ? undefined : this.#bySlot[slot];
			if (!source) continue;
			if (slot === delivered) source.outstanding = Math.max(0, source.outstanding - 1);
			else this.#withdraw(track, offset, source);
		}
		track.askedFirst[offset] = NOBODY;
		track.askedSecond[offset] = NOBODY;
	}

	#forgetAsk(track: SegmentTrack, offset: number, slot: number): void {
		const source = this.#bySlot[slot];
		if (!source || !this.#isAsked(track, offset, slot)) return;
		source.outstanding = Math.max(0, source.outstanding - 1);
		if (track.askedFirst[offset] === slot) {
			track.askedFirst[offset] = track.askedSecond[offset] ?? NOBODY;
		}
		track.askedSecond[offset] = NOBODY;
	}

	#isAsked(track: SegmentTrack, offset: number, slot: number): boolean {
		return track.askedFirst[offset] === slot || track.askedSecond[offset] === slot;
	}

	/** Whether the piece was asked of anybody at any time; a late answer to a request taken back is no offence. */
	#wasAsked(track: SegmentTrack, offset: number): boolean {
		return (track.askedAtMs[offset] ?? 0) > 0;
	}

	#forBlocks(
		track: SegmentTrack,
		offset: number,
		each: (begin: number, length: number) => void,
	): void {
		const bytes = trackedPieceBytes(track, offset);
		for (let begin = 0; begin < bytes; begin += BLOCK_BYTES) {
			each(begin, Math.min(BLOCK_BYTES, bytes - begin));
		}
	}

	#breakPromise(neighbour: Neighbour, nowMs: number): void {
		if (++neighbour.brokenPromises < BROKEN_PROMISES) return;
		neighbour.brokenPromises = 0;
		neighbour.snubbedUntilMs = nowMs + SNUB_MS;
	}

	#countUnsolicited(from: Neighbour): void {
		if (++from.unsolicited > MAX_UNSOLICITED) this.#port.end(from.link, 'protocol');
	}

	#noteService(from: Neighbour, serviceMs: number): void {
		if (serviceMs < 0) return;
		const before = from.serviceMs;
		from.serviceMs = Number.isNaN(before) ? serviceMs : before + (serviceMs - before) * 0.25;
	}

	/** A piece came from another than the parent: the parent is at least that late with it. */
	#noteMissed(from: Neighbour, index: number, lagMs: number): void {
		const parent = this.#parents.parentOf(index % SUBSTREAMS);
		if (parent && parent !== from) this.#noteLag(parent, index, lagMs + parent.rttMs);
	}

	#noteLag(from: Neighbour, index: number, lagMs: number): void {
		const s = index % SUBSTREAMS;
		const before = from.lagMs[s] ?? NaN;
		from.lagMs[s] = Number.isNaN(before) ? lagMs : before + (lagMs - before) * 0.25;
		const spread = from.lagSpreadMs[s] ?? 0;
		const off = Number.isNaN(before) ? lagMs / 4 : Math.abs(lagMs - before);
		from.lagSpreadMs[s] = spread + (off - spread) * 0.25;
	}

	/** A piece is held: it goes to subscribers and those who asked, and is announced to the rest. */
	#passOn(track: SegmentTrack, offset: number): void {
		const index = track.firstPiece + offset;
		const bit = 1 << (index % SUBSTREAMS);
		if (this.#uplink.open) {
			let turn = 0;
			// Where we stand near the root a whole tree waits behind us; leaves can wait.
			const depth = this.#parents.depthOf(index % SUBSTREAMS);
			for (const child of this.#childrenOf(bit)) {
				if (((track.holders[offset] ?? 0) & (1 << child.slot)) !== 0) continue;
				this.#pushTo(child, track, offset, this.#role === 'broadcaster' ? turn++ : depth);
			}
		}
		if (this.#heldRequests.length > 0) this.#answerHeld(index);
		this.#announce(index);
	}

	/** Children of a substream, strongest uplink first: it has the most to pass on to. */
	#childrenOf(bit: number): Neighbour[] {
		const children = this.#neighbours.filter(({ given }) => (given & bit) !== 0);
		return children.length < 2 ? children : children.sort((a, b) => strength(b) - strength(a));
	}

	#pushTo(child: Neighbour, track: SegmentTrack, offset: number, turn = 0): void {
		if ((track.informed & (1 << child.slot)) === 0) {
			track.informed |= 1 << child.slot;
			this.#port.inform(child.link, track.firstPiece);
		}
		track.holders[offset] = (track.holders[offset] ?? 0) | (1 << child.slot);
		this.#stats.piecesPushed++;
		this.#forBlocks(track, offset, (begin, length) =>
			this.#queueBlock(child, track.firstPiece + offset, begin, length, false, turn),
		);
		if (this.#role === 'broadcaster') this.#watchSpread(child, track, offset);
	}

	/** When nobody else announces a piece soon after it was given out, another neighbour gets it too. */
	#watchSpread(child: Neighbour, track: SegmentTrack, offset: number): void {
		this.#clock.after(SPREAD_MS + 2 * child.rttMs, () => {
			if (this.#closed) return;
			const others = this.#neighbours.filter(
				({ slot, role }) => slot !== child.slot && role !== undefined,
			);
			if (others.length === 0) return;
			const holders = track.holders[offset] ?? 0;
			const spread = others.some(({ slot }) => (holders & (1 << slot)) !== 0);
			child.spread += ((spread ? 1 : 0) - child.spread) * 0.15;
			if (spread || this.#bySlot[child.slot] !== child) return;
			const next = others.sort((a, b) => strength(b) * b.spread - strength(a) * a.spread)[0];
			if (next) this.#pushTo(next, track, offset);
			this.#flush();
		});
	}

	#queueBlock(
		to: Neighbour,
		index: number,
		begin: number,
		length: number,
		asked: boolean,
		turn = 0,
	): void {
		this.#uplink.push({ to, index, begin, length, asked, turn, queuedAtMs: this.#clock.now() });
	}

	#answerHeld(index: number): void {
		this.#heldRequests = this.#heldRequests.filter(({ from, message }) => {
			if (message.index !== index) return true;
			from.queuedBlocks--;
			this.#queueBlock(from, index, message.begin, message.length, true);
			return false;
		});
	}

	#transmit({ to, index, begin, length }: Sending): number {
		const block = this.#port.block(index, begin, length);
		if (!block) return 0;
		count(to.bytesOut, block.length);
		to.link.send({ type: 'piece', index, begin, block });
		return block.length;
	}

	#flush(): void {
		this.#uplink.drain(this.#clock.now(), this.#neighbours);
	}

	/** Manifests go at once to those who will be pushed pieces, and to all in a small neighbourhood. */
	#informEagerly(track: SegmentTrack): void {
		const all = this.#neighbours.length <= 8 || !this.#strategy.push;
		for (const neighbour of this.#neighbours) {
			const bit = 1 << neighbour.slot;
			if (neighbour.role === undefined || (track.informed & bit) !== 0) continue;
			if (!all && neighbour.given === 0) continue;
			track.informed |= bit;
			this.#port.inform(neighbour.link, track.firstPiece);
		}
	}

	#announce(index: number): void {
		this.#announced.push(index);
		this.#stopAnnounce ??= this.#clock.after(HAVE_BATCH_MS, () => this.#sendAnnouncements());
	}

	#sendAnnouncements(): void {
		this.#stopAnnounce = undefined;
		const indexes = this.#announced.sort((a, b) => a - b);
		this.#announced = [];
		if (this.#role === 'broadcaster' && this.#strategy.push && this.#neighbours.length > 8) return;
		for (const neighbour of this.#neighbours) {
			if (neighbour.role === undefined) continue;
			const bit = 1 << neighbour.slot;
			const news = indexes.filter((index) => {
				if (neighbour.role === 'broadcaster') return true;
				const track = this.#trackOf(index);
				return track && ((track.holders[index - track.firstPiece] ?? 0) & bit) === 0;
			});
			for (const have of toHaves(news)) neighbour.link.send(have);
		}
	}

	/** Trees are looked at when somebody asks, and now and then. */
	#evaluateTrees(asking: Neighbour | undefined): void {
		if (!this.#strategy.push || this.#closed) return;
		const nowMs = this.#clock.now();
		this.#treesAtMs = nowMs;
		const tell = (neighbour: Neighbour) =>
			neighbour.link.send({
				type: 'subscribed',
				substreams: neighbour.given,
				asked: neighbour.askedUs,
			});
		if (this.#role === 'broadcaster') {
			this.#dealer.evaluate(this.#neighbours, tell);
			return;
		}
		this.#parents.evaluate(this.#neighbours, nowMs, (neighbour, substreams) =>
			neighbour.link.send({ type: 'subscribe', substreams }),
		);
		this.#children.evaluate(this.#neighbours, this.#room(nowMs), asking, nowMs, tell);
		this.#tellDepths(nowMs);
	}

	#room(nowMs: number): Room {
		return {
			planBps: this.#uplink.planBps,
			streamBps: this.#streamBps,
			congested: this.#uplink.pushDelayMs(nowMs) > CONGESTED_MS,
			depthOf: (s) => this.#parents.depthOf(s),
			parentBits: (neighbour) => neighbour.granted & neighbour.asked,
			canServe: (s, child) =>
				this.#parents.depthOf(s) !== NO_DEPTH && this.#parents.parentOf(s) !== child,
		};
	}

	/** What a neighbour may know of where we stand: our depth per substream, as far as we could push it on. */
	#depthsFor(neighbour: Neighbour, full: boolean): Uint8Array {
		const depths = new Uint8Array(SUBSTREAMS).fill(NO_DEPTH);
		if (!this.#uplink.open || this.#role === 'broadcaster') return depths;
		for (let s = 0; s < SUBSTREAMS; s++) {
			const depth = this.#parents.depthOf(s);
			if (depth === NO_DEPTH || this.#parents.parentOf(s) === neighbour) continue;
			const given = (neighbour.given & (1 << s)) !== 0;
			depths[s] = full && !given ? depth + FULL_DEPTH : depth;
		}
		return depths;
	}

	#isFull(nowMs: number): boolean {
		const room = this.#room(nowMs);
		return (
			room.congested || this.#children.taken(this.#neighbours) >= this.#children.capacity(room)
		);
	}

	/** Neighbours hear at once, though not all the time, when we come to stand elsewhere. */
	#tellDepths(nowMs: number): void {
		const full = this.#isFull(nowMs);
		for (const neighbour of this.#neighbours) {
			if (neighbour.role === 'broadcaster' || nowMs - neighbour.toldAtMs < TELL_DEPTHS_MS) continue;
			const depths = this.#depthsFor(neighbour, full);
			if (depths.join() !== neighbour.toldDepths) this.#ping(neighbour, depths);
		}
	}

	/** Repairs, liveness and rates: everything that no message sets off. */
	#tick(): void {
		if (this.#closed) return;
		const nowMs = this.#clock.now();
		if (nowMs - this.#settledAtMs >= 500) this.#settle(nowMs);
		for (const neighbour of this.#neighbours) {
			if (this.#liveness.isSilent(neighbour, nowMs)) this.#port.end(neighbour.link, 'silent');
			else if (this.#liveness.shouldPing(neighbour, nowMs)) this.#ping(neighbour);
		}
		this.#expireHeld(nowMs);
		if (nowMs - this.#treesAtMs >= 250) this.#evaluateTrees(undefined);
		this.#evaluate();
		this.#stopTick = this.#clock.after(TICK_MS, () => this.#tick());
	}

	#settle(nowMs: number): void {
		this.#uplink.grow(nowMs);
		const sentKbps =
			((this.#uplink.sentBytes - this.#settledBytes) * 8) / Math.max(1, nowMs - this.#settledAtMs);
		this.#sentKbps += (sentKbps - this.#sentKbps) * 0.3;
		this.#settledBytes = this.#uplink.sentBytes;
		for (const neighbour of this.#neighbours) {
			settle(neighbour.bytesIn, nowMs - this.#settledAtMs);
			settle(neighbour.bytesOut, nowMs - this.#settledAtMs);
		}
		this.#settledAtMs = nowMs;
	}

	#ping(neighbour: Neighbour, told?: Uint8Array): void {
		if (neighbour.role === undefined) return;
		const nowMs = this.#clock.now();
		const depths = told ?? this.#depthsFor(neighbour, this.#isFull(nowMs));
		neighbour.toldDepths = depths.join();
		neighbour.toldAtMs = nowMs;
		const planKbps = this.#uplink.planBps / 1000;
		const placeKbps = this.#streamBps / SUBSTREAMS / 1000;
		const usedKbps = this.#children.taken(this.#neighbours) * placeKbps;
		neighbour.link.send({
			type: 'ping',
			nonce: this.#liveness.pinged(neighbour, nowMs),
			hop: this.hop,
			spareKbps: this.#uplink.open ? Math.max(0, planKbps - Math.max(usedKbps, this.#sentKbps)) : 0,
			uplinkKbps: this.#uplink.open ? planKbps : 0,
			behindMs: this.behindMs ?? 0xffff,
			links: this.#neighbours.length,
			depths,
		});
	}

	#expireHeld(nowMs: number): void {
		if (this.#heldRequests.length === 0) return;
		this.#heldRequests = this.#heldRequests.filter(({ from, message, atMs }) => {
			if (nowMs - atMs < HOLD_REQUEST_MS) return true;
			from.queuedBlocks--;
			const { index, begin, length } = message;
			from.link.send({ type: 'reject', index, begin, length });
			return false;
		});
	}

	#noteStreamRate(bytes: number, durationMs: number): void {
		if (durationMs <= 0) return;
		const bps = (bytes * 8000) / durationMs;
		this.#streamBps = this.#streamBps === 0 ? bps : this.#streamBps + (bps - this.#streamBps) * 0.1;
	}

	#newestPiece(): number {
		const newest = this.#tracks[this.#tracks.length - 1];
		return newest ? newest.firstPiece + newest.count - 1 : -1;
	}

	/** The segment that holds a piece. */
	#trackOf(index: number): SegmentTrack | undefined {
		const track = this.#tracks[this.#find(index)];
		return track && index < track.firstPiece + track.count ? track : undefined;
	}

	/** Place of the last track that doesn't begin after `index`; -1 when there is none. */
	#find(index: number): number {
		let low = 0;
		let high = this.#tracks.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#tracks[middle]?.firstPiece ?? 0) <= index) low = middle + 1;
			else high = middle;
		}
		return low - 1;
	}

	#insert(track: SegmentTrack): void {
		this.#tracks.splice(this.#find(track.firstPiece) + 1, 0, track);
	}
}

/** Piece numbers in rising order as few `have` messages. */
function toHaves(indexes: readonly number[]): HaveMessage[] {
	const haves: HaveMessage[] = [];
	let first = -1;
	let bits: number[] = [];
	const end = () => {
		if (bits.length > 0) haves.push({ type: 'have', first, bits: Uint8Array.from(bits) });
	};
	for (const index of indexes) {
		if (first < 0 || index - first >= MAX_HAVE_BITS_BYTES * 8) {
			end();
			first = index;
			bits = [];
		}
		const at = index - first;
		while (bits.length <= at >> 3) bits.push(0);
		bits[at >> 3] = (bits[at >> 3] ?? 0) | (0x80 >> (at & 7));
	}
	end();
	return haves;
}
