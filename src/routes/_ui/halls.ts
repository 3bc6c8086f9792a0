// What the pages need of the library's halls. A page is written and tested against these shapes;
// its main.ts hands in the real thing, and the compiler checks there that they agree.

import type { ReceivedSegment } from '../../lib/index.ts';

/** A segment of the DVR window, whole and verified. */
export type HeldSegment = ReceivedSegment;

/** An error of the library as pages see it: a stable code. */
export interface Failure {
	readonly code: string;
}

export interface ChannelPort {
	/** 43 characters of base64url. */
	readonly id: string;
}

export type SourceKind = 'camera' | 'screen' | 'file';
export type SourceEnd = 'unplugged' | 'stopped' | 'finished' | 'unreadable';

export type DeviceKind = 'camera' | 'microphone';

export interface SourcePort {
	readonly kind: SourceKind;
	readonly label: string;
	readonly stream: MediaStream;
	readonly hasAudio: boolean;
	readonly hasVideo: boolean;
	/** Devices that were asked for and are gone; the browser's choice stands in for them. */
	readonly absent: readonly DeviceKind[];
	onended: ((why: SourceEnd) => void) | undefined;
	close(): void;
}

export interface Device {
	readonly id: string;
	readonly label: string;
}

export interface CameraChoice {
	videoDeviceId?: string;
	audioDeviceId?: string;
	video?: boolean;
	audio?: boolean;
}

export interface TrackerPort {
	readonly url: string;
	readonly state: 'connecting' | 'open' | 'retrying';
	/** What went wrong last; while `open`, the reason that the tracker refuses the channel for. */
	readonly lastError?: string;
}

export type BroadcasterState =
	| { readonly type: 'idle' }
	| { readonly type: 'starting' }
	| { readonly type: 'live'; readonly sinceMs: number }
	| { readonly type: 'stopping' }
	| { readonly type: 'ended' }
	| { readonly type: 'failed'; readonly error: Failure };

export type Health = 'good' | 'tight' | 'short' | 'lost';

export interface BroadcasterStatsPort {
	readonly viewers: number;
	/** Bytes sent ÷ bytes of the stream. */
	readonly copies: number;
	readonly streamBps: number;
	readonly health: Health;
	/** Why, and what to do, in a sentence. */
	readonly healthReason: string;
	/** Bits per second; undefined until it was measured. */
	readonly uplinkBps: number | undefined;
	readonly trackers: readonly TrackerPort[];
	readonly encoder: { readonly isOverloaded: boolean } | undefined;
	/** Whether another device broadcasts under this link, and has the viewers. */
	readonly isForked: boolean;
	readonly farthestMs: number | undefined;
	/** Bytes of media that are held. */
	readonly windowBytes: number;
}

export interface WarningPort {
	readonly code: string;
	readonly detail: string;
}

export interface BroadcasterEvents {
	state: BroadcasterState;
	stats: BroadcasterStatsPort;
	warning: WarningPort;
}

export interface BroadcasterPort<Source, Profile> {
	readonly channel: ChannelPort;
	readonly state: BroadcasterState;
	readonly stats: BroadcasterStatsPort;
	on<Name extends keyof BroadcasterEvents>(
		name: Name,
		listener: (event: BroadcasterEvents[Name]) => void,
	): () => void;
	goLive(source: Source): Promise<void>;
	setSource(source: Source): Promise<void>;
	setProfile(profile: Profile): Promise<void>;
	setTitle(title: string): void;
	heldSegments(): Iterable<HeldSegment>;
	stop(): Promise<void>;
	close(): Promise<void>;
}

export type ViewerState =
	/** On the way to a tracker. */
	| { readonly type: 'connecting' }
	| { readonly type: 'no-tracker'; readonly retryInMs?: number }
	| { readonly type: 'finding-peers'; readonly lost?: boolean }
	/** For the broadcaster, who was last heard `quietMs` ago, if ever. */
	| { readonly type: 'waiting'; readonly quietMs?: number }
	| { readonly type: 'receiving' }
	| { readonly type: 'ended' }
	| { readonly type: 'failed'; readonly error: Failure };

export interface ViewerStatsPort {
	/** People who watch, this page included, as far as the swarm knows. */
	readonly viewers: number;
	/** What this page passes on, bits a second. */
	readonly uploadBps: number;
	/** What the uplink was seen to carry, bits a second. */
	readonly uplinkBps: number | undefined;
	/** Bytes of media that are held. */
	readonly windowBytes: number;
	readonly trackers: readonly TrackerPort[];
}

export interface ViewerEvents {
	state: ViewerState;
	stats: ViewerStatsPort;
}

export interface Sharing {
	readonly share: boolean;
	readonly maxUploadBps?: number;
}

export interface ViewerPort {
	readonly title: string;
	readonly state: ViewerState;
	on<Name extends keyof ViewerEvents>(
		name: Name,
		listener: (event: ViewerEvents[Name]) => void,
	): () => void;
	heldSegments(): Iterable<HeldSegment>;
	close(): Promise<void>;
	setSharing(sharing: Sharing): void;
}

export type PlayerState =
	| { readonly type: 'idle' }
	| { readonly type: 'buffering' }
	| { readonly type: 'playing' }
	| { readonly type: 'stalled'; readonly sinceMs: number; readonly cause: 'network' | 'device' }
	| { readonly type: 'paused' }
	| { readonly type: 'ended' }
	| { readonly type: 'failed'; readonly error: Failure };

export interface PlayerEvents {
	state: PlayerState;
	/** Whether this device leaves out pictures that came in time. */
	stats: { readonly overloaded: boolean };
	/** The browser refused sound, and it plays on muted; or it refused to play at all. */
	autoplayblocked: undefined;
	livechange: { readonly atEdge: boolean; readonly behindMs: number };
}

export interface PlayerPort {
	readonly state: PlayerState;
	readonly behindMs: number | undefined;
	on<Name extends keyof PlayerEvents>(
		name: Name,
		listener: (event: PlayerEvents[Name]) => void,
	): () => void;
	play(): Promise<void>;
	pause(): void;
	seekToLive(): void;
	close(): Promise<void>;
}
