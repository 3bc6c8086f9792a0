import { lstat, open, readdir, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { MakerFile } from '../src/lib/index.ts';
import { CliError, EXIT } from './cli-error.ts';

/** Files on disk that go into one torrent. */
export interface DiskFiles {
	/** Folder that holds the file, or the folder, that was named. */
	readonly parent: string;
	/** Name of the file or folder. */
	readonly name: string;
	readonly files: readonly MakerFile[];
	/** Closes what is still open; idempotent. */
	close(): Promise<void>;
}

const JUNK = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini']);

/** Lists a file, or a folder with everything below it, in a stable order. Links are passed over: they may lead anywhere. */
export async function readDiskFiles(path: string): Promise<DiskFiles> {
	const full = resolve(path);
	const top = await stat(full);
	const name = basename(full);
	const found: { path: string; disk: string; lengthBytes: number }[] = [];
	if (top.isFile()) found.push({ path: name, disk: full, lengthBytes: top.size });
	else if (top.isDirectory()) await walk(full, name, found);
	else throw new CliError(EXIT.input, `${path} is neither a file nor a folder`);
	const reader = new OneAtATime();
	return {
		parent: dirname(full),
		name,
		files: found.map(({ path: inTorrent, disk, lengthBytes }) => ({
			path: inTorrent,
			lengthBytes,
			read: (start, end) => reader.read(disk, start, end),
		})),
		close: () => reader.close(),
	};
}

async function walk(
	folder: string,
	prefix: string,
	found: { path: string; disk: string; lengthBytes: number }[],
): Promise<void> {
	const names = (await readdir(folder)).filter((name) => !JUNK.has(name)).sort();
	for (const name of names) {
		const disk = join(folder, name);
		const entry = await lstat(disk);
		if (entry.isDirectory()) await walk(disk, `${prefix}/${name}`, found);
		else if (entry.isFile())
			found.push({ path: `${prefix}/${name}`, disk, lengthBytes: entry.size });
	}
}

/** Reads many files in turn without having them all open. */
class OneAtATime {
	#path: string | undefined;
	#handle: FileHandle | undefined;

	async read(path: string, start: number, end: number): Promise<Uint8Array> {
		if (path !== this.#path) {
			await this.close();
			this.#handle = await open(path);
			this.#path = path;
		}
		const bytes = new Uint8Array(end - start);
		let got = 0;
		while (got < bytes.length && this.#handle) {
			const { bytesRead } = await this.#handle.read(bytes, got, bytes.length - got, start + got);
			if (bytesRead === 0) break;
			got += bytesRead;
		}
		return bytes.subarray(0, got);
	}

	async close(): Promise<void> {
		this.#path = undefined;
		await this.#handle?.close();
		this.#handle = undefined;
	}
}
