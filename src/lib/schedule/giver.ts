import type { Clock } from '../util/clock.ts';
import { SUBSTREAMS, type PeerRole, type RequestMessage } from '../model/message.ts';
import { toHaves } from './announcer.ts';
import { BUSY_DELAY_MS, MAX_QUEUED_BLOCKS, STALE_SEND_MS } from './bounds.ts';
import { HeldRequests, reject } from './held-requests.ts';
import { count, type Neighbour } from './neighbour.ts';
import type { SchedulerPort } from './port.ts';
import type { Roster } from './roster.ts';
import { forBlocks, HELD, trackedPieceBytes, type SegmentTrack } from './segment-track.ts';
import { SpreadWatch } from './spread-watch.ts';
import type { Tracks } from './tracks.ts';
import type { Trees } from './trees.ts';
import type { Sending, Uplink } from './uplink.ts';

/** Neighbourhoods up to this size hear of every manifest, and of the broadcaster's pieces, at once. */
export const SMALL_NEIGHBOURHOOD = 8;

/** What each doubling of the tree behind a child lets its copies go ahead. */
const BRANCH_MS = 40;
/** How long a leaf's copies stand behind those of children that pass them on. */
const LEAF_MS = 200;

/** A piece that isn't where it should be so long after its manifest is late: what hangs below has waited for it. */
const OVERDUE_MS = 800;
/** So long after it, a piece comes too late for who watches live: a swarm that stood behind would stay there, as what is new waited for it. */
const TOO_LATE_MS = 1500;
/** What a neighbour asks for that came less than this ago is no repair: it catches up, with whatever is to spare. */
const NEWCOMER_MS = 3000;

/** What neighbours get of us: pieces pushed to children, requests answered, held or refused. Sends only what is held. */
export class Giver {
	readonly #role: PeerRole;
	readonly #clock: Clock;
	readonly #port: SchedulerPort;
	readonly #roster: Roster;
	readonly #tracks: Tracks;
	readonly #uplink: Uplink;
	readonly #trees: Trees;
	readonly #held = new HeldRequests();
	readonly #spread: SpreadWatch;
	piecesPushed = 0;

