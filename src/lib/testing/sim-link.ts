import type { Random } from '../util/clock.ts';
import type { Fingerprints, Link, LinkEnd, LinkOrigin } from '../model/link.ts';
import type { Message } from '../model/message.ts';
import { Due, type SimClock } from './sim-clock.ts';

/** A host's access to the network: what it sends leaves one after the other at its rate. */
export interface Access {
	readonly upBps: number;
	readonly downBps: number;
	upFreeAtMs: number;
	downFreeAtMs: number;
	sentBytes: number;
	/** Whether everything it sends and is sent is swallowed: a host that crashed or was unplugged. */
	dead: boolean;
}

/** An access that is free. */
export function newAccess(upBps: number, downBps: number): Access {
	return { upBps, downBps, upFreeAtMs: 0, downFreeAtMs: 0, sentBytes: 0, dead: false };
}

/** How a path behaves. */
export interface Path {
	readonly delayMs: number;
	/** Delay that is added at random, evenly from 0. */
	readonly jitterMs: number;
	/** Share of packets lost; a lost one comes a round trip and a little later, and all behind it wait. */
	readonly loss: number;
}

const PACKET_BYTES = 1200;
const LOW_WATER_BYTES = 16 * 1024;

/** The last byte of a message leaves its sender's buffer. */
class Departure extends Due {
	readonly #link: SimLink;
	readonly #bytes: number;

	constructor(link: SimLink, bytes: number) {
		super();
		this.#link = link;
		this.#bytes = bytes;
	}

	happen(): void {
		this.#link.leave(this.#bytes);
	}
}

/** A message comes to its receiver, and then through the receiver's downlink, which is a second event when that is busy. */
class Arrival extends Due {
	readonly #link: SimLink;
	readonly message: Message;
	readonly bytes: number;
	#arrived = false;

	constructor(link: SimLink, message: Message, bytes: number) {
		super();
		this.#link = link;
		this.message = message;
		this.bytes = bytes;
	}

	happen(): void {
		if (this.#arrived) {
			this.#link.deliver(this.message);
		} else {
			this.#arrived = true;
			this.#link.arrive(this);
		}
	}
}

/** One end of a virtual link: reliable, ordered, delayed, sharing its host's uplink with the host's other links. */
export class SimLink implements Link {
	readonly peerId: string;
	readonly initiated: boolean;
	readonly origin: LinkOrigin = 'tracker';
	readonly fingerprints: Fingerprints;
	readonly #clock: SimClock;
	readonly #random: Random;
	readonly #from: Access;
	readonly #to: Access;
	readonly #path: Path;
	bufferedBytes = 0;
	#arrivedAtMs = 0;
	#deliveredAtMs = 0;
	#open = true;
	other: SimLink | undefined;
	/** Why this side ended it, if it did. */
	endedWhy: LinkEnd | undefined;
	/** What a dishonest peer makes of a message before it leaves; `undefined` swallows it. */
	tamper: ((message: Message) => Message | undefined) | undefined;
	/** Called with every message as the peer gave it, before it is tampered with. */
	onSend: (message: Message) => void = () => undefined;
	/** Called once when this end is no more, whoever ended it. */
	onEnded: () => void = () => undefined;
	onMessage: (message: Message) => void = () => undefined;
	onClose: (why: LinkEnd) => void = () => undefined;
	onDrain: () => void = () => undefined;

	constructor(options: {
		peerId: string;
		initiated: boolean;
		fingerprints: Fingerprints;
		clock: SimClock;
		random: Random;
		from: Access;
		to: Access;
		path: Path;
	}) {
		this.peerId = options.peerId;
		this.initiated = options.initiated;
		this.fingerprints = options.fingerprints;
		this.#clock = options.clock;
		this.#random = options.random;
		this.#from = options.from;
		this.#to = options.to;
		this.#path = options.path;
	}

