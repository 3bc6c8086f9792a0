import { IndexedDbLibrary } from './indexed-db-library.ts';
import type { OpfsVault } from './opfs-vault.ts';
import type { Keeping } from './torrent-host.ts';

/** Keeps torrents over reloads: the list in IndexedDB, the files in the private file system. */
export async function openBrowserKeeping(vault: OpfsVault): Promise<Keeping> {
	const library = await IndexedDbLibrary.open();
	return {
		load: () => library.load(),
		save: (torrent) => library.save(torrent),
		forget: (infoHash) => library.forget(infoHash),
		seedStore(infoHash, files, onKept) {
			void vault.copy(infoHash, files).then(
				() => onKept(true),
				() => onKept(false),
			);
			return vault.storeOf(infoHash, files);
		},
		blob: (infoHash, index) => vault.blob(infoHash, index).catch(() => undefined),
		async sweep(known) {
			for (const infoHash of await vault.list()) {
				if (!known.includes(infoHash)) await vault.delete(infoHash);
			}
		},
	};
}
