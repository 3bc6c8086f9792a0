import type { File, Torrent, TrackerUpdate, Wire } from 'webtorrent';
import { ShoalError } from '../model/error.ts';
import { checkInfoBytes, decodeMetainfo } from './metainfo.ts';
import { boundMessages } from './bound-messages.ts';
import type {
	FilePriority,
	TorrentActivity,
	TorrentFileStatus,
	TorrentStatus,
	TorrentTracker,
} from './status.ts';
import type { ResolvedSource } from './torrent-source.ts';
import { TrackerNudge } from './tracker-nudge.ts';
import { magnetOf } from './torrent-source.ts';

/** Counting copies looks at every piece of every peer; beyond this many it is left out. */
const MAX_COPIES_WORK = 2_000_000;
const PRIORITY: Record<Exclude<FilePriority, 'off'>, number> = { normal: 1, high: 2 };

/** What an entry tells its engine. */
export interface EntryEvents {
	/** Its description is known from now on. */
	onDescribed(): void;
	/** What was stored is checked, and exchange begins. */
	onReady(): void;
	/** All that is wanted is here. */
	onComplete(): void;
	/** It stopped by itself. */
	onFailed(error: ShoalError): void;
}

/** One torrent in the engine: a webtorrent torrent, what was asked for it, and its account. */
export class TorrentEntry {
	readonly source: ResolvedSource;
	readonly addedAtMs: number;
	kept: boolean | undefined;
	torrent: Torrent | undefined;
	failure: ShoalError | undefined;
	paused: boolean;
	readonly #priorities = new Map<number, FilePriority>();
	readonly #trackers = new Map<string, TorrentTracker>();
	readonly #events: EntryEvents;
	#description: { torrentFile: Uint8Array; private: boolean } | undefined;
	#nudge: TrackerNudge | undefined;
	#failedPieces = 0;
	#startBytes = 0;
	// Blocks alone; webtorrent's own counts have the protocol in them.
	#downloadedBytes = 0;
	#uploadedBytes = 0;
	#receivedBefore = 0;
	#hadIncoming = false;
	#complete = false;
	#lastDoneBytes = 0;
	#chosen: Set<number> | undefined;
	#watched: unknown;

	constructor(source: ResolvedSource, events: EntryEvents, options: { paused: boolean }) {
		this.source = source;
		this.#events = events;
		this.paused = options.paused;
		this.addedAtMs = Date.now();
		if (source.torrentFile && source.metainfo) {
			this.#description = { torrentFile: source.torrentFile, private: source.metainfo.private };
		}
		if (source.selected) this.#chosen = new Set(source.selected);
	}

	get infoHash(): string {
		return this.source.infoHash;
	}

	/** The .torrent file, once it is known. */
	get torrentFile(): Uint8Array | undefined {
		return this.#description?.torrentFile;
	}

