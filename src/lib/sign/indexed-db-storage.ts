import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import { ShoalError } from '../model/error.ts';
import type { SignStorage, StoredPlace } from './sign-storage.ts';

interface Schema extends DBSchema {
	pairs: { key: string; value: CryptoKeyPair };
	places: { key: string; value: StoredPlace };
}

const DATABASE = 'shoal';
const VERSION = 1;
/** The one channel a browser has so far. */
const OWN = 'own';
const OPEN_TIMEOUT_MS = 10_000;

/** The browser's own storage for keys and places; rejects with `storage-failed` where there is none. */
export async function openSignStorage(): Promise<SignStorage> {
	const database = await opened();
	// Asks that the key not be evicted; a refusal changes nothing.
	void navigator.storage?.persist?.().catch(() => undefined);
	return {
		async loadPair(make) {
			const kept = await attempt(() => database.get('pairs', OWN));
			if (kept) return kept;
			const pair = await make();
			return attempt(async () => {
				// Another tab may have been first meanwhile: then its key is the browser's key.
				const change = database.transaction('pairs', 'readwrite', { durability: 'strict' });
				const theirs = await change.store.get(OWN);
				if (!theirs) await change.store.put(pair, OWN);
				await change.done;
				return theirs ?? pair;
			});
		},
		async loadPlace(channelId) {
			const place = await attempt(() => database.get('places', channelId));
			return place && checked(place);
		},
		async savePlace(channelId, place) {
			await attempt(async () => {
				const change = database.transaction('places', 'readwrite', { durability: 'strict' });
				await change.store.put(place, channelId);
				await change.done;
			});
		},
	};
}

async function opened(): Promise<IDBPDatabase<Schema>> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	// A broken profile can leave the request without any answer.
	const tooLate = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error('storage does not answer')), OPEN_TIMEOUT_MS);
	});
	try {
		const opening = openDB<Schema>(DATABASE, VERSION, {
			upgrade(database) {
				database.createObjectStore('pairs');
				database.createObjectStore('places');
			},
			blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
		});
		return await Promise.race([opening, tooLate]);
	} catch (cause) {
		throw failed(cause);
	} finally {
		clearTimeout(timer);
	}
}

function checked(place: StoredPlace): StoredPlace {
	const whole = [place.epoch, place.nextPiece].every((value) => Number.isSafeInteger(value));
	// Guessing a place would publish over old pieces; better to say so.
	if (!whole) throw failed(new Error('the place on disk is damaged'));
	return place;
}

async function attempt<T>(work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (cause) {
		throw failed(cause);
	}
}

function failed(cause: unknown): ShoalError {
	if (cause instanceof ShoalError) return cause;
	return new ShoalError('storage-failed', 'this browser keeps no data for this page', { cause });
}
