import { toHex, utf8 } from '../util/bytes.ts';
import type { Random } from '../util/clock.ts';
import { channelOf } from '../model/channel.ts';
import type { Message, PeerRole } from '../model/message.ts';
import type { Proofs } from '../model/proofs.ts';
import type { Strategy } from '../schedule/scheduler.ts';
import { QUICK_LINKS } from '../schedule/bounds.ts';
import { ShunList } from '../swarm/shun-list.ts';
import { ChannelPeer } from '../peer.ts';
import type { ReceivedSegment } from '../peer-options.ts';
import { SimClock, seededRandom } from './sim-clock.ts';
import { newAccess, SimLink, type Access, type Path } from './sim-link.ts';
import { SimMedia } from './sim-media.ts';
import { slowProofs } from './slow-proofs.ts';
import { tamperOf, type SimRole } from './sim-roles.ts';

/** A swarm to be simulated. Everything has a default but the seed. */
export interface SimOptions {
	readonly seed: number;
	readonly viewers?: number;
	readonly streamBps?: number;
	readonly segmentMs?: number;
	readonly segmentsPerKeyFrame?: number;
	/** Round trip between any two hosts, milliseconds, give or take a third. */
	readonly rttMs?: number;
	readonly jitterMs?: number;
	readonly loss?: number;
	readonly sourceUpBps?: number;
	/** Uplinks are drawn between a third of this and thrice it, this on average. */
	readonly meanUpBps?: number;
	readonly downBps?: number;
	/** Time over which the first viewers join. */
	readonly joinMs?: number;
	/** Share of the viewers that were here before and know their uplink, give or take a third, and whether the broadcaster was. */
	readonly returning?: { readonly viewers: number; readonly broadcaster: boolean };
	/** Shares of the viewers that play other roles. */
	readonly roles?: Partial<Record<SimRole, number>>;
	/** Viewers that leave and are replaced, per minute, as a share of all. */
	readonly churnPerMinute?: number;
	readonly strategy?: Strategy;
	readonly dvrMs?: number;
	/** A hash or a signature takes up to this long, milliseconds; 0 is at once. */
	readonly proofMs?: number;
}

/** One simulated host with its peer. */
export interface SimPeer {
	readonly id: string;
	readonly role: SimRole | 'broadcaster';
	readonly access: Access;
	readonly peer: ChannelPeer;
	readonly joinedAtMs: number;
	leftAtMs: number;
	/** Sequence numbers that came whole, with when. */
	readonly received: Map<number, number>;
	readonly lost: Set<number>;
	/** First sequence that it is answerable for. */
	firstSequence: number | undefined;
	readonly blamed: Set<string>;
	/** Whom it doesn't meet again for a while. */
	readonly shunned: ShunList;
}

const DEFAULTS = {
	viewers: 20,
	streamBps: 2_500_000,
	segmentMs: 500,
	segmentsPerKeyFrame: 1,
	rttMs: 60,
	jitterMs: 4,
	loss: 0,
	sourceUpBps: 10_000_000,
	meanUpBps: 5_000_000,
	downBps: 50_000_000,
	joinMs: 3000,
	roles: {},
	churnPerMinute: 0,
	dvrMs: 12_000,
	proofMs: 0,
} as const;

/**
 * A whole swarm under a virtual clock: the very same engine as in the browser, over virtual links, from one seed. Runs of
 * one seed are alike to the last event.
 */
export class Simulation {
	readonly clock = new SimClock();
	readonly random: Random;
	readonly media: SimMedia;
	readonly broadcaster: SimPeer;
	readonly viewers: SimPeer[] = [];
	/** When each sequence number was published. */
	readonly publishedAtMs: number[] = [];
	/** Garbage that came out of a peer as a segment; must stay 0. */
	unverifiedSegments = 0;
	/** Garbage that a peer's engine passed on; must stay 0. What a polluter makes of its blocks afterwards doesn't count. */
	unverifiedBlocks = 0;
	readonly #options;
	readonly #alive: SimPeer[] = [];
	readonly #linked = new Map<SimPeer, Map<SimPeer, SimLink>>();
	#made = 0;
	readonly #firstDraw: number;
	readonly #proofs: Proofs;
	#publishing = true;

