import type { Abroad } from './abroad.ts';
import { heed, strike } from './conduct.ts';
import { MemberConnection } from './connection.ts';
import type { Grant, Link, Origin } from './connection.ts';
import { defaultLimits } from './limits.ts';
import type { Limits } from './limits.ts';
import { parseMessage } from './message.ts';
import type { Announce, Answer, ClientMessage, Hints, Invalid, Offer, Scrape } from './message.ts';
import type { RemotePeer } from './offer-ledger.ts';
import { Peer } from './peer.ts';
import { choosePeers } from './peer-choice.ts';
import {
	announceReply,
	failureReply,
	offerPrefix,
	relayedAnswer,
	relayedOffer,
	scrapeReply,
} from './reply.ts';
import { refusalText } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import type { ReplyHints, SwarmCounts } from './reply.ts';
import type { ResumeProofs } from './resume.ts';
import { Roster } from './roster.ts';
import type { Connection, Swarm } from './peer.ts';
import { Tally, count } from './tally.ts';
import type { MessageType } from './tally.ts';
import { wireOfId } from './wire-text.ts';

export interface TrackerOptions {
	readonly limits?: Partial<Limits>;
	/** Uniform in [0, 1). */
	readonly random: () => number;
	/** Whether a torrent is served, and what the token grants; undefined refuses. */
	readonly admit?: (
		infoHash: string,
		token: string | undefined,
		nowMs: number,
	) => Grant | undefined;
	/** Without it nothing can be resumed. */
	readonly resume?: ResumeProofs;
	readonly scrape?: 'named' | 'joined' | 'off';
	readonly onBan?: (addressKey: string, untilMs: number) => void;
}

const openGrant: Grant = { role: undefined };
const nobody: SwarmCounts = { complete: 0, incomplete: 0, downloaded: 0 };

/**
 * The tracker, without sockets and without a clock: bytes and the time come in, messages go out
 * over each connection's link. A peer is (connection, infohash); verbs act on the sender's own
 * peers only, and nothing is ever looked up by a peer id that a stranger may have sent.
 */
export class Tracker {
	readonly limits: Limits;
	readonly tally = new Tally();
	abroad: Abroad | undefined;
	readonly #options: TrackerOptions;
	readonly #roster: Roster;
	readonly #connections = new Set<Connection>();

	constructor(options: TrackerOptions) {
		this.#options = options;
		this.limits = { ...defaultLimits, ...options.limits };
		this.#roster = new Roster(this.limits);
	}

	get swarms(): ReadonlyMap<string, Swarm> {
		return this.#roster.swarms;
	}

	get connections(): ReadonlySet<Connection> {
		return this.#connections;
	}

	get peerCount(): number {
		return this.#roster.peers;
	}

	/** Peers that have everything. */
	get seederCount(): number {
		let seeders = 0;
		for (const swarm of this.swarms.values()) seeders += swarm.complete;
		return seeders;
	}

	connect(link: Link, origin: Origin, nowMs: number): Connection {
		const connection = new MemberConnection<Peer>(link, origin, this.limits, nowMs);
		this.#connections.add(connection);
		return connection;
	}

	/** The socket is gone: so are all its peers, at once. */
	disconnect(connection: Connection): void {
		connection.closed = true;
		if (!this.#connections.delete(connection)) return;
		for (const peer of connection.peers.slice()) this.#roster.leave(peer);
	}

	/**
	 * A text message from a client, as wire text; says what kind it was, if it was read. Never throws for what it
	 * says.
	 */
	receive(connection: Connection, wire: string, nowMs: number): ClientMessage['type'] | undefined {
		if (connection.closed) return undefined;
		const { limits, tally } = this;
		tally.bytesIn += wire.length;
		connection.aliveMs = nowMs;
		const heeded = heed(connection, limits, nowMs);
		if (heeded !== 'read') {
			tally.flooded += 1;
			if (heeded === 'close') this.#close(connection, 1008, 'flood');
			return undefined;
		}
		const message = parseMessage(wire, limits);
		if (message.type === 'invalid') {
			this.#onInvalid(connection, message, nowMs);
			return 'invalid';
		}
		connection.heardMs = nowMs;
		count(tally.messagesIn, message.type);
		if (message.type === 'announce') this.#onAnnounce(connection, message, nowMs);
		else if (message.type === 'answer') this.#onAnswer(connection, message, nowMs);
		else this.#onScrape(connection, message);
		return message.type;
	}

	/** A message that is no text at all. */
	receiveBinary(connection: Connection, nowMs: number): void {
		this.#onInvalid(
			connection,
			{ type: 'invalid', reason: 'binary', action: undefined, infoHash: undefined },
			nowMs,
		);
	}

