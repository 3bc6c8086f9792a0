import type { ShoalErrorCode } from '../model/error.ts';
import type { FilePriority, TorrentFileStatus, TorrentStatus } from './status.ts';
import type { BlobFile } from './make-in-worker.ts';
import type { TorrentSource } from './torrent-source.ts';

/** What a patron may ask; each kind with its answer in `Answers`. */
export type Call =
	| { readonly op: 'add'; readonly source: TorrentSource; readonly options: PatronAddOptions }
	| {
			readonly op: 'seed';
			readonly torrentFile: Uint8Array;
			readonly files: readonly BlobFile[];
	  }
	| { readonly op: 'remove'; readonly infoHash: string; readonly data: boolean }
	| { readonly op: 'pause'; readonly infoHash: string }
	| { readonly op: 'resume'; readonly infoHash: string }
	| {
			readonly op: 'prioritise';
			readonly infoHash: string;
			readonly priorities: readonly (readonly [index: number, priority: FilePriority])[];
	  }
	| { readonly op: 'limit'; readonly downloadBps?: number; readonly uploadBps?: number }
	| { readonly op: 'list' }
	| { readonly op: 'files'; readonly infoHash: string }
	| { readonly op: 'torrent-file'; readonly infoHash: string }
	| { readonly op: 'blob'; readonly infoHash: string; readonly index: number }
	| {
			readonly op: 'read';
			readonly infoHash: string;
			readonly index: number;
			readonly start: number;
			readonly length: number;
	  };

/** What each call is answered with. */
export interface Answers {
	add: { readonly already: boolean; readonly status: TorrentStatus };
	seed: { readonly already: boolean; readonly status: TorrentStatus };
	remove: undefined;
	pause: undefined;
	resume: undefined;
	prioritise: undefined;
	limit: undefined;
	list: readonly TorrentStatus[];
	files: readonly TorrentFileStatus[];
	'torrent-file': Uint8Array | undefined;
	/** The stored file itself, when all of it is here and the store can hand it out. */
	blob: Blob | undefined;
	read: Uint8Array;
}

/** What a patron may say of a torrent it adds; plain data that can cross tabs. */
export interface PatronAddOptions {
	readonly paused?: boolean;
	readonly trackers?: readonly string[];
	readonly path?: string;
	readonly priorities?: readonly (readonly [index: number, priority: FilePriority])[];
}

/** What a patron is told of its own torrents. */
export type PatronEvent =
	| { readonly type: 'status'; readonly statuses: readonly TorrentStatus[] }
	| { readonly type: 'described'; readonly infoHash: string }
	| { readonly type: 'complete'; readonly infoHash: string }
	| {
			readonly type: 'failed';
			readonly infoHash: string;
			readonly code: ShoalErrorCode;
			readonly message: string;
	  }
	| { readonly type: 'removed'; readonly infoHash: string };

/** Patron to host. */
export type PatronMessage =
	/** Here I am; repeated whenever a new host speaks up. Patrons of one `owner` see the same torrents. */
	| { readonly type: 'hello'; readonly patron: string; readonly owner: string }
	| {
			readonly type: 'request';
			readonly patron: string;
			readonly id: number;
			readonly call: Call;
	  }
	| { readonly type: 'bye'; readonly patron: string };

/** Host to patron; `host` goes to all. */
export type HostMessage =
	| { readonly type: 'host' }
	| { readonly type: 'welcome'; readonly patron: string }
	| { readonly type: 'done'; readonly patron: string; readonly id: number; readonly value: unknown }
	| {
			readonly type: 'refused';
			readonly patron: string;
			readonly id: number;
			readonly code: ShoalErrorCode;
			readonly message: string;
	  }
	| { readonly type: 'event'; readonly patron: string; readonly event: PatronEvent };
