import type { Clock, Random } from '../util/clock.ts';
import type { Link, LinkEnd } from '../model/link.ts';
import type { PeerRole } from '../model/message.ts';
import type { Strategy } from './seeker.ts';
import type { Neighbour } from './neighbour.ts';
import type { UplinkLimits } from './uplink.ts';

/** What the scheduler needs done by whoever owns it. */
export interface SchedulerPort {
	/** The bytes of a held block, or `undefined` when they are gone. */
	block(index: number, begin: number, length: number): Uint8Array | undefined;
	/** A piece came in whole: hash it, keep it if good, then call `checked` with who brought it, who may have left by then. */
	check(index: number, bytes: Uint8Array, from: Neighbour): void;
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

/** What a scheduler is made with. */
export interface SchedulerOptions extends UplinkLimits {
	readonly role: PeerRole;
	readonly clock: Clock;
	readonly random: Random;
	readonly port: SchedulerPort;
	readonly strategy?: Strategy;
}
