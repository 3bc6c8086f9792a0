import type WebTorrent from 'webtorrent';
import type { AddOptions, ChunkStoreClass } from 'webtorrent';
import { ShoalError } from '../model/error.ts';
import { Emitter } from '../util/emitter.ts';
import { loadWebTorrent } from './load-webtorrent.ts';
import type { FilePriority, TorrentFileStatus, TorrentStatus } from './status.ts';
import { TorrentEntry } from './torrent-entry.ts';
import type { ResolvedSource, TorrentSource } from './torrent-source.ts';
import { magnetOf, resolveSource } from './torrent-source.ts';

/** Where pieces are kept: webtorrent's store for a torrent (abstract-chunk-store). */
export type StoreClass = ChunkStoreClass;

/** How an engine works; everything optional. */
export interface TorrentEngineOptions {
	/** Trackers that every torrent that isn't private is announced to as well. */
	readonly trackers?: readonly string[];
	readonly iceServers?: readonly object[];
	/** Folder that files go to, where there are folders (Node). */
	readonly path?: string;
	/** Where a torrent's pieces are kept. @default the package's own: the folder, or memory */
	readonly storeFor?: (infoHash: string) => StoreClass | undefined;
	/** Most bits per second taken in. @default unbounded */
	readonly downloadLimitBps?: number;
	/** Most bits per second given. @default unbounded */
	readonly uploadLimitBps?: number;
	/** Discovery beyond trackers; none of it exists in browsers. @default all off */
	readonly network?: { readonly dht?: boolean; readonly local?: boolean; readonly upnp?: boolean };
	/** Milliseconds between `status` events. @default 1000 */
	readonly statusMs?: number;
	readonly fetch?: typeof fetch;
}

/** What is asked for a torrent that is added. */
export interface TorrentAddOptions {
	readonly paused?: boolean;
	/** More trackers, for this torrent. */
	readonly trackers?: readonly string[];
	/** Folder for its files, where there are folders. */
	readonly path?: string;
	readonly priorities?: readonly (readonly [index: number, priority: FilePriority])[];
	/** Where its pieces are, or go. */
	readonly store?: StoreClass;
	/** Whether the store is known to hold everything, so that no hash needs checking. */
	readonly complete?: boolean;
}

/** Answer to an add: `already` when somebody had added the same torrent before. */
export interface TorrentAdded {
	readonly already: boolean;
	readonly status: TorrentStatus;
}

interface EngineEvents {
	/** Every torrent, each `statusMs`. */
	status: readonly TorrentStatus[];
	/** The description came, from now on there are files. */
	described: { infoHash: string };
	/** All that is wanted is here. */
	complete: { infoHash: string };
	failed: { infoHash: string; error: ShoalError };
	removed: { infoHash: string; data: boolean };
}

/** Most bytes one `read` returns. */
export const MAX_READ_BYTES = 1024 * 1024;

/**
 * The one engine that fetches and seeds plain torrents (Kamaelia's TorrentClient). It knows nothing of who asked:
 * `TorrentService` shares it between any number of patrons.
 */
export class TorrentEngine extends Emitter<EngineEvents> {
	readonly #options: TorrentEngineOptions;
	readonly #client: WebTorrent;
	readonly #entries = new Map<string, TorrentEntry>();
	readonly #adds = new Map<string, TorrentAddOptions>();
	readonly #ticker: ReturnType<typeof setInterval>;
	#closing: Promise<void> | undefined;

	/** Loads webtorrent and starts an engine. */
	static async open(options: TorrentEngineOptions = {}): Promise<TorrentEngine> {
		return new TorrentEngine(await loadWebTorrent(), options);
	}

