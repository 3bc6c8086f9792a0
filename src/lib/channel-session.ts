import type { SiteConfig } from './config.ts';
import { infoHashInput, type Channel } from './model/channel.ts';
import type { PeerRole } from './model/message.ts';
import type { PeerOptions } from './peer-options.ts';
import { ChannelPeer } from './peer.ts';
import { QUICK_LINKS } from './schedule/bounds.ts';
import type { UplinkLimits } from './schedule/uplink.ts';
import { sha256, webProofs } from './sign/web-proofs.ts';
import type { TrackerState } from './swarm/announcer.ts';
import { Swarm, type SwarmTrouble } from './swarm/swarm.ts';
import { machineClock } from './worker-clock.ts';
import { createWire } from './wire/wire.ts';
import type { Clock } from './util/clock.ts';
import { Emitter } from './util/emitter.ts';

/** Everything that a hall needs to join a channel. */
export interface SessionOptions extends UplinkLimits {
	readonly channel: Channel;
	readonly config: SiteConfig;
	readonly role: PeerRole;
	/** The channel's signature, of a broadcaster. */
	readonly sign?: PeerOptions['sign'];
	readonly dvr?: PeerOptions['dvr'];
	readonly from?: PeerOptions['from'];
	/** `relay` shows this peer's address to nobody but the TURN server. @default 'all' */
	readonly iceTransportPolicy?: RTCIceTransportPolicy | undefined;
	/** @default the browser's; Node has to hand one in */
	readonly webrtc?: typeof RTCPeerConnection | undefined;
	/** @default the browser's; Node 20 has to hand one in */
	readonly webSocket?: typeof WebSocket | undefined;
	/** @default the machine's */
	readonly clock?: Clock | undefined;
}

/** What a session tells, beside what its peer does. */
export interface SessionEvents {
	trackers: readonly TrackerState[];
	audience: { readonly complete: number; readonly incomplete: number };
	trouble: SwarmTrouble;
	/** Once a second: time to look at the figures. */
	second: undefined;
}

const SECOND_MS = 1000;
/** A peer that has no parent for this long starves and says so to trackers. */
const STARVING_MS = 2000;

/** A channel's peer in its swarm: links come from trackers and neighbours and go to the peer. Composition only. */
export class ChannelSession extends Emitter<SessionEvents> {
	readonly peer: ChannelPeer;
	readonly swarm: Swarm;
	readonly clock: Clock;
	readonly #role: PeerRole;
	readonly #undo: (() => void)[] = [];
	#stopSecond: (() => void) | undefined;
	#fedAtMs: number;
	#closed = false;

	/** Joins a channel; nothing goes out before `open`. */
	static async join(options: SessionOptions): Promise<ChannelSession> {
		const infoHash = (await sha256(infoHashInput(options.channel))).slice(0, 20);
		return new ChannelSession(options, infoHash);
	}

	private constructor(options: SessionOptions, infoHash: Uint8Array) {
		super();
		this.clock = options.clock ?? machineClock();
		this.#role = options.role;
		this.#fedAtMs = this.clock.now();
		const { channel, role, config } = options;
		this.swarm = new Swarm({
			infoHash,
			trackers: config.trackers,
			iceServers: config.iceServers,
			iceTransportPolicy: options.iceTransportPolicy ?? 'all',
			role,
			wire: createWire,
			clock: this.clock,
			random: Math.random,
			webrtc: options.webrtc,
			webSocket: options.webSocket,
		});
		this.peer = new ChannelPeer({
			channel,
			role,
			peerId: this.swarm.peerId,
			clock: this.clock,
			random: Math.random,
			proofs: webProofs(),
			sign: options.sign,
			...(options.dvr ? { dvr: options.dvr } : {}),
			...(options.from ? { from: options.from } : {}),
			uplinkCapBps: options.uplinkCapBps,
			uplinkGuessBps: options.uplinkGuessBps,
		});
		this.#connect();
	}

	/** Goes to the trackers. */
	open(): void {
		this.swarm.open();
		this.#wantLinks();
		this.#everySecond();
		this.#leaveWithThePage();
	}

	/** Says goodbye and ends everything; idempotent. `atOnce` for a page that has no more time. */
	async close({ atOnce = false } = {}): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		this.#stopSecond?.();
		for (const undo of this.#undo) undo();
		// Links linger to deliver what was sent; a page that goes away runs nothing that would close them then.
		this.peer.close({ keepLinks: atOnce });
		await this.swarm.close({ atOnce });
		this.removeAllListeners();
	}

	#connect(): void {
		const { peer, swarm } = this;
		swarm.on('link', (link) => peer.addLink(link));
		swarm.on('trackers', (trackers) => this.emit('trackers', trackers));
		swarm.on('audience', (audience) => this.emit('audience', audience));
		swarm.on('trouble', (trouble) => this.emit('trouble', trouble));
		swarm.on('trackers', () => this.#seekIntroductions());
		peer.on('links', () => this.#wantLinks());
		peer.on('introduction', ({ peerId, via }) => swarm.connectVia(peerId, via));
		peer.on('signal', ({ signal, reply }) => swarm.onSignal(signal, reply));
	}

	#wantLinks(): void {
		const { wanted, free } = this.peer.linkRoom;
		this.swarm.wantLinks(wanted, free);
	}

	/** Neighbours introduce others when trackers can't, or when few of them have anything to give. */
	#seekIntroductions(): void {
		if (this.#role === 'broadcaster') return;
		const tracked = this.swarm.trackers.some(({ state }) => state === 'open');
		const givers = this.peer.neighbours.filter(
			({ role, uplinkKbps }) => role === 'broadcaster' || uplinkKbps > 0,
		);
		const few = givers.length < QUICK_LINKS;
		if (!tracked || few) this.peer.seekIntroductions(2);
	}

	#everySecond(): void {
		const nowMs = this.clock.now();
		const { hop, linkRoom, uplink } = this.peer;
		if (hop < 255) this.#fedAtMs = nowMs;
		this.swarm.report({
			hop,
			slots: linkRoom.free,
			starving: nowMs - this.#fedAtMs > STARVING_MS,
			uplinkKbps: Math.round(uplink.planBps / 1000),
		});
		this.#wantLinks();
		this.#seekIntroductions();
		this.emit('second', undefined);
		this.#stopSecond = this.clock.after(SECOND_MS, () => this.#everySecond());
	}

	/** A page that goes away says so; else its neighbours would wait seconds for it. */
	#leaveWithThePage(): void {
		if (typeof addEventListener !== 'function' || typeof document === 'undefined') return;
		const leave = () => void this.close({ atOnce: true });
		addEventListener('pagehide', leave);
		this.#undo.push(() => removeEventListener('pagehide', leave));
	}
}
