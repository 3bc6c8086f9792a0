import type { ShoalErrorCode } from '../model/error.ts';

/** What a torrent is doing. */
export type TorrentActivity =
	/** Its description is being asked from peers. */
	| 'describing'
	/** What is stored already is being checked against the hashes. */
	| 'checking'
	| 'downloading'
	/** All that is wanted is here and is passed on. */
	| 'seeding'
	| 'paused'
	/** It stopped; `failure` says why. Resuming tries again, and keeps what is here. */
	| 'failed';

/** How urgently a file is fetched. */
export type FilePriority = 'off' | 'normal' | 'high';

/** Whether a tracker has answered. */
export interface TorrentTracker {
	readonly url: string;
	readonly state: 'asking' | 'answered' | 'failed';
	/** Why it failed, in the tracker's or the network's words. */
	readonly detail: string | undefined;
	/** Peers with everything, by its count. */
	readonly seeds: number | undefined;
	/** Peers still fetching, by its count. */
	readonly peers: number | undefined;
}

/** All about one torrent at one moment; plain data that can be cloned and sent. */
export interface TorrentStatus {
	/** 40 hexadecimal digits. */
	readonly infoHash: string;
	/** Its name, or the infohash until that is known. */
	readonly name: string;
	readonly activity: TorrentActivity;
	readonly failure: { readonly code: ShoalErrorCode; readonly message: string } | undefined;
	/** Part of the wanted files that is here and verified, 0 to 1. */
	readonly progress: number;
	/** Length of everything in it, 0 until described. */
	readonly lengthBytes: number;
	/** Length of the wanted files. */
	readonly wantedBytes: number;
	/** Part of them that is here. */
	readonly doneBytes: number;
	readonly downloadBps: number;
	readonly uploadBps: number;
	/** Received from peers since it was added. */
	readonly downloadedBytes: number;
	/** Sent to peers since it was added. */
	readonly uploadedBytes: number;
	/** Received for nothing: twice, or failing its hash. */
	readonly wastedBytes: number;
	/** Until all that is wanted is here; `undefined` while nothing comes in. */
	readonly timeLeftMs: number | undefined;
	/** Peers connected. */
	readonly peers: number;
	/** Those of them who have everything. */
	readonly seeds: number;
	/** Copies of the whole torrent among the connected peers; 1.3 is one, and 30 % of the pieces twice. */
	readonly copies: number | undefined;
	/** Whether any peer reached us by itself. */
	readonly hadIncoming: boolean;
	readonly pieces: {
		readonly total: number;
		readonly verified: number;
		/** Begun, and not complete. */
		readonly partial: number;
		/** Came in with wrong bytes and were fetched again. */
		readonly failed: number;
		readonly lengthBytes: number;
	};
	readonly fileCount: number;
	readonly trackers: readonly TorrentTracker[];
	readonly private: boolean;
	/** Whether it will be there again after a reload; `undefined` where nothing is kept. */
	readonly kept: boolean | undefined;
	readonly magnet: string;
	readonly addedAtMs: number;
}

/** One file of a torrent at one moment. */
export interface TorrentFileStatus {
	readonly index: number;
	/** Path below the download folder, with `/`. */
	readonly path: string;
	readonly name: string;
	/** MIME type by its name. */
	readonly type: string;
	readonly lengthBytes: number;
	readonly doneBytes: number;
	readonly done: boolean;
	readonly priority: FilePriority;
}