	private constructor(WebTorrentClass: typeof WebTorrent, options: TorrentEngineOptions) {
		super();
		this.#options = options;
		const { network = {} } = options;
		this.#client = new WebTorrentClass({
			dht: network.dht ?? false,
			lsd: network.local ?? false,
			utPex: network.dht ?? false,
			natUpnp: network.upnp ?? false,
			natPmp: network.upnp ?? false,
			utp: false, // a native module less that could take the process down
			downloadLimit: toBytes(options.downloadLimitBps),
			uploadLimit: toBytes(options.uploadLimitBps),
			tracker: { rtcConfig: { iceServers: options.iceServers ?? [] } },
		});
		// An error that no torrent's listener takes ends the whole client.
		this.#client.on('error', (error: Error) => this.#onClientError(error));
		this.#ticker = setInterval(() => this.#tick(), options.statusMs ?? 1000);
		(this.#ticker as { unref?: () => void }).unref?.();
	}

	/** Adds a torrent, or finds it added already. Throws `bad-torrent`, `closed`. */
	async add(source: TorrentSource, options: TorrentAddOptions = {}): Promise<TorrentAdded> {
		const resolved = await resolveSource(source, this.#options.fetch);
		if (this.#closing) throw new ShoalError('closed', 'the engine is closed');
		const known = this.#entries.get(resolved.infoHash);
		if (known) {
			if (resolved.torrentFile) known.describe(resolved.torrentFile);
			return { already: true, status: known.status() };
		}
		const entry = this.#makeEntry(resolved, options.paused ?? false);
		this.#entries.set(resolved.infoHash, entry);
		this.#adds.set(resolved.infoHash, options);
		if (options.priorities) entry.setPriorities(options.priorities);
		this.#start(entry);
		return { already: false, status: entry.status() };
	}

	/** Takes a torrent out, and with `data` deletes what was stored of it. Throws `bad-torrent` for an unknown one. */
	async remove(infoHash: string, { data = false } = {}): Promise<void> {
		const entry = this.#entry(infoHash);
		this.#entries.delete(infoHash);
		this.#adds.delete(infoHash);
		await entry.detach({ destroyStore: data });
		this.emit('removed', { infoHash, data });
	}

	/** Stops all exchange for a torrent; what is here stays. */
	pause(infoHash: string): void {
		this.#entry(infoHash).pause();
	}

	/** Goes on with a paused torrent, or tries a failed one again: what is stored is checked and kept. */
	async resume(infoHash: string): Promise<void> {
		const entry = this.#entry(infoHash);
		if (!entry.failure) {
			entry.resume();
			return;
		}
		entry.paused = false;
		await entry.detach({ destroyStore: false });
		if (this.#entries.get(infoHash) === entry && !entry.torrent) this.#start(entry);
	}

	/** Chooses which files are fetched, and which first. */
	setPriorities(
		infoHash: string,
		priorities: Iterable<readonly [index: number, priority: FilePriority]>,
	): void {
		this.#entry(infoHash).setPriorities(priorities);
	}

	/** Marks whether a torrent will be there again after a restart. */
	setKept(infoHash: string, kept: boolean): void {
		const entry = this.#entries.get(infoHash);
		if (entry) entry.kept = kept;
	}

	/** Limits for all torrents together, bits per second; `undefined` for none. */
	setLimits(limits: { downloadBps?: number; uploadBps?: number }): void {
		this.#client.throttleDownload(toBytes(limits.downloadBps) ?? -1);
		this.#client.throttleUpload(toBytes(limits.uploadBps) ?? -1);
	}

	has(infoHash: string): boolean {
		return this.#entries.has(infoHash);
	}

	status(infoHash: string): TorrentStatus {
		return this.#entry(infoHash).status();
	}

	/** The files of a torrent; none until it is described. */
	files(infoHash: string): TorrentFileStatus[] {
		return this.#entry(infoHash).files();
	}

	/** The .torrent file, once known. */
	torrentFile(infoHash: string): Uint8Array | undefined {
		return this.#entry(infoHash).torrentFile;
	}

	/** Priorities that were set, for keeping. */
	priorities(infoHash: string): [index: number, priority: FilePriority][] {
		return this.#entry(infoHash).priorities;
	}

	/**
	 * Bytes of a file from `start` on, at least one and at most `length`, as soon as they are here; asks peers
	 * for them first. Empty at the end of the file. Throws `closed` when the torrent goes away meanwhile.
	 */
	async read(infoHash: string, index: number, start: number, length: number): Promise<Uint8Array> {
		const entry = this.#entry(infoHash);
		const file = entry.torrent?.files[index];
		if (!file) throw new ShoalError('bad-torrent', 'There is no such file in this torrent');
		if (start < 0 || start >= file.length || length < 1) return new Uint8Array();
		const end = Math.min(start + Math.min(length, MAX_READ_BYTES), file.length) - 1;
		// With `end` 0 webtorrent would read to the end of the file.
		const iterator = file[Symbol.asyncIterator]({ start, end: Math.max(end, 1) });
		const parts: Uint8Array[] = [];
		let got = 0;
		try {
			while (got < end - start + 1) {
				const next = await iterator.next();
				if (next.done) break;
				parts.push(next.value);
				got += next.value.length;
			}
		} finally {
			await iterator.return?.();
		}
		if (got === 0) throw new ShoalError('closed', 'The torrent was removed or stopped');
		const bytes = new Uint8Array(got);
		let at = 0;
		for (const part of parts) {
			bytes.set(part, at);
			at += part.length;
		}
		return bytes.length > end - start + 1 ? bytes.subarray(0, end - start + 1) : bytes;
	}

	/** Ends all torrents and connections, keeping data; idempotent. */
	close(): Promise<void> {
		return (this.#closing ??= this.#close());
	}

	async #close(): Promise<void> {
		clearInterval(this.#ticker);
		await Promise.all(
			[...this.#entries.values()].map((entry) => entry.detach({ destroyStore: false })),
		);
		this.#entries.clear();
		if (!this.#client.destroyed) {
			await new Promise<void>((resolve) => this.#client.destroy(resolve));
		}
		this.removeAllListeners();
	}

	#makeEntry(resolved: ResolvedSource, paused: boolean): TorrentEntry {
		const { infoHash } = resolved;
		return new TorrentEntry(
			resolved,
			{
				onDescribed: () => this.emit('described', { infoHash }),
				onReady: () => undefined,
				onComplete: () => this.emit('complete', { infoHash }),
				onFailed: (error) => this.emit('failed', { infoHash, error }),
			},
			{ paused },
		);
	}

	#start(entry: TorrentEntry): void {
		const { infoHash, source } = entry;
		const asked = this.#adds.get(infoHash) ?? {};
		const isPrivate = source.metainfo?.private === true;
		const announce = isPrivate
			? []
			: [...(asked.trackers ?? []), ...(this.#options.trackers ?? [])];
		const store = asked.store ?? this.#options.storeFor?.(infoHash);
		const path = asked.path ?? this.#options.path;
		const options: AddOptions = {
			announce,
			// Which pieces are fetched is chosen when the torrent is ready.
			deselect: true,
			paused: entry.paused,
			// webtorrent takes every new peer for a seeder and would choke it for 10 s.
			alwaysChokeSeeders: false,
			skipVerify: asked.complete ?? false,
			// A paused torrent offers nobody a connection.
			getAnnounceOpts: () => (entry.paused ? { numwant: 0 } : undefined),
			...(store && { store }),
			...(path !== undefined && { path }),
		};
		// With a description in hand (from a file, or from peers before a failure) nobody need be asked for it.
		const given = entry.torrentFile ?? magnetOf(source);
		entry.attach(this.#client.add(given, options));
	}

	#entry(infoHash: string): TorrentEntry {
		const entry = this.#entries.get(infoHash);
		if (!entry) throw new ShoalError('bad-torrent', 'This torrent is not in the list');
		return entry;
	}

	#tick(): void {
		for (const entry of this.#entries.values()) entry.tick();
		this.emit(
			'status',
			[...this.#entries.values()].map((entry) => entry.status()),
		);
	}

	#onClientError(cause: Error): void {
		const error = new ShoalError('bad-torrent', cause.message, { cause });
		for (const infoHash of this.#entries.keys()) this.emit('failed', { infoHash, error });
	}
}

function toBytes(bitsPerSecond: number | undefined): number | undefined {
	return bitsPerSecond === undefined ? undefined : Math.max(1, Math.floor(bitsPerSecond / 8));
}
