// The parts of webtorrent 3.0.21 and its family that this room uses; the packages bring no types.

declare module 'webtorrent' {
	interface Events {
		on(name: string, listener: (...args: never[]) => void): this;
		once(name: string, listener: (...args: never[]) => void): this;
		removeAllListeners(name?: string): this;
	}

	export interface PieceSet {
		get(index: number): boolean;
	}

	export interface Wire extends Events {
		readonly type: string;
		readonly peerPieces: PieceSet;
		destroy(): void;
		_parse(size: number, parser: unknown): void;
	}

	export interface File extends Events {
		readonly name: string;
		readonly path: string;
		readonly length: number;
		readonly offset: number;
		readonly type: string;
		readonly done: boolean;
		readonly downloaded: number;
		select(priority?: number): void;
		[Symbol.asyncIterator](range?: { start?: number; end?: number }): AsyncIterator<Uint8Array>;
	}

	export type ChunkRange = { offset?: number; length?: number };
	export type ChunkTaker = (error: Error | null, bytes?: Uint8Array) => void;

	/** abstract-chunk-store. */
	export interface ChunkStore {
		readonly chunkLength: number;
		put(index: number, bytes: Uint8Array, done?: (error: Error | null) => void): void;
		get(index: number, range: ChunkRange | ChunkTaker | null | undefined, done?: ChunkTaker): void;
		close(done?: (error: Error | null) => void): void;
		destroy(done?: (error: Error | null) => void): void;
	}

	export interface ChunkStoreOptions {
		readonly files: readonly { path: string; length: number; offset: number }[];
		readonly length: number;
	}

	export type ChunkStoreClass = new (chunkLength: number, options: ChunkStoreOptions) => ChunkStore;

	export interface TrackerUpdate {
		readonly announce: string;
		readonly complete?: number;
		readonly incomplete?: number;
	}

	/** One tracker of bittorrent-tracker's client. */
	export interface Tracker {
		readonly announceUrl: string;
		readonly destroyed: boolean;
		reconnecting?: boolean;
		reconnectTimer?: ReturnType<typeof setTimeout> | null;
		_openSocket?(): void;
	}

	export interface TrackerClient extends Events {
		_trackers: Tracker[];
		start(): void;
		stop(): void;
		update(): void;
		setInterval(milliseconds: number): void;
	}

	export interface Discovery extends Events {
		readonly tracker: TrackerClient | null;
	}

	export interface Torrent extends Events {
		readonly infoHash: string;
		readonly infoBuffer?: Uint8Array;
		readonly name?: string;
		readonly length?: number;
		readonly pieceLength: number;
		readonly torrentFile: Uint8Array | null;
		readonly announce: readonly string[];
		readonly urlList: readonly string[];
		readonly files: readonly File[];
		readonly pieces: readonly ({ readonly missing: number; readonly length: number } | null)[];
		readonly bitfield?: PieceSet;
		readonly wires: readonly Wire[];
		readonly ready: boolean;
		readonly destroyed: boolean;
		readonly downloadSpeed: number;
		readonly uploadSpeed: number;
		readonly downloaded: number;
		readonly received: number;
		readonly uploaded: number;
		readonly discovery: Discovery | null;
		readonly _peers: ReadonlyMap<string, unknown> | null;
		pause(): void;
		resume(): void;
		select(from: number, to: number, priority?: number): void;
		deselect(from: number, to: number): void;
		addPeer(peer: unknown): boolean;
		removePeer(id: string): void;
		addWebSeed(url: string): void;
		destroy(options: { destroyStore?: boolean }, done: () => void): void;
		_onMetadata(metadata: unknown): Promise<void>;
		_startDiscovery(): void;
		_debug(...values: unknown[]): void;
	}

	export interface AddOptions {
		announce?: readonly string[];
		path?: string;
		store?: ChunkStoreClass;
		storeCacheSlots?: number;
		skipVerify?: boolean;
		deselect?: boolean;
		paused?: boolean;
		alwaysChokeSeeders?: boolean;
		getAnnounceOpts?: () => object | undefined;
	}

	export interface ClientOptions {
		dht?: boolean;
		lsd?: boolean;
		utPex?: boolean;
		natUpnp?: boolean;
		natPmp?: boolean;
		utp?: boolean;
		maxConns?: number;
		torrentPort?: number;
		downloadLimit?: number;
		uploadLimit?: number;
		tracker?: { rtcConfig?: object; announce?: readonly string[] };
	}

	export default class WebTorrent implements Events {
		constructor(options?: ClientOptions);
		readonly torrents: readonly Torrent[];
		readonly torrentPort: number;
		readonly destroyed: boolean;
		on(name: string, listener: (...args: never[]) => void): this;
		once(name: string, listener: (...args: never[]) => void): this;
		removeAllListeners(name?: string): this;
		add(source: string | Uint8Array, options: AddOptions): Torrent;
		throttleDownload(bytesPerSecond: number): void;
		throttleUpload(bytesPerSecond: number): void;
		destroy(done: () => void): void;
	}
}

declare module '@thaunknown/simple-peer/lite.js' {
	export interface PeerSignal {
		readonly type?: string;
		readonly sdp?: string;
	}
	export default class Peer {
		readonly destroyed: boolean;
		readonly connected: boolean;
		_pc: {
			readonly iceGatheringState: string;
			addIceCandidate(candidate: { candidate: string; sdpMid: string }): Promise<void>;
		} | null;
		_iceComplete: boolean;
		emit(name: string): boolean;
		signal(data: PeerSignal): void;
		_onIceStateChange(): void;
	}
}

declare module 'memory-chunk-store' {
	import type { ChunkStoreClass } from 'webtorrent';
	const MemoryChunkStore: ChunkStoreClass;
	export default MemoryChunkStore;
}

declare module 'webrtc-polyfill' {
	/** The browser's own, or one on libdatachannel in Node. */
	export const RTCPeerConnection: typeof globalThis.RTCPeerConnection;
}
