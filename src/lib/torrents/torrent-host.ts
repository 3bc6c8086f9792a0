import { ShoalError } from '../model/error.ts';
import { decodeMetainfo } from './metainfo.ts';
import type { BlobFile } from './make-in-worker.ts';
import type { Answers, Call, HostMessage, PatronEvent, PatronMessage } from './service-message.ts';
import type { TorrentEngine } from './torrent-engine.ts';
import type { StoreClass } from './torrent-engine.ts';

/** What a host needs where torrents outlive their patrons (browsers): lists and stores that survive a reload. */
export interface Keeping {
	/** What was kept, to be added again. */
	load(): Promise<readonly KeptTorrent[]>;
	save(torrent: KeptTorrent): Promise<void>;
	forget(infoHash: string): Promise<void>;
	/** A store that reads files where they are, and keeps copying them to where they last; `onKept` tells whether. */
	seedStore(
		infoHash: string,
		files: readonly BlobFile[],
		onKept: (kept: boolean) => void,
	): StoreClass;
	/** The stored file itself. */
	blob(infoHash: string, index: number): Promise<Blob | undefined>;
	/** Deletes stored data of torrents that nobody lists any more. */
	sweep(known: readonly string[]): Promise<void>;
}

/** A torrent as it is kept. */
export interface KeptTorrent {
	readonly infoHash: string;
	readonly owners: readonly string[];
	/** The description, or a magnet link until it is known. */
	readonly source: string | Uint8Array;
	readonly trackers: readonly string[];
	readonly paused: boolean;
	readonly priorities: readonly (readonly [index: number, priority: 'off' | 'normal' | 'high'])[];
}

interface Member {
	readonly owner: string;
	readonly send: (message: HostMessage) => void;
}

/**
 * The engine's side of the service (Kamaelia's TorrentService): who owns which torrent, requests in, answers with
 * their ids and events out. A torrent that two owners added stays until both have let go of it.
 */
export class TorrentHost {
	readonly #engine: TorrentEngine;
	readonly #keeping: Keeping | undefined;
	readonly #members = new Map<string, Member>();
	readonly #owners = new Map<string, Set<string>>();
	readonly #trackers = new Map<string, readonly string[]>();
	readonly #paused = new Set<string>();
	readonly #stops: (() => void)[];

