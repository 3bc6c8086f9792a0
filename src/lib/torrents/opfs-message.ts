/** What the storage worker is asked; files are named by torrent and number, so that no name from outside reaches a path. */
export type VaultCall =
	| {
			readonly op: 'write';
			readonly infoHash: string;
			readonly index: number;
			readonly at: number;
			readonly bytes: Uint8Array;
	  }
	| {
			readonly op: 'read';
			readonly infoHash: string;
			readonly index: number;
			readonly at: number;
			readonly length: number;
	  }
	/** Copies a whole file in. */
	| { readonly op: 'copy'; readonly infoHash: string; readonly index: number; readonly blob: Blob }
	/** The stored file itself; it must not be written to afterwards. */
	| { readonly op: 'blob'; readonly infoHash: string; readonly index: number }
	/** Closes the torrent's open files. */
	| { readonly op: 'close'; readonly infoHash: string }
	| { readonly op: 'delete'; readonly infoHash: string }
	| { readonly op: 'list' };

/** Answer of the storage worker. */
export type VaultReply =
	| { readonly id: number; readonly ok: true; readonly value: unknown }
	| { readonly id: number; readonly ok: false; readonly name: string; readonly message: string };

/** Folder of the origin's private file system that torrents are kept in. */
export const VAULT_FOLDER = 'torrents';
