import type { DBSchema, IDBPDatabase } from 'idb';
import { openDB } from 'idb';
import type { KeptTorrent } from './torrent-host.ts';

interface Schema extends DBSchema {
	torrents: { key: string; value: KeptTorrent };
}

/** The list of torrents that outlasts a page, in IndexedDB. */
export class IndexedDbLibrary {
	readonly #database: IDBPDatabase<Schema>;

	/** Opens it; rejects where the browser keeps nothing. */
	static async open(): Promise<IndexedDbLibrary> {
		const database = await openDB<Schema>('shoal-torrents', 1, {
			upgrade(created) {
				created.createObjectStore('torrents', { keyPath: 'infoHash' });
			},
		});
		return new IndexedDbLibrary(database);
	}

	private constructor(database: IDBPDatabase<Schema>) {
		this.#database = database;
	}

	load(): Promise<KeptTorrent[]> {
		return this.#database.getAll('torrents');
	}

	async save(torrent: KeptTorrent): Promise<void> {
		await this.#database.put('torrents', torrent);
	}

	async forget(infoHash: string): Promise<void> {
		await this.#database.delete('torrents', infoHash);
	}
}