	/** Forgets peers that stopped announcing and offers nobody answered. Call now and then. */
	sweep(nowMs: number, connections: Iterable<Connection> = this.#connections): void {
		for (const connection of connections) {
			for (const peer of connection.peers.slice()) this.#sweepPeer(peer, nowMs);
		}
	}

	#sweepPeer(peer: Peer, nowMs: number): void {
		const { limits } = this;
		const staleMs = limits.staleIntervals * this.#intervalMs(peer.swarm);
		if (nowMs - peer.announcedMs > staleMs) return this.#roster.leave(peer);
		const sinceMs = nowMs - limits.offerTtlMs;
		peer.ledger.prune(sinceMs);
		if (!peer.sentAbroad) return;
		for (const [offerId, { atMs }] of peer.sentAbroad) {
			if (atMs <= sinceMs) peer.sentAbroad.delete(offerId);
		}
	}

	#onInvalid(connection: Connection, message: Invalid, nowMs: number): void {
		const { action, infoHash, reason } = message;
		count(this.tally.invalid, reason);
		if (reason === 'binary') return this.#close(connection, 1003, 'binary');
		if (action && infoHash) {
			this.#send(connection, 'error', failureReply(action, infoHash, `invalid message: ${reason}`));
		}
		if (strike(connection, this.limits, nowMs)) this.#close(connection, 1008, 'bad-messages');
	}

	#onAnnounce(connection: Connection, message: Announce, nowMs: number): void {
		const { infoHash } = message;
		const known = connection.peerIn(infoHash);
		if (known && known.peerId !== message.peerId) {
			count(this.tally.invalid, 'second-peer-id');
			return this.#fail(connection, infoHash, 'one peer_id per torrent on a connection');
		}
		if (message.event === 'stopped') {
			if (known) this.#roster.leave(known);
			return;
		}
		const peer = known ?? this.#join(connection, message, nowMs);
		if (!peer) return;
		peer.announcedMs = nowMs;
		this.#learn(peer, message);
		const relayed = this.#relayOffers(peer, message, nowMs);
		const unplaced = message.offers.length > 0 && relayed === 0 && peer.swarm.size > 1;
		this.#reply(peer, message.hints, relayed, unplaced, nowMs);
	}

	/** A new peer, or undefined when it was told why not. */
	#join(connection: Connection, message: Announce, nowMs: number): Peer | undefined {
		const { infoHash, peerId, hints } = message;
		const token = hints?.token ?? connection.origin.token;
		const { admit } = this.#options;
		const grant = admit ? admit(infoHash, token, nowMs) : openGrant;
		if (!grant) return this.#onForbidden(connection, infoHash, nowMs);
		const holder = this.swarms.get(infoHash)?.get(peerId);
		const heldSinceMs = this.#heldSince(message);
		if (holder && !this.#yields(holder, heldSinceMs)) {
			return this.#onContest(connection, holder, message, nowMs);
		}
		const noRoom = this.#roster.noRoom(connection, infoHash);
		if (noRoom) return this.#refuse(connection, infoHash, noRoom);
		const peer = this.#roster.enter(connection, infoHash, peerId, nowMs);
		peer.role = grant.role;
		if (heldSinceMs !== undefined) peer.heldSinceMs = heldSinceMs;
		if (grant.role) peer.swarm.helpers.add(peer);
		return peer;
	}

	/** Since when whoever announces has held its name, by the proof that it brings. */
	#heldSince({ infoHash, peerId, hints }: Announce): number | undefined {
		const proof = hints?.resume;
		return proof === undefined ? undefined : this.#options.resume?.since(infoHash, peerId, proof);
	}

	/** Whether the holder of a peer id gives way: to who held it before, or as long. Names are known to all, and may be taken while their peer is away. */
	#yields(holder: Peer, heldSinceMs: number | undefined): boolean {
		if (heldSinceMs === undefined || heldSinceMs > holder.heldSinceMs) return false;
		const old = holder.connection;
		this.#roster.leave(holder);
		if (old && old.peers.length === 0) this.#close(old, 1001, 'replaced');
		return true;
	}

	/**
	 * A newcomer without proof wants a name that is taken. The holder is asked for a sign of life;
	 * if it gives none its connection ends, and the newcomer's next announce, which is asked for
	 * soon, finds the name free. If it does, the newcomer is told no.
	 */
	#onContest(connection: Connection, holder: Peer, message: Announce, nowMs: number): undefined {
		const { probeMs } = this.limits;
		const held = holder.connection;
		const probed = holder.contestedMs > 0 && nowMs - holder.contestedMs < 4 * probeMs;
		if (!probed) {
			holder.contestedMs = nowMs;
			held?.link.probe();
		} else if (held && held.aliveMs >= holder.contestedMs) {
			// On a fast path the answer comes within the millisecond of the question.
			return this.#refuse(connection, message.infoHash, 'peer_id_taken');
		}
		const seconds = Math.ceil(probeMs / 1000) + 1;
		const counts = this.#counts(holder.swarm.infoHash);
		const hints = message.hints && { now: nowMs, relayed: 0 };
		this.#send(
			connection,
			'reply',
			announceReply(holder.swarm.infoHashJson, counts, seconds, hints),
		);
	}

	#learn(peer: Peer, message: Announce): void {
		const { swarm } = peer;
		const { hints } = message;
		if (message.event === 'completed' && !peer.complete) swarm.downloaded += 1;
		swarm.setComplete(peer, message.complete || message.event === 'completed');
		peer.hop = hints?.hop;
		peer.slots = hints?.slots;
		peer.uploadKbps = hints?.uploadKbps;
		if (peer.starving !== (hints?.starving ?? false)) swarm.setStarving(peer, !peer.starving);
	}

	/** Relays what may be relayed and says how many offers found a peer. */
	#relayOffers(peer: Peer, message: Announce, nowMs: number): number {
		const { limits, tally } = this;
		const { offers, hints } = message;
		if (offers.length === 0) return 0;
		if (nowMs - peer.offeredMs < limits.announceGapMs) {
			count(tally.offers, 'early', offers.length);
			return 0;
		}
		peer.offeredMs = nowMs;
		const { swarm } = peer;
		const leaving = this.abroad?.share(swarm, offers.length) ?? 0;
		const { peers, shortfall } = choosePeers(
			swarm,
			{
				self: peer,
				peer,
				region: peer.connection?.origin.region ?? '',
				steered: hints?.hop !== undefined || hints?.slots !== undefined,
				starving: peer.starving,
			},
			offers.length - leaving,
			{ limits, nowMs, random: this.#options.random },
		);
		const prefix = offerPrefix(swarm.infoHashJson, peer.peerIdJson);
		peers.forEach((target, i) => this.#deliver(target, peer, prefix, offers[i] as Offer, nowMs));
		count(tally.offers, 'relayed', peers.length);
		const rest = offers.slice(peers.length);
		const abroad = rest.length > 0 && this.#sendAbroad(peer, rest, nowMs);
		if (!abroad && rest.length > 0) count(tally.offers, shortfall, rest.length);
		return peers.length + (abroad ? rest.length : 0);
	}

	#sendAbroad(peer: Peer, offers: readonly Offer[], nowMs: number): boolean {
		const node = this.abroad?.relay(peer, offers, nowMs);
		if (node === undefined) return false;
		peer.sentAbroad ??= new Map();
		for (const { offerId } of offers) peer.sentAbroad.set(offerId, { node, atMs: nowMs });
		count(this.tally.offers, 'remote', offers.length);
		return true;
	}

	#deliver(
		target: Peer,
		from: Peer | RemotePeer,
		prefix: string,
		offer: Offer,
		nowMs: number,
	): void {
		const { connection } = target;
		if (!connection) return;
		target.inbound.tokens -= 1;
		target.unanswered += 1;
		target.ledger.add(offer.offerId, from, nowMs, this.limits.pendingPerPeer);
		this.#send(connection, 'offer', relayedOffer(prefix, offer.offerId, offer.sdpJson));
	}

	/** Offers from a peer of another node, for peers of this one; says how many were placed. */
	receiveRemoteOffers(
		infoHash: string,
		from: RemotePeer,
		offers: readonly Offer[],
		nowMs: number,
	): number {
		const swarm = this.swarms.get(infoHash);
		if (!swarm) return 0;
		const asker = { self: from, peer: undefined, region: '', steered: false, starving: false };
		const tools = { limits: this.limits, nowMs, random: this.#options.random };
		const { peers } = choosePeers(swarm, asker, offers.length, tools);
		const prefix = offerPrefix(swarm.infoHashJson, wireOfId(from.peerId));
		peers.forEach((target, i) => this.#deliver(target, from, prefix, offers[i] as Offer, nowMs));
		return peers.length;
	}

	/** An answer to an offer that this node sent to `node`; false where it sent none such. */
	receiveRemoteAnswer(answer: Omit<Answer, 'type'>, node: string, nowMs: number): boolean {
		const swarm = this.swarms.get(answer.infoHash);
		const peer = swarm?.get(answer.toPeerId);
		const sent = peer?.sentAbroad?.get(answer.offerId);
		if (!swarm || !peer?.connection || sent?.node !== node) {
			count(this.tally.answers, peer ? 'unmatched' : 'gone');
			return false;
		}
		peer.sentAbroad?.delete(answer.offerId);
		const text = relayedAnswer(
			swarm.infoHashJson,
			wireOfId(answer.peerId),
			answer.offerId,
			answer.sdpJson,
		);
		this.#send(peer.connection, 'answer', text);
		this.#countAnswer('relayed', sent.atMs, nowMs);
		return true;
	}

	#onAnswer(connection: Connection, message: Answer, nowMs: number): void {
		const { tally, limits } = this;
		const peer = connection.peerIn(message.infoHash);
		const own = peer?.peerId === message.peerId ? peer : undefined;
		const entry = own?.ledger.redeem(message.offerId, message.toPeerId);
		if (!own || !entry) return count(tally.answers, 'unmatched');
		// It was asked for: the budget is for what nobody asked for.
		connection.messages.tokens += 1;
		own.unanswered = 0;
		if (nowMs - entry.atMs > limits.offerTtlMs) return count(tally.answers, 'late');
		const { from } = entry;
		if (from.gone) return count(tally.answers, 'gone');
		if (!(from instanceof Peer)) {
			this.abroad?.answer(from, message.infoHash, own.peerId, message.offerId, message.sdpJson);
			return count(tally.answers, 'remote');
		}
		const text = relayedAnswer(
			own.swarm.infoHashJson,
			own.peerIdJson,
			message.offerId,
			message.sdpJson,
		);
		if (from.connection) this.#send(from.connection, 'answer', text);
		this.#countAnswer('relayed', entry.atMs, nowMs);
	}

	#countAnswer(result: 'relayed', offeredMs: number, nowMs: number): void {
		count(this.tally.answers, result);
		this.tally.offerAnswer.observe((nowMs - offeredMs) / 1000);
	}

	#onScrape(connection: Connection, { infoHashes }: Scrape): void {
		const { scrape = 'named' } = this.#options;
		const [first] = infoHashes;
		if (scrape === 'off' && first !== undefined) {
			return this.#send(connection, 'error', failureReply('scrape', first, 'scrape is off here'));
		}
		const files = infoHashes.map((infoHash) => {
			const hidden = scrape === 'joined' && !connection.peerIn(infoHash);
			return [infoHash, hidden ? nobody : this.#counts(infoHash)] as const;
		});
		this.#send(connection, 'reply', scrapeReply(files));
	}

	#counts(infoHash: string): SwarmCounts {
		const here = this.swarms.get(infoHash) ?? nobody;
		const there = this.abroad?.counts(infoHash) ?? nobody;
		return {
			complete: here.complete + there.complete,
			incomplete: here.incomplete + there.incomplete,
			downloaded: here.downloaded + there.downloaded,
		};
	}

	#reply(
		peer: Peer,
		hints: Hints | undefined,
		relayed: number,
		unplaced: boolean,
		nowMs: number,
	): void {
		const { connection, swarm } = peer;
		if (!connection) return;
		const baseMs = unplaced ? this.limits.intervalUnplacedMs : this.#intervalMs(swarm);
		const { intervalJitter } = this.limits;
		const jitter = 1 + intervalJitter * (2 * this.#options.random() - 1);
		const seconds = Math.max(1, Math.round((baseMs * jitter) / 1000));
		const resume =
			hints && this.#options.resume?.issue(swarm.infoHash, peer.peerId, peer.heldSinceMs);
		const extra: ReplyHints | undefined = hints && { now: nowMs, relayed, resume };
		const counts = this.#counts(swarm.infoHash);
		this.#send(connection, 'reply', announceReply(swarm.infoHashJson, counts, seconds, extra));
	}

	#intervalMs(swarm: Swarm): number {
		const { largeSwarm, intervalMs, intervalLargeMs } = this.limits;
		return swarm.size >= largeSwarm ? intervalLargeMs : intervalMs;
	}

	#onForbidden(connection: Connection, infoHash: string, nowMs: number): undefined {
		const { refusals, banMs } = this.limits;
		this.#refuse(connection, infoHash, 'forbidden');
		connection.refusals += 1;
		if (connection.refusals < refusals) return;
		this.#options.onBan?.(connection.origin.addressKey, nowMs + banMs);
		this.#close(connection, 1008, 'forbidden');
	}

	#refuse(connection: Connection, infoHash: string, why: Refusal): undefined {
		count(this.tally.refused, why);
		this.#fail(connection, infoHash, refusalText[why]);
	}

	#fail(connection: Connection, infoHash: string, text: string): void {
		this.#send(connection, 'error', failureReply('announce', infoHash, text));
	}

	#send(connection: Connection, type: MessageType, text: string): void {
		if (connection.closed) return;
		count(this.tally.messagesOut, type);
		this.tally.bytesOut += text.length;
		connection.link.send(text);
	}

	#close(connection: Connection, code: number, reason: Parameters<Link['close']>[1]): void {
		if (connection.closed) return;
		this.disconnect(connection);
		connection.link.close(code, reason);
	}
}
