import type { Clock, Random } from './util/clock.ts';
import type { Channel } from './model/channel.ts';
import type { LinkEnd } from './model/link.ts';
import type { Manifest } from './model/manifest.ts';
import type { PeerRole, SignalMessage } from './model/message.ts';
import type { Proofs, Sign } from './model/proofs.ts';
import type { Strategy } from './schedule/scheduler.ts';
import type { UplinkLimits } from './schedule/uplink.ts';
import type { ReadManifest } from './sign/manifest-intake.ts';
import type { DvrLimits } from './store/dvr-window.ts';

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
	/** An init segment that a manifest names is here, verified, before the segments that follow it. */
	init: { sha256: Uint8Array; bytes: Uint8Array<ArrayBuffer> };
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

/** What a peer is made with. */
export interface PeerOptions extends UplinkLimits {
	readonly channel: Channel;
	readonly role: PeerRole;
	/** This peer's id in the swarm, 20 bytes. */
	readonly peerId: Uint8Array;
	readonly clock: Clock;
	readonly random: Random;
	readonly proofs: Proofs;
	/** Only the broadcaster has it: shows neighbours who it is. */
	readonly sign?: Sign | undefined;
	readonly dvr?: DvrLimits;
	/** Where a joiner begins: at the newest key frame, or with all the window that neighbours hold. @default 'live' */
	readonly from?: 'live' | 'window';
	readonly strategy?: Strategy;
	/** Joins a segment's pieces; the simulator's thousands of peers share one memory. @default a new array */
	readonly assemble?: (pieces: readonly Uint8Array[]) => Uint8Array<ArrayBuffer>;
	/** Reads a manifest; in the simulator they all share what one has read. @default each reads for itself */
	readonly readManifest?: ReadManifest;
}

/** Counts of what the gate turned away. */
export interface RefusalStats {
	badSignatures: number;
	badMessages: number;
	staleManifests: number;
	forks: number;
	overBudget: number;
}