	constructor(options: SimOptions) {
		this.#options = { ...DEFAULTS, ...options };
		this.random = seededRandom(options.seed);
		this.#firstDraw = this.random();
		this.media = new SimMedia(this.#options);
		const { proofMs } = this.#options;
		const { proofs } = this.media;
		this.#proofs =
			proofMs > 0 ? slowProofs(proofs, this.clock, () => proofMs * this.random()) : proofs;
		this.broadcaster = this.#newPeer('broadcaster', this.#options.sourceUpBps);
		this.#schedulePublishing();
		this.#seekLinks(this.broadcaster);
		const { viewers, joinMs } = this.#options;
		for (let i = 0; i < viewers; i++) {
			this.clock.after((joinMs * i) / Math.max(1, viewers), () => this.join());
		}
		if (this.#options.churnPerMinute > 0) this.#scheduleChurn();
	}

	/** Peers that are there. */
	get alive(): readonly SimPeer[] {
		return this.#alive;
	}

	/** A viewer joins, of a role drawn by the shares and with an uplink (bits per second) drawn for it. */
	join(role = this.#drawRole(), upBps = this.#drawUplink(role)): SimPeer {
		const viewer = this.#newPeer(role, upBps);
		this.viewers.push(viewer);
		this.#seekLinks(viewer);
		if (role === 'churner') this.#scheduleLeaving(viewer);
		return viewer;
	}

	/**
	 * A peer goes: politely, or as if its cable were cut. `knownAfterMs` is when all its neighbours learn of that at the latest, as if by an
	 * oracle; they find out for themselves when it isn't given.
	 */
	leave(gone: SimPeer, politely: boolean, knownAfterMs?: number): void {
		const at = this.#alive.indexOf(gone);
		if (at < 0) return;
		this.#alive.splice(at, 1);
		const links = [...(this.#linked.get(gone)?.values() ?? [])];
		gone.leftAtMs = this.clock.now();
		if (!politely) gone.access.dead = true;
		gone.peer.close();
		if (knownAfterMs !== undefined) {
			this.clock.after(knownAfterMs, () => links.forEach(({ other }) => other?.closedByOther()));
		}
		for (const other of this.#linked.get(gone)?.keys() ?? []) this.#linked.get(other)?.delete(gone);
		this.#linked.delete(gone);
	}

	/** Segments published so far. */
	get published(): number {
		return this.publishedAtMs.length;
	}

	/** Forgets the records of segments before this one, and of who left before it; a run of a day keeps no day's records. */
	forgetBefore(sequence: number): void {
		const sinceMs = this.publishedAtMs[sequence] ?? 0;
		const kept = this.viewers.filter(({ leftAtMs }) => leftAtMs > sinceMs);
		this.viewers.splice(0, Infinity, ...kept);
		for (const { received, lost } of this.viewers) {
			for (const old of received.keys()) {
				if (old >= sequence) break;
				received.delete(old);
			}
			for (const old of lost) if (old < sequence) lost.delete(old);
		}
	}

	/** The broadcaster publishes no more. */
	stopPublishing(): void {
		this.#publishing = false;
	}

	#newPeer(role: SimPeer['role'], upBps: number): SimPeer {
		const { clock, media, random } = this;
		const idBytes = new Uint8Array(20);
		new DataView(idBytes.buffer).setUint32(16, ++this.#made);
		const shares = role !== 'free-rider';
		const peer = new ChannelPeer({
			channel: channelOf(media.channelKey),
			role: engineRole(role),
			peerId: idBytes,
			clock,
			random,
			proofs: this.#proofs,
			sign: role === 'broadcaster' ? media.sign : undefined,
			assemble: media.assemble,
			readManifest: media.readManifest,
			dvr: { windowMs: this.#options.dvrMs },
			...(shares ? {} : { uplinkCapBps: 0 }),
			uplinkGuessBps: this.#isReturning(role) ? upBps * (0.7 + 0.6 * random()) : undefined,
			...(this.#options.strategy ? { strategy: this.#options.strategy } : {}),
		});
		const simPeer: SimPeer = {
			id: toHex(idBytes),
			role,
			access: newAccess(upBps, role === 'broadcaster' ? 1e9 : this.#options.downBps),
			peer,
			joinedAtMs: clock.now(),
			leftAtMs: Infinity,
			received: new Map(),
			lost: new Set(),
			firstSequence: undefined,
			blamed: new Set(),
			shunned: new ShunList(() => clock.now()),
		};
		peer.on('segment', (segment) => this.#onSegment(simPeer, segment));
		peer.on('lost', ({ sequence }) => simPeer.lost.add(sequence));
		peer.on('blamed', ({ peerId }) => {
			simPeer.blamed.add(peerId);
			simPeer.shunned.add(peerId, 'tracker');
		});
		this.#alive.push(simPeer);
		this.#linked.set(simPeer, new Map());
		return simPeer;
	}

	#isReturning(role: SimPeer['role']): boolean {
		const { returning } = this.#options;
		if (!returning) return false;
		return role === 'broadcaster' ? returning.broadcaster : this.random() < returning.viewers;
	}

	readonly #onSend = (message: Message): void => {
		if (message.type === 'piece' && !this.media.isGenuine(message.block)) this.unverifiedBlocks++;
	};

	#onSegment(viewer: SimPeer, { manifest, bytes }: ReceivedSegment): void {
		if (bytes !== this.media.segmentBytes) this.unverifiedSegments++;
		viewer.firstSequence ??= manifest.sequence;
		if (!viewer.received.has(manifest.sequence)) {
			viewer.received.set(manifest.sequence, this.clock.now());
		}
	}

	#drawRole(): SimRole {
		let draw = this.#even(0.6180339887);
		for (const [role, share] of Object.entries(this.#options.roles) as [SimRole, number][]) {
			if ((draw -= share) < 0) return role;
		}
		return 'normal';
	}

	/** Draws that fall evenly for any number of viewers, so that shares and means are what they are said to be. */
	#even(step: number): number {
		return (this.#firstDraw + this.#made * step) % 1;
	}

	#drawUplink(role: SimRole): number {
		const { meanUpBps } = this.#options;
		if (role === 'slow') return meanUpBps / 8;
		// Half the hosts below 0.7 of the mean, a few at thrice it: skewed, as access lines are.
		const draw = this.#even(0.7548776662);
		if (draw < 0.5) return meanUpBps * (0.3 + 0.4 * this.random());
		if (draw < 0.85) return meanUpBps * (0.7 + 0.8 * this.random());
		return meanUpBps * (1.5 + 1.9 * this.random());
	}

	/** What a tracker does: introduces random peers, the broadcaster among them while it has room, as many as are wanted. */
	#seekLinks(viewer: SimPeer): void {
		if (viewer.leftAtMs !== Infinity) return;
		const links = this.#linked.get(viewer);
		if (!links) return;
		let wanted = Math.min(5, viewer.peer.linkRoom.wanted - this.#connecting(viewer));
		const source = this.#linked.get(this.broadcaster);
		if (
			source &&
			viewer !== this.broadcaster &&
			this.#hasRoom(this.broadcaster) &&
			wanted > 0 &&
			!links.has(this.broadcaster)
		) {
			if (this.#connect(viewer, this.broadcaster)) wanted--;
		}
		for (let tries = 0; wanted > 0 && tries < 20; tries++) {
			const other = this.#alive[Math.floor(this.random() * this.#alive.length)];
			if (!other || other === viewer || other === this.broadcaster) continue;
			if (!this.#hasRoom(other)) continue;
			if (this.#connect(viewer, other)) wanted--;
		}
		const againMs = viewer.peer.linkRoom.wanted > QUICK_LINKS ? 300 : 2000;
		this.clock.after(againMs * (0.75 + 0.5 * this.random()), () => this.#seekLinks(viewer));
	}

	#connect(a: SimPeer, b: SimPeer): boolean {
		if (
			this.#linked.get(a)?.has(b) ||
			a.shunned.has(b.id, 'tracker') ||
			b.shunned.has(a.id, 'tracker')
		)
			return false;
		const { clock, random } = this;
		const path: Path = {
			delayMs: (this.#options.rttMs / 2) * (0.67 + 0.66 * random()),
			jitterMs: this.#options.jitterMs,
			loss: this.#options.loss,
		};
		const end = (from: SimPeer, to: SimPeer, initiated: boolean) => {
			const link = new SimLink({
				peerId: to.id,
				initiated,
				fingerprints: { ours: fingerprint(from), theirs: fingerprint(to) },
				clock,
				random,
				from: from.access,
				to: to.access,
				path,
			});
			link.onSend = this.#onSend;
			link.tamper = from.role === 'broadcaster' ? undefined : tamperOf(from.role, random);
			return link;
		};
		const ab = end(a, b, true);
		const ba = end(b, a, false);
		ab.other = ba;
		ba.other = ab;
		this.#linked.get(a)?.set(b, ab);
		this.#linked.get(b)?.set(a, ba);
		ab.onEnded = () => this.#linked.get(a)?.delete(b);
		ba.onEnded = () => this.#linked.get(b)?.delete(a);
		// ICE, DTLS and the handshakes take about three round trips.
		clock.after(6 * path.delayMs, () => {
			for (const [peer, link] of [
				[a, ab],
				[b, ba],
			] as const) {
				if (peer.leftAtMs !== Infinity) continue;
				peer.peer.addLink(link);
			}
		});
		return true;
	}

	#hasRoom(peer: SimPeer): boolean {
		return peer.peer.linkRoom.free > this.#connecting(peer);
	}

	/** Links that are being made and that the peer doesn't know of yet. */
	#connecting(peer: SimPeer): number {
		return (this.#linked.get(peer)?.size ?? 0) - peer.peer.neighbours.length;
	}

	#schedulePublishing(): void {
		const publish = () => {
			if (!this.#publishing) return;
			const signed = this.media.next(this.clock.wallNow());
			this.publishedAtMs[signed.manifest.sequence] = this.clock.now();
			this.broadcaster.peer.publish(signed, this.media.segmentBytes, this.media.init);
			this.clock.after(this.#options.segmentMs, publish);
		};
		this.clock.after(100, publish);
	}

	/** A churner stays some seconds, and another one comes for it. */
	#scheduleLeaving(churner: SimPeer): void {
		this.clock.after(3000 + 5000 * this.random(), () => {
			if (churner.leftAtMs !== Infinity) return;
			this.leave(churner, this.random() < 0.5);
			this.join('churner');
		});
	}

	#scheduleChurn(): void {
		const everyMs = 60_000 / (this.#options.churnPerMinute * this.#options.viewers);
		const swap = () => {
			const candidates = this.#alive.filter(({ role }) => role !== 'broadcaster');
			const gone = candidates[Math.floor(this.random() * candidates.length)];
			if (gone && this.clock.now() > this.#options.joinMs) {
				this.leave(gone, this.random() < 0.5);
				this.join();
			}
			this.clock.after(everyMs * 2 * this.random(), swap);
		};
		this.clock.after(everyMs, swap);
	}
}

/** A host's certificate, by its id. */
function fingerprint({ id }: SimPeer): Uint8Array {
	return utf8(id);
}

function engineRole(role: SimPeer['role']): PeerRole {
	return role === 'broadcaster' || role === 'relay' ? role : 'viewer';
}