	constructor(options: {
		role: PeerRole;
		clock: Clock;
		port: SchedulerPort;
		roster: Roster;
		tracks: Tracks;
		uplink: Uplink;
		trees: Trees;
	}) {
		this.#role = options.role;
		this.#clock = options.clock;
		this.#port = options.port;
		this.#roster = options.roster;
		this.#tracks = options.tracks;
		this.#uplink = options.uplink;
		this.#trees = options.trees;
		this.#spread = new SpreadWatch(options.clock, options.roster, (to, track, offset) => {
			this.#pushTo(to, track, offset, this.#clock.now());
			this.flush();
		});
	}

	/** How long the oldest block waits to be sent, milliseconds. */
	get delayMs(): number {
		const nowMs = this.#clock.now();
		return Math.max(this.#uplink.pushDelayMs(nowMs), this.#uplink.askedDelayMs(nowMs));
	}

	/** Manifests go at once to those who will be pushed pieces; `toAll` when nobody would bring them otherwise. */
	inform(track: SegmentTrack, toAll: boolean): void {
		for (const neighbour of this.#roster.all) {
			const bit = 1 << neighbour.slot;
			if (neighbour.role === undefined || (track.informed & bit) !== 0) continue;
			if (!toAll && neighbour.given === 0) continue;
			track.informed |= bit;
			this.#port.inform(neighbour.link, track.firstPiece);
		}
	}

	/** A piece is held: it goes to subscribers and to those who asked. */
	passOn(track: SegmentTrack, offset: number): void {
		const index = track.firstPiece + offset;
		if (this.#uplink.open) {
			let copy = 0;
			for (const child of this.#trees.childrenOf(index)) {
				const passedOver = (track.holders[offset] ?? 0) | (track.elsewhere[offset] ?? 0);
				if ((passedOver & (1 << child.slot)) !== 0) continue;
				const headStartMs =
					this.#role === 'broadcaster'
						? -STALE_SEND_MS * copy++
						: headStart(child.branches[index % SUBSTREAMS] ?? 0);
				const turn = this.#clock.now() - headStartMs;
				this.#pushTo(child, track, offset, turn);
			}
		}
		for (const { from, message } of this.#held.take(index)) this.#queueAsked(from, track, message);
	}

	onRequest(from: Neighbour, message: RequestMessage): void {
		const { index, begin, length } = message;
		const track = this.#tracks.of(index);
		if (!track || !this.#uplink.open) return reject(from, message);
		const busy = this.delayMs > BUSY_DELAY_MS * (this.#role === 'broadcaster' ? 2 : 1);
		if (busy || from.queuedBlocks >= MAX_QUEUED_BLOCKS) return reject(from, message);
		const offset = index - track.firstPiece;
		if (begin + length > trackedPieceBytes(track, offset)) {
			this.#port.end(from.link, 'protocol');
			return;
		}
		if (track.states[offset] === HELD) this.#queueAsked(from, track, message);
		else if (track.lost) reject(from, message);
		else this.#held.add(from, message, this.#clock.now());
	}

	/** A neighbour has asked for a block elsewhere: the piece is announced to it instead of pushed, so that it can still be asked for. */
	onCancel(from: Neighbour, { index, begin }: { index: number; begin: number }): void {
		const tookBack = this.#uplink.cancel(
			(sending) => sending.to === from && sending.index === index && sending.begin === begin,
		);
		this.#held.cancel(from, index, begin);
		const track = this.#tracks.of(index);
		if (!track) return;
		const offset = index - track.firstPiece;
		const bit = 1 << from.slot;
		track.elsewhere[offset] = (track.elsewhere[offset] ?? 0) | bit;
		if (!tookBack) return;
		track.holders[offset] = (track.holders[offset] ?? 0) & ~bit;
		for (const have of toHaves([index])) from.link.send(have);
	}

	/** A child subscribes to no more than these substreams: of others another parent is asked for what hasn't left here. */
	keepOnly(from: Neighbour, substreams: number): void {
		const ended = from.given & ~substreams;
		from.given &= substreams;
		if (ended === 0) return;
		this.#uplink.cancel(
			({ to, asked, index }) =>
				to === from && !asked && (ended & (1 << (index % SUBSTREAMS))) !== 0,
		);
	}

	/** A neighbour has a piece from elsewhere: what waits for it here is in vain. */
	spare(to: Neighbour, indexes: ReadonlySet<number>): void {
		if (this.#uplink.waiting === 0 || indexes.size === 0) return;
		this.#uplink.cancel((sending) => sending.to === to && indexes.has(sending.index));
	}

	/** Forgets a neighbour that left. */
	forget(neighbour: Neighbour): void {
		this.#uplink.cancel(({ to }) => to === neighbour);
		this.#held.forget(neighbour);
	}

	/** To be called now and then: what only those have who left or fell silent is given to others. */
	giveAnew(): void {
		this.#spread.hasten();
	}

	/** To be called now and then: refuses what was held too long, and everything when nothing is sent any more. */
	expire(): void {
		if (this.#uplink.open) this.#held.expire(this.#clock.now());
		else this.#held.rejectAll();
	}

	/** Sends what may be sent now. */
	flush(): void {
		this.#uplink.drain(this.#clock.now(), this.#roster.all);
	}

	close(): void {
		this.#spread.close();
	}

	/** Sends one block and gives its bytes; 0 when it is gone. */
	transmit({ to, index, begin, length }: Sending): number {
		const block = this.#port.block(index, begin, length);
		if (!block) return 0;
		count(to.bytesOut, block.length);
		this.#tracks.noteLeft(index);
		to.link.send({ type: 'piece', index, begin, block });
		return block.length;
	}

	#pushTo(to: Neighbour, track: SegmentTrack, offset: number, turn: number): void {
		if ((track.informed & (1 << to.slot)) === 0) {
			track.informed |= 1 << to.slot;
			this.#port.inform(to.link, track.firstPiece);
		}
		track.holders[offset] = (track.holders[offset] ?? 0) | (1 << to.slot);
		track.pushed[offset] = (track.pushed[offset] ?? 0) | (1 << to.slot);
		this.piecesPushed++;
		const index = track.firstPiece + offset;
		const queuedAtMs = this.#clock.now();
		forBlocks(track, offset, (begin, length) =>
			this.#uplink.push({ to, index, begin, length, asked: false, turn, queuedAtMs }),
		);
		if (this.#role === 'broadcaster') this.#spread.watch(to, track, offset);
	}

	/** What is pushed has a tree behind it that waits; requests go when there is room, unless the piece is overdue and not too late. */
	#queueAsked(to: Neighbour, track: SegmentTrack, { index, begin, length }: RequestMessage): void {
		const queuedAtMs = this.#clock.now();
		const newcomer = queuedAtMs - to.sinceMs < NEWCOMER_MS;
		const tooLate = queuedAtMs - track.knownAtMs > TOO_LATE_MS;
		const overdueAtMs = Math.max(queuedAtMs, track.knownAtMs + OVERDUE_MS);
		const turn = newcomer || tooLate ? Infinity : overdueAtMs;
		this.#uplink.push({ to, index, begin, length, asked: true, turn, queuedAtMs });
	}
}

/**
 * By how much a copy goes ahead of others, milliseconds. Whoever passes it on has a tree behind it that waits; a leaf
 * needs no piece before the last one of its segment, but mustn't starve either.
 */
function headStart(branch: number): number {
	return branch > 0 ? BRANCH_MS * Math.log2(branch) : -LEAF_MS;
}
