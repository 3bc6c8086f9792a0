import { ShoalError } from '../model/error.ts';
import { Emitter } from '../util/emitter.ts';
import type { BlobFile } from './make-in-worker.ts';
import type {
	Answers,
	Call,
	HostMessage,
	PatronAddOptions,
	PatronEvent,
	PatronMessage,
} from './service-message.ts';
import type { FilePriority, TorrentFileStatus, TorrentStatus } from './status.ts';
import type { TorrentSource } from './torrent-source.ts';

type Events = { [Type in PatronEvent['type']]: Extract<PatronEvent, { type: Type }> };

interface Waiting {
	readonly call: Call;
	resolve(value: unknown): void;
	reject(error: ShoalError): void;
}

const READ_BYTES = 512 * 1024;

/**
 * One user of the shared engine (Kamaelia's TorrentPatron): sees and changes its own torrents only. Every method that
 * names a torrent throws `bad-torrent` when it isn't in its list, and `closed` after `close()`.
 */
export class TorrentPatron extends Emitter<Events> {
	readonly id = crypto.randomUUID();
	readonly #owner: string;
	readonly #send: (message: PatronMessage) => void;
	readonly #onClose: () => void;
	readonly #waiting = new Map<number, Waiting>();
	#requests = 0;
	#welcome = false;
	#closed = false;

	/** Made by a `TorrentService`; `send` carries messages to the host. */
	constructor(options: {
		owner?: string;
		send: (message: PatronMessage) => void;
		onClose: () => void;
	}) {
		super();
		this.#owner = options.owner ?? this.id;
		this.#send = options.send;
		this.#onClose = options.onClose;
	}

	/** Adds a torrent; `already` says that it was there before, with its state now. */
	add(source: TorrentSource, options: PatronAddOptions = {}): Promise<Answers['add']> {
		return this.#ask({ op: 'add', source, options });
	}

	/** Seeds files that a torrent was made of. Browsers only; Node seeds by adding with a `path`. */
	seed(torrentFile: Uint8Array, files: readonly BlobFile[]): Promise<Answers['seed']> {
		return this.#ask({ op: 'seed', torrentFile, files });
	}

	/** Lets go of a torrent; with `data`, and when no other owner has it, its stored bytes are deleted. */
	async remove(infoHash: string, { data = false } = {}): Promise<void> {
		await this.#ask({ op: 'remove', infoHash, data });
	}

	async pause(infoHash: string): Promise<void> {
		await this.#ask({ op: 'pause', infoHash });
	}

	async resume(infoHash: string): Promise<void> {
		await this.#ask({ op: 'resume', infoHash });
	}

	/** Chooses which files are fetched, and which first. */
	async prioritise(
		infoHash: string,
		priorities: readonly (readonly [index: number, priority: FilePriority])[],
	): Promise<void> {
		await this.#ask({ op: 'prioritise', infoHash, priorities });
	}

	/** Limits for the whole engine, bits per second; left out means none. */
	async limit(limits: { downloadBps?: number; uploadBps?: number }): Promise<void> {
		await this.#ask({ op: 'limit', ...limits });
	}

	/** All its torrents. */
	list(): Promise<readonly TorrentStatus[]> {
		return this.#ask({ op: 'list' });
	}

	files(infoHash: string): Promise<readonly TorrentFileStatus[]> {
		return this.#ask({ op: 'files', infoHash });
	}

	/** The .torrent file, once known. */
	torrentFile(infoHash: string): Promise<Uint8Array | undefined> {
		return this.#ask({ op: 'torrent-file', infoHash });
	}

	/** A whole file: without a copy where the store can hand it out, else read into memory. Waits until it is here. */
	async blob(infoHash: string, index: number, type = ''): Promise<Blob> {
		const stored = await this.#ask({ op: 'blob', infoHash, index });
		if (stored) return stored.slice(0, stored.size, type);
		const parts: Uint8Array<ArrayBuffer>[] = [];
		for await (const part of this.read(infoHash, index)) parts.push(part.slice());
		return new Blob(parts, { type });
	}

	/** Bytes of a file in order from `start` up to, and without, `end`, each part as soon as it is here. */
	async *read(infoHash: string, index: number, start = 0, end = Infinity) {
		for (let at = start; at < end;) {
			const part = await this.readAt(infoHash, index, at, end - at);
			if (part.length === 0) return;
			at += part.length;
			yield part;
		}
	}

	/** Some bytes of a file from `start` on, at most `length`; empty at its end. Waits until they are here. */
	readAt(infoHash: string, index: number, start: number, length: number): Promise<Uint8Array> {
		const most = Math.min(length, READ_BYTES);
		return this.#ask({ op: 'read', infoHash, index, start, length: most });
	}

	/** Lets go of everything; what is kept stays kept. Idempotent. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#send({ type: 'bye', patron: this.id });
		for (const { reject } of this.#waiting.values()) {
			reject(new ShoalError('closed', 'the patron was closed'));
		}
		this.#waiting.clear();
		this.removeAllListeners();
		this.#onClose();
	}

	/** Rejects what waits: no engine can be had. Called by the service. */
	refuseAll(cause: unknown): void {
		const waiting = [...this.#waiting.values()];
		this.#waiting.clear();
		const why = new ShoalError('storage-failed', 'Torrents can’t be opened here. Try again', {
			cause,
		});
		for (const { reject } of waiting) reject(why);
	}

	/** Introduces itself to the host. Called by the service. */
	hello(): void {
		this.#welcome = false;
		this.#send({ type: 'hello', patron: this.id, owner: this.#owner });
	}

	/** Takes a message from the host. Called by the service. */
	receive(message: HostMessage): void {
		if (this.#closed) return;
		if (message.type === 'host') {
			this.hello(); // the engine moved to another page
			return;
		}
		if (message.patron !== this.id) return;
		switch (message.type) {
			case 'welcome':
				if (this.#welcome) return;
				this.#welcome = true;
				// What an earlier host left unanswered is asked again; adding twice only says `already`.
				for (const [id, { call }] of this.#waiting) this.#request(id, call);
				return;
			case 'done':
				this.#take(message.id)?.resolve(message.value);
				return;
			case 'refused':
				this.#take(message.id)?.reject(new ShoalError(message.code, message.message));
				return;
			case 'event':
				this.emit(message.event.type, message.event);
		}
	}

	#ask<Op extends Call['op']>(call: Extract<Call, { op: Op }>): Promise<Answers[Op]> {
		return new Promise((resolve, reject) => {
			if (this.#closed) {
				reject(new ShoalError('closed', 'the patron was closed'));
				return;
			}
			const id = ++this.#requests;
			this.#waiting.set(id, { call, resolve: resolve, reject });
			if (this.#welcome) this.#request(id, call);
		});
	}

	#request(id: number, call: Call): void {
		this.#send({ type: 'request', patron: this.id, id, call });
	}

	#take(id: number): Waiting | undefined {
		const waiting = this.#waiting.get(id);
		this.#waiting.delete(id);
		return waiting;
	}
}
