import type {
	ChunkRange,
	ChunkStore,
	ChunkStoreClass,
	ChunkStoreOptions,
	ChunkTaker,
} from 'webtorrent';
import type { BlobFile } from './make-in-worker.ts';
import { fileRanges } from './file-ranges.ts';
import type { VaultCall, VaultReply } from './opfs-message.ts';

type Done = (error: Error | null) => void;

/**
 * Torrents' files in the origin's private file system, each torrent in a folder of its own. (webtorrent's own store keeps
 * one file per piece, and its option for whole files is broken in 3.0.21.) Browsers only; see `isVaultSupported`.
 */
export class OpfsVault {
	readonly #worker: Worker;
	readonly #waiting = new Map<
		number,
		{ resolve: (value: unknown) => void; reject: (error: Error) => void }
	>();
	#calls = 0;

	constructor() {
		this.#worker = new Worker(new URL('./opfs.worker.ts', import.meta.url), { type: 'module' });
		this.#worker.onmessage = ({ data }: MessageEvent<VaultReply>) => {
			const waiting = this.#waiting.get(data.id);
			this.#waiting.delete(data.id);
			if (data.ok) waiting?.resolve(data.value);
			else waiting?.reject(Object.assign(new Error(data.message), { name: data.name }));
		};
		this.#worker.onerror = (event) => {
			const error = new Error(event.message || 'the storage worker broke');
			for (const { reject } of this.#waiting.values()) reject(error);
			this.#waiting.clear();
		};
	}

	/** A store for a torrent's pieces. */
	storeFor(infoHash: string): ChunkStoreClass {
		return fileStore({
			// A copy: the engine goes on using its own.
			write: (index, at, bytes) =>
				this.#ask({ op: 'write', infoHash, index, at, bytes: bytes.slice() }),
			read: (index, at, length) => this.#ask({ op: 'read', infoHash, index, at, length }),
			close: () => this.#ask({ op: 'close', infoHash }),
			erase: () => this.delete(infoHash),
		});
	}

	/** A store that reads a torrent's files where the person has them. Nothing is written to them. */
	storeOf(infoHash: string, files: readonly BlobFile[]): ChunkStoreClass {
		return fileStore({
			write: () => Promise.resolve(),
			read: async (index, at, length) => {
				const part = files[index]?.blob.slice(at, at + length);
				return new Uint8Array((await part?.arrayBuffer()) ?? new ArrayBuffer());
			},
			close: () => Promise.resolve(),
			erase: () => this.delete(infoHash),
		});
	}

	/** Copies whole files in; rejects with `QuotaExceededError` when there is no room, and takes back what it copied. */
	async copy(infoHash: string, files: readonly BlobFile[]): Promise<void> {
		try {
			for (const [index, { blob }] of files.entries()) {
				await this.#ask({ op: 'copy', infoHash, index, blob });
			}
			await this.#ask({ op: 'close', infoHash });
		} catch (error) {
			await this.delete(infoHash);
			throw error;
		}
	}

	/** A stored file, without reading it; only for files that are complete. */
	blob(infoHash: string, index: number): Promise<Blob> {
		return this.#ask({ op: 'blob', infoHash, index });
	}

	/** Deletes a torrent's files. */
	delete(infoHash: string): Promise<void> {
		return this.#ask({ op: 'delete', infoHash });
	}

	/** The torrents that something is stored of. */
	list(): Promise<string[]> {
		return this.#ask({ op: 'list' });
	}

	#ask<T>(call: VaultCall): Promise<T> {
		return new Promise((resolve, reject) => {
			const id = ++this.#calls;
			this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
			const transfer = call.op === 'write' ? [call.bytes.buffer as ArrayBuffer] : [];
			this.#worker.postMessage({ id, call }, transfer);
		});
	}
}

/** Whether this browser has a private file system that workers can write to. */
export function isVaultSupported(): boolean {
	return (
		typeof Worker !== 'undefined' &&
		typeof FileSystemFileHandle !== 'undefined' &&
		'getDirectory' in (navigator.storage ?? {})
	);
}

/** How a store reaches its files, each by its number in the torrent. */
interface FileAccess {
	write(index: number, at: number, bytes: Uint8Array): Promise<void>;
	read(index: number, at: number, length: number): Promise<Uint8Array>;
	close(): Promise<void>;
	erase(): Promise<void>;
}

/** abstract-chunk-store over whole files. */
function fileStore(access: FileAccess): ChunkStoreClass {
	return class implements ChunkStore {
		readonly chunkLength: number;
		readonly #options: ChunkStoreOptions;

		constructor(chunkLength: number, options: ChunkStoreOptions) {
			this.chunkLength = chunkLength;
			this.#options = options;
		}

		put(piece: number, bytes: Uint8Array, done: Done = () => undefined): void {
			const ranges = fileRanges(this.#options.files, piece * this.chunkLength, bytes.length);
			Promise.all(
				ranges.map(({ index, at, length, from }) =>
					access.write(index, at, bytes.subarray(from, from + length)),
				),
			).then(() => done(null), done);
		}

		get(
			piece: number,
			given: ChunkRange | ChunkTaker | null | undefined,
			taker?: ChunkTaker,
		): void {
			// The range may be left out altogether.
			const [range, done] = typeof given === 'function' ? [undefined, given] : [given, taker];
			if (!done) throw new TypeError('nobody takes the bytes');
			const offset = range?.offset ?? 0;
			const start = piece * this.chunkLength + offset;
			const rest = Math.min(this.chunkLength - offset, this.#options.length - start);
			const bytes = new Uint8Array(range?.length ?? rest);
			Promise.all(
				fileRanges(this.#options.files, start, bytes.length).map(async (part) => {
					const got = await access.read(part.index, part.at, part.length);
					if (got.length !== part.length) throw new Error('nothing is stored there yet');
					bytes.set(got, part.from);
				}),
			).then(
				() => done(null, bytes),
				(error: Error) => done(error),
			);
		}

		close(done: Done = () => undefined): void {
			access.close().then(() => done(null), done);
		}

		destroy(done: Done = () => undefined): void {
			access.erase().then(() => done(null), done);
		}
	};
}