	send(original: Message): void {
		if (!this.#open) return;
		this.onSend(original);
		const message = this.tamper ? this.tamper(original) : original;
		if (!message) return;
		const bytes = messageBytes(message);
		this.bufferedBytes += bytes;
		const nowMs = this.#clock.now();
		const from = this.#from;
		from.sentBytes += bytes;
		from.upFreeAtMs = Math.max(nowMs, from.upFreeAtMs) + (bytes * 8000) / from.upBps;
		const leftAtMs = from.upFreeAtMs;
		if (message.type === 'piece' || bytes > 256) {
			this.#clock.set(new Departure(this, bytes), leftAtMs - nowMs);
		} else {
			this.bufferedBytes -= bytes;
		}
		let arriveMs = leftAtMs + this.#path.delayMs + this.#random() * this.#path.jitterMs;
		if (this.#path.loss > 0) arriveMs += this.#retransmissionsMs(bytes);
		this.#arrivedAtMs = Math.max(this.#arrivedAtMs, arriveMs + (bytes * 8000) / this.#to.downBps);
		this.#clock.set(new Arrival(this, message, bytes), this.#arrivedAtMs - nowMs);
	}

	/** So many bytes have left this host. */
	leave(bytes: number): void {
		const before = this.bufferedBytes;
		this.bufferedBytes -= bytes;
		if (before > LOW_WATER_BYTES && this.bufferedBytes <= LOW_WATER_BYTES) this.onDrain();
	}

	/** The receiver's downlink is taken in the order of arrival, not of sending: a slow sender holds up only itself. */
	arrive(arrival: Arrival): void {
		const nowMs = this.#clock.now();
		const to = this.#to;
		const takesMs = (arrival.bytes * 8000) / to.downBps;
		const readyAtMs = Math.max(nowMs, to.downFreeAtMs + takesMs, this.#deliveredAtMs);
		to.downFreeAtMs = Math.max(to.downFreeAtMs + takesMs, nowMs);
		this.#deliveredAtMs = readyAtMs;
		if (readyAtMs <= nowMs) this.deliver(arrival.message);
		else this.#clock.set(arrival, readyAtMs - nowMs);
	}

	/** Hands a message to the receiver, unless one of the hosts has crashed. */
	deliver(message: Message): void {
		if (!this.#from.dead && !this.#to.dead) this.other?.receive(message);
	}

	close(why: LinkEnd): void {
		if (!this.#open) return;
		this.#open = false;
		this.endedWhy = why;
		this.onEnded();
		if (this.#from.dead) return;
		this.#clock.after(this.#path.delayMs, () => this.other?.closedByOther());
	}

	receive(message: Message): void {
		if (this.#open) this.onMessage(message);
	}

	closedByOther(): void {
		if (!this.#open) return;
		this.#open = false;
		this.onEnded();
		if (!this.#from.dead) this.onClose('gone');
	}

	/** Time that lost packets of a message cost: a round trip and 30 ms each time, seldom more than once. */
	#retransmissionsMs(bytes: number): number {
		let addedMs = 0;
		for (let packets = Math.ceil(bytes / PACKET_BYTES); packets > 0; packets--) {
			let onceMs = 0;
			while (this.#random() < this.#path.loss) onceMs += 2 * this.#path.delayMs + 30;
			addedMs = Math.max(addedMs, onceMs);
		}
		return addedMs;
	}
}

/** Bytes of a message on the network: its frame, and what SCTP, DTLS, UDP and IP put around each packet. */
export function messageBytes(message: Message): number {
	const bytes = frameBytes(message);
	return bytes + 77 * Math.ceil(bytes / PACKET_BYTES);
}

function frameBytes(message: Message): number {
	switch (message.type) {
		case 'piece':
			return 13 + message.block.length;
		case 'request':
		case 'cancel':
		case 'reject':
			return 17;
		case 'broadcaster-proof':
			return 71;
		case 'manifest':
			return 71 + message.dict.length;
		case 'manifest-delta':
			return 75 + message.changes.length;
		case 'have':
			return 11 + message.bits.length;
		case 'init':
			return 39 + message.bytes.length;
		case 'exchange':
			return 7 + message.peers.length * 20;
		case 'signal':
			return 68 + message.sdp.length;
		default:
			return 40;
	}
}