	/** Takes charge of a webtorrent torrent that was just made for this entry. */
	attach(torrent: Torrent): void {
		this.torrent = torrent;
		this.failure = undefined;
		this.#complete = false;
		this.#nudge = new TrackerNudge(torrent);
		const describe = torrent._onMetadata.bind(torrent);
		// Before anything is built from it: a hostile description could name files outside the folder, or
		// claim a length that keeps the program busy for ever.
		torrent._onMetadata = async (metadata) => {
			try {
				const known = metadata as { infoBuffer?: Uint8Array };
				if (metadata instanceof Uint8Array) await decodeMetainfo(metadata);
				else if (known.infoBuffer) checkInfoBytes(known.infoBuffer);
			} catch (error) {
				this.#fail(torrent, error);
				return;
			}
			if (!torrent.destroyed) await describe(metadata);
		};
		torrent.on('error', (error: Error) => this.#fail(torrent, error));
		torrent.on('warning', (warning: Error) => this.#onWarning(warning));
		torrent.on('metadata', () => this.#onMetadata(torrent));
		torrent.on('ready', () => this.#onReady(torrent));
		torrent.on('verified', () => this.#checkComplete());
		const discover = torrent._startDiscovery.bind(torrent);
		torrent._startDiscovery = () => {
			discover();
			this.#watchTrackers(torrent);
		};
		torrent.on('wire', (wire: Wire) => {
			boundMessages(wire);
			if (wire.type.endsWith('Incoming')) this.#hadIncoming = true;
			wire.on('download', (bytes: number) => (this.#downloadedBytes += bytes));
			wire.on('upload', (bytes: number) => (this.#uploadedBytes += bytes));
		});
	}

	/** Parts with the webtorrent torrent; its account stays. */
	async detach(options: { destroyStore: boolean }): Promise<void> {
		const torrent = this.torrent;
		if (!torrent) return;
		this.torrent = undefined;
		this.#lastDoneBytes = this.#doneBytes(torrent);
		this.#nudge?.stop();
		if (torrent.destroyed) return;
		torrent.removeAllListeners('error');
		torrent.on('error', () => undefined);
		// A check that is under way still reports to its client, which is gone by then.
		torrent._debug = () => undefined;
		await new Promise<void>((resolve) => torrent.destroy(options, resolve));
	}

	/** Takes its description from somebody who has it, instead of waiting for peers. */
	describe(torrentFile: Uint8Array): void {
		if (this.#description || !this.torrent || this.torrent.destroyed) return;
		void this.torrent._onMetadata(torrentFile);
	}

	pause(): void {
		this.paused = true;
		const torrent = this.torrent;
		if (!torrent || torrent.destroyed) return;
		// webtorrent's own pause only refuses newcomers.
		torrent.pause();
		for (const id of [...(torrent._peers?.keys() ?? [])]) torrent.removePeer(id);
		torrent.discovery?.tracker?.stop();
		torrent.discovery?.tracker?.setInterval(0);
	}

	resume(): void {
		this.paused = false;
		const torrent = this.torrent;
		if (!torrent || torrent.destroyed) return;
		torrent.resume();
		for (const url of torrent.ready ? torrent.urlList : []) torrent.addWebSeed(url);
		torrent.discovery?.tracker?.start();
	}

	/** The priority of a file. */
	priorityOf(index: number): FilePriority {
		const set = this.#priorities.get(index);
		if (set) return set;
		return this.#chosen && !this.#chosen.has(index) ? 'off' : 'normal';
	}

	/** All priorities that differ from what the source asked for. */
	get priorities(): [index: number, priority: FilePriority][] {
		return [...this.#priorities];
	}

	setPriorities(priorities: Iterable<readonly [index: number, priority: FilePriority]>): void {
		for (const [index, priority] of priorities) this.#priorities.set(index, priority);
		if (this.torrent?.ready) this.#select(this.torrent);
		this.#complete = false;
		this.#checkComplete();
	}

	/** Looks after its trackers. Call about once a second. */
	tick(): void {
		if (this.paused) return;
		let others = 0;
		for (const { seeds = 0, peers = 0 } of this.#trackers.values()) {
			others = Math.max(others, seeds + peers - 1);
		}
		this.#nudge?.tick(Date.now(), others);
	}

	/** Everything about it now. */
	status(): TorrentStatus {
		const torrent = this.torrent;
		const wantedBytes = this.#wantedBytes();
		const doneBytes = torrent?.ready ? this.#doneBytes(torrent) : this.#lastDoneBytes;
		const downloadBps = this.#rate(torrent?.downloadSpeed);
		const missing = wantedBytes - doneBytes;
		const peers = torrent && !torrent.destroyed ? torrent.wires : [];
		return {
			infoHash: this.infoHash,
			name: this.name,
			activity: this.#activity(),
			failure: this.failure && { code: this.failure.code, message: this.failure.message },
			progress: wantedBytes > 0 ? doneBytes / wantedBytes : 0,
			lengthBytes: torrent?.length ?? this.source.metainfo?.lengthBytes ?? 0,
			wantedBytes,
			doneBytes,
			downloadBps,
			uploadBps: this.#rate(torrent?.uploadSpeed),
			downloadedBytes: this.#downloadedBytes,
			uploadedBytes: this.#uploadedBytes,
			wastedBytes: torrent?.ready ? this.#wastedBytes(torrent) : 0,
			timeLeftMs:
				missing <= 0 && wantedBytes > 0
					? 0
					: downloadBps > 0
						? (missing * 8000) / downloadBps
						: undefined,
			peers: peers.length,
			...this.#swarm(peers),
			hadIncoming: this.#hadIncoming,
			pieces: this.#pieces(),
			fileCount: torrent?.files.length || (this.source.metainfo?.files.length ?? 0),
			trackers: [...this.#trackers.values()],
			private: this.#description?.private ?? false,
			kept: this.kept,
			magnet: magnetOf({
				infoHash: this.infoHash,
				name: this.name === this.infoHash ? undefined : this.name,
				announce: torrent?.announce ?? this.source.announce,
				webSeeds: torrent?.urlList ?? this.source.webSeeds,
			}),
			addedAtMs: this.addedAtMs,
		};
	}

	/** Its files, or none until it is described. */
	files(): TorrentFileStatus[] {
		const described = this.torrent?.files ?? [];
		return described.map((file, index) => ({
			index,
			path: file.path,
			name: file.name,
			type: mimeOf(file),
			lengthBytes: file.length,
			doneBytes: this.torrent?.ready ? verifiedBytes(this.torrent, file) : 0,
			done: file.done,
			priority: this.priorityOf(index),
		}));
	}

	/** The name from the description, the link, or the infohash. */
	get name(): string {
		return this.torrent?.name || this.source.name || this.infoHash;
	}

	#activity(): TorrentActivity {
		if (this.failure) return 'failed';
		if (this.paused) return 'paused';
		if (!this.#description) return 'describing';
		if (!this.torrent?.ready) return 'checking';
		return this.#complete ? 'seeding' : 'downloading';
	}

	/** What came in since the check and is not in the store, nor in a piece under way. */
	#wastedBytes(torrent: Torrent): number {
		const received = this.#downloadedBytes - this.#receivedBefore;
		return Math.max(0, received - (torrent.downloaded - this.#startBytes));
	}

	#rate(bytesPerSecond: number | undefined): number {
		return this.paused || !bytesPerSecond ? 0 : Math.round(bytesPerSecond * 8);
	}

	#wantedBytes(): number {
		const files = this.torrent?.files.length
			? this.torrent.files.map((file) => file.length)
			: (this.source.metainfo?.files.map((file) => file.lengthBytes) ?? []);
		return files.reduce(
			(sum, length, index) => (this.priorityOf(index) === 'off' ? sum : sum + length),
			0,
		);
	}

	#doneBytes(torrent: Torrent): number {
		if (torrent.destroyed || !torrent.bitfield) return this.#lastDoneBytes;
		return torrent.files.reduce(
			(sum, file, index) =>
				this.priorityOf(index) === 'off' ? sum : sum + verifiedBytes(torrent, file),
			0,
		);
	}

	#swarm(wires: readonly Wire[]): { seeds: number; copies: number | undefined } {
		const total = this.torrent?.pieces.length ?? 0;
		if (total === 0 || wires.length * total > MAX_COPIES_WORK)
			return { seeds: 0, copies: undefined };
		const holders = new Uint16Array(total);
		let seeds = 0;
		for (const wire of wires) {
			let held = 0;
			for (let index = 0; index < total; index++) {
				if (!wire.peerPieces.get(index)) continue;
				held++;
				holders[index] = (holders[index] ?? 0) + 1;
			}
			if (held === total) seeds++;
		}
		let least = Infinity;
		for (const count of holders) least = Math.min(least, count);
		let above = 0;
		for (const count of holders) if (count > least) above++;
		return { seeds, copies: least + above / total };
	}

	#pieces(): TorrentStatus['pieces'] {
		const torrent = this.torrent;
		const total = torrent?.pieces.length || (this.source.metainfo?.pieceCount ?? 0);
		let verified = 0;
		let partial = 0;
		for (let index = 0; torrent?.bitfield && index < total; index++) {
			const piece = torrent.pieces[index];
			if (torrent.bitfield.get(index)) verified++;
			else if (piece && piece.missing < piece.length) partial++;
		}
		const lengthBytes = torrent?.pieceLength ?? this.source.metainfo?.pieceLength ?? 0;
		return { total, verified, partial, failed: this.#failedPieces, lengthBytes };
	}

	#onMetadata(torrent: Torrent): void {
		const torrentFile = torrent.torrentFile;
		if (!torrentFile) return;
		const isPrivate = (torrent as { private?: boolean }).private === true;
		const first = !this.#description;
		this.#description = { torrentFile, private: isPrivate };
		if (first) this.#events.onDescribed();
	}

	#onReady(torrent: Torrent): void {
		this.#startBytes = torrent.downloaded;
		this.#receivedBefore = this.#downloadedBytes;
		this.#select(torrent);
		// A torrent that was paused while it was being checked must not announce itself.
		if (this.paused) this.pause();
		this.#events.onReady();
		this.#checkComplete();
	}

	/** Tells webtorrent which pieces to fetch; pieces shared with an unwanted file come along. */
	#select(torrent: Torrent): void {
		if (torrent.pieces.length === 0) return;
		torrent.deselect(0, torrent.pieces.length - 1);
		torrent.files.forEach((file, index) => {
			const priority = this.priorityOf(index);
			if (priority !== 'off' && !file.done) file.select(PRIORITY[priority]);
		});
	}

	#checkComplete(): void {
		const torrent = this.torrent;
		if (this.#complete || !torrent?.ready || torrent.destroyed) return;
		queueMicrotask(() => {
			if (this.#complete || torrent !== this.torrent || torrent.destroyed) return;
			// Zero-byte files are done from the start, but a torrent with nothing wanted isn't complete.
			const wanted = torrent.files.filter((_, index) => this.priorityOf(index) !== 'off');
			if (wanted.length === 0 || !wanted.every((file) => file.done)) return;
			this.#complete = true;
			this.#events.onComplete();
		});
	}

	#watchTrackers(torrent: Torrent): void {
		const client = torrent.discovery?.tracker;
		if (!client || this.#watched === client) return;
		this.#watched = client;
		for (const url of torrent.announce) {
			this.#trackers.set(url, {
				url,
				state: 'asking',
				detail: undefined,
				seeds: undefined,
				peers: undefined,
			});
		}
		client.on('update', (update: TrackerUpdate) => {
			const url = [...this.#trackers.keys()].find((known) => sameUrl(known, update.announce));
			if (!url) return;
			const [seeds, peers] = [update.complete, update.incomplete];
			this.#trackers.set(url, { url, state: 'answered', detail: undefined, seeds, peers });
		});
	}

	#onWarning(warning: Error): void {
		if (/^Piece \d+ failed verification/.test(warning.message)) this.#failedPieces++;
		for (const [url, tracker] of this.#trackers) {
			const lost = this.#watchedTracker(url)?.reconnecting === true;
			// One tracker alone can be meant by a warning that names none.
			if (!lost && !warning.message.includes(url) && this.#trackers.size > 1) continue;
			if (tracker.state === 'answered' && !lost) continue;
			if (/^Connection error|^Piece /.test(warning.message)) continue;
			this.#trackers.set(url, { ...tracker, state: 'failed', detail: plain(warning.message) });
		}
	}

	#watchedTracker(url: string) {
		const trackers = this.torrent?.discovery?.tracker?._trackers ?? [];
		return trackers.find((tracker) => sameUrl(tracker.announceUrl, url));
	}

	#fail(torrent: Torrent, cause: unknown): void {
		if (torrent !== this.torrent || this.failure) return;
		this.failure = explainFailure(cause);
		void this.detach({ destroyStore: false }).then(() => {
			if (this.failure) this.#events.onFailed(this.failure);
		});
	}
}

/** Bytes of a file that lie in verified pieces. (webtorrent's own count is off where a file ends with a piece.) */
function verifiedBytes(torrent: Torrent, file: File): number {
	const { bitfield, pieceLength } = torrent;
	if (!bitfield || file.length === 0) return 0;
	const end = file.offset + file.length;
	let bytes = 0;
	for (let index = Math.floor(file.offset / pieceLength); index * pieceLength < end; index++) {
		if (!bitfield.get(index)) continue;
		const from = Math.max(file.offset, index * pieceLength);
		bytes += Math.min(end, (index + 1) * pieceLength) - from;
	}
	return bytes;
}

/** The MIME type of a file; webtorrent's table lacks some that browsers play. */
function mimeOf(file: File): string {
	if (/\.mkv$/i.test(file.name)) return 'video/x-matroska';
	return file.type;
}

function sameUrl(a: string, b: string): boolean {
	return a.replace(/\/$/, '') === b.replace(/\/$/, '');
}

/** A message from outside as people may see it. */
function plain(message: string): string {
	// eslint-disable-next-line no-control-regex -- they are what is taken out
	return message.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').slice(0, 200);
}

function explainFailure(cause: unknown): ShoalError {
	if (cause instanceof ShoalError) return cause;
	const error = cause instanceof Error ? cause : new Error(String(cause));
	const code = (error as { code?: string }).code;
	if (error.name === 'QuotaExceededError' || code === 'ENOSPC' || code === 'EDQUOT') {
		return new ShoalError(
			'storage-failed',
			'The disk is full. What has come in is kept; make room and resume',
			{ cause },
		);
	}
	if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
		return new ShoalError('storage-failed', 'The folder can’t be written to', { cause });
	}
	if (code?.startsWith('E') && code.length < 12) {
		return new ShoalError('storage-failed', `The disk refuses: ${plain(error.message)}`, { cause });
	}
	return new ShoalError('bad-torrent', plain(error.message), { cause });
}