	constructor(engine: TorrentEngine, keeping?: Keeping) {
		this.#engine = engine;
		this.#keeping = keeping;
		this.#stops = [
			engine.on('status', (statuses) => {
				for (const [patron, { owner, send }] of this.#members) {
					const own = statuses.filter(({ infoHash }) => this.#owns(owner, infoHash));
					send({ type: 'event', patron, event: { type: 'status', statuses: own } });
				}
			}),
			engine.on('described', ({ infoHash }) => {
				void this.#keep(infoHash);
				this.#tell(infoHash, { type: 'described', infoHash });
			}),
			engine.on('complete', ({ infoHash }) => this.#tell(infoHash, { type: 'complete', infoHash })),
			engine.on('failed', ({ infoHash, error: { code, message } }) =>
				this.#tell(infoHash, { type: 'failed', infoHash, code, message }),
			),
		];
	}

	/** Adds again what was kept. */
	async restore(): Promise<void> {
		const kept = (await this.#keeping?.load()) ?? [];
		for (const torrent of kept) {
			const { infoHash, source, trackers, paused, priorities } = torrent;
			try {
				await this.#engine.add(source, { trackers, paused, priorities });
			} catch {
				continue; // it could be added once; a damaged record must not keep the others away
			}
			this.#owners.set(infoHash, new Set(torrent.owners));
			this.#trackers.set(infoHash, trackers);
			if (paused) this.#paused.add(infoHash);
			this.#engine.setKept(infoHash, true);
		}
		await this.#keeping?.sweep(kept.map(({ infoHash }) => infoHash));
	}

	/** Takes a message from a patron; answers go through `send`. */
	receive(message: PatronMessage, send: (message: HostMessage) => void): void {
		const { patron } = message;
		if (message.type === 'hello') {
			this.#members.set(patron, { owner: message.owner, send });
			send({ type: 'welcome', patron });
			return;
		}
		if (message.type === 'bye') {
			void this.leave(patron);
			return;
		}
		const member = this.#members.get(patron);
		if (!member) return; // it will say hello when it hears of the new host
		const { id, call } = message;
		this.#answer(member.owner, call).then(
			(value) => send({ type: 'done', patron, id, value }),
			(error: unknown) => {
				const known = error instanceof ShoalError;
				const text = error instanceof Error ? error.message : String(error);
				const code = known ? error.code : 'storage-failed';
				send({ type: 'refused', patron, id, code, message: text });
			},
		);
	}

	/** A patron is gone. Where nothing is kept, so are the torrents of an owner whose last patron it was. */
	async leave(patron: string): Promise<void> {
		const member = this.#members.get(patron);
		this.#members.delete(patron);
		if (!member || this.#keeping) return;
		if ([...this.#members.values()].some(({ owner }) => owner === member.owner)) return;
		const own = [...this.#owners.keys()].filter((infoHash) => this.#owns(member.owner, infoHash));
		await Promise.all(own.map((infoHash) => this.#release(member.owner, infoHash, false)));
	}

	get patrons(): number {
		return this.#members.size;
	}

	/** Stops listening to the engine, which stays open; idempotent. */
	close(): void {
		for (const stop of this.#stops.splice(0)) stop();
		this.#members.clear();
	}

	async #answer(owner: string, call: Call): Promise<Answers[Call['op']]> {
		switch (call.op) {
			case 'add': {
				const { trackers = [], paused = false } = call.options;
				const added = await this.#engine.add(call.source, call.options);
				return this.#own(owner, added, { trackers, paused });
			}
			case 'seed':
				return this.#seed(owner, call.torrentFile, call.files);
			case 'list':
				return this.#list(owner);
			case 'limit':
				this.#engine.setLimits(call);
				return undefined;
			case 'remove':
				this.#check(owner, call.infoHash);
				await this.#release(owner, call.infoHash, call.data);
				return undefined;
			default:
				this.#check(owner, call.infoHash);
				return this.#answerAbout(call.infoHash, call);
		}
	}

	async #answerAbout(
		infoHash: string,
		call: Exclude<Call, { op: 'add' | 'seed' | 'list' | 'limit' | 'remove' }>,
	): Promise<Answers[Call['op']]> {
		switch (call.op) {
			case 'pause':
				this.#engine.pause(infoHash);
				this.#paused.add(infoHash);
				void this.#keep(infoHash);
				return undefined;
			case 'resume':
				await this.#engine.resume(infoHash);
				this.#paused.delete(infoHash);
				void this.#keep(infoHash);
				return undefined;
			case 'prioritise':
				this.#engine.setPriorities(infoHash, call.priorities);
				void this.#keep(infoHash);
				return undefined;
			case 'files':
				return this.#engine.files(infoHash);
			case 'torrent-file':
				return this.#engine.torrentFile(infoHash);
			case 'blob':
				if (!this.#engine.files(infoHash)[call.index]?.done) return undefined;
				return this.#keeping?.blob(infoHash, call.index);
			case 'read':
				return this.#engine.read(infoHash, call.index, call.start, call.length);
		}
	}

	async #seed(
		owner: string,
		torrentFile: Uint8Array,
		files: readonly BlobFile[],
	): Promise<Answers['seed']> {
		const keeping = this.#keeping;
		if (!keeping) throw new ShoalError('bad-torrent', 'Files are seeded by their folder here');

		const { infoHash } = await decodeMetainfo(torrentFile);
		if (this.#engine.has(infoHash)) {
			// Its files are stored or on their way; copying over them would tear what is open.
			const added = await this.#engine.add(torrentFile);
			return this.#own(owner, added, { trackers: [], paused: false });
		}
		const store = keeping.seedStore(infoHash, files, (kept) => {
			this.#engine.setKept(infoHash, kept);
			if (kept) void this.#keep(infoHash);
			else void keeping.forget(infoHash);
		});
		const added = await this.#engine.add(torrentFile, { store, complete: true });
		return this.#own(owner, added, { trackers: [], paused: false }, true);
	}

	#own(
		owner: string,
		added: Answers['add'],
		{ trackers, paused }: { trackers: readonly string[]; paused: boolean },
		keptLater = false,
	): Answers['add'] {
		const { infoHash } = added.status;
		let owners = this.#owners.get(infoHash);
		if (!owners) this.#owners.set(infoHash, (owners = new Set()));
		owners.add(owner);
		if (!added.already) {
			this.#trackers.set(infoHash, trackers);
			if (paused) this.#paused.add(infoHash);
		}
		if (!keptLater) void this.#keep(infoHash);
		return added;
	}

	/** Takes one owner off a torrent; the last one's leaving removes it. */
	async #release(owner: string, infoHash: string, data: boolean): Promise<void> {
		const owners = this.#owners.get(infoHash);
		this.#tell(infoHash, { type: 'removed', infoHash }, owner);
		owners?.delete(owner);
		if (owners && owners.size > 0) {
			await this.#keep(infoHash);
			return;
		}
		this.#owners.delete(infoHash);
		this.#trackers.delete(infoHash);
		this.#paused.delete(infoHash);
		await this.#keeping?.forget(infoHash);
		// Whoever added it meanwhile was told that it is there, and has saved what was just forgotten.
		if (this.#owners.has(infoHash)) {
			await this.#keep(infoHash);
			return;
		}
		if (this.#engine.has(infoHash)) await this.#engine.remove(infoHash, { data });
	}

	async #keep(infoHash: string): Promise<void> {
		const keeping = this.#keeping;
		const owners = this.#owners.get(infoHash);
		if (!keeping || !owners || !this.#engine.has(infoHash)) return;
		try {
			await keeping.save({
				infoHash,
				owners: [...owners],
				source: this.#engine.torrentFile(infoHash) ?? this.#engine.status(infoHash).magnet,
				trackers: this.#trackers.get(infoHash) ?? [],
				paused: this.#paused.has(infoHash),
				priorities: this.#engine.priorities(infoHash),
			});
			this.#engine.setKept(infoHash, true);
		} catch {
			this.#engine.setKept(infoHash, false);
		}
	}

	#list(owner: string): Answers['list'] {
		return [...this.#owners.keys()]
			.filter((infoHash) => this.#owns(owner, infoHash) && this.#engine.has(infoHash))
			.map((infoHash) => this.#engine.status(infoHash));
	}

	#owns(owner: string, infoHash: string): boolean {
		return this.#owners.get(infoHash)?.has(owner) === true;
	}

	#check(owner: string, infoHash: string): void {
		if (this.#owns(owner, infoHash)) return;
		throw new ShoalError('bad-torrent', 'This torrent is not in your list');
	}

	#tell(infoHash: string, event: PatronEvent, only?: string): void {
		for (const [patron, { owner, send }] of this.#members) {
			if (only !== undefined && owner !== only) continue;
			if (this.#owns(owner, infoHash)) send({ type: 'event', patron, event });
		}
	}
}
