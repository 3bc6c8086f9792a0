import type { LinkOrigin } from '../model/link.ts';
import type { WireFactory } from '../model/wire.ts';
import type { Connection, ConnectionOptions } from './connection.ts';
import type { DescriptionRules } from './session-description.ts';
import type { WireLink, WireLinkEnd } from './wire-link.ts';

/** What attempts need to know, and tell. Ids are 40 hexadecimal characters. */
export interface AttemptsHost {
	readonly infoHash: Uint8Array;
	readonly peerId: string;
	readonly wire: WireFactory;
	readonly connection: ConnectionOptions;
	readonly rules: DescriptionRules;
	/** Links that are ready, to know who is a neighbour already. */
	readonly links: ReadonlyMap<string, WireLink>;
	/** Whether this peer is not to be met. */
	isShunned(peerId: string, origin: LinkOrigin): boolean;
	/** A tracker may be told of offers. */
	canAnnounce(): boolean;
	/** An offer is ready, or is no more in the making. */
	onOffers(): void;
	onLink(link: WireLink): void;
	/** An attempt or a link ended. */
	onEnd(link: WireLink, why: WireLinkEnd): void;
	/** The browser gives no RTCPeerConnection. */
	onUnavailable(error: unknown): void;
}

/** What became of descriptions from outside, counted. */
export interface AttemptCounts {
	offersMade: number;
	/** Offers from others that were answered. */
	offersTaken: number;
	/** Offers from others that were not, by reason. */
	offersRefused: Record<'unwanted' | 'duplicate' | 'shunned' | 'budget' | 'full' | 'bad', number>;
	answersTaken: number;
	/** Answers that fit no offer of ours, or whose description is none. */
	answersRefused: number;
}

/** One connection that is not a link yet. */
export interface Attempt {
	readonly connection: Connection;
	readonly origin: LinkOrigin;
	readonly initiated: boolean;
	/** `making`: our offer is being made; `waiting`: for an answer; `connecting`: both have said all. */
	step: 'making' | 'waiting' | 'connecting';
	/** Undefined while nobody has taken the offer. */
	peerId: string | undefined;
	sdp: string;
	/** The ids it was announced under, newest last. */
	readonly offerIds: string[];
	announcedAtMs: number;
	connectingAtMs: number;
	link: WireLink | undefined;
	cancelExpiry: () => void;
}
