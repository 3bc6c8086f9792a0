import type { BlobFile } from '../../lib/index.ts';

/** What was dropped, pasted or picked. */
export interface Dropped {
	/** .torrent files, to be opened. */
	readonly torrents: readonly File[];
	/** All other files, with their folders' names, to be shared. */
	readonly files: readonly BlobFile[];
	/** A link or other text. */
	readonly text: string;
}

/** What systems leave in folders and nobody means to share. */
const JUNK = /^(\.DS_Store|Thumbs\.db|desktop\.ini)$/i;

/** Everything in a drop, folders with all below them. Has to be called in the drop's own turn. */
export async function readDrop(transfer: DataTransfer): Promise<Dropped> {
	const text = transfer.getData('text/uri-list') || transfer.getData('text/plain');
	const found: BlobFile[] = [];
	const entries = [...transfer.items].flatMap((item) => {
		if (item.kind !== 'file') return [];
		const entry = item.webkitGetAsEntry();
		if (entry) return [entry];
		// What lies in no folder, such as a picture that was copied, is a file alone.
		const blob = item.getAsFile();
		if (blob) found.push({ path: blob.name, blob });
		return [];
	});
	for (const entry of entries) await walk(entry, '', found);
	return sort(found, text);
}

/** Everything a file picker gave; folders come as relative paths. */
export function readPicked(list: FileList): Dropped {
	const files = [...list].map((blob) => ({ path: blob.webkitRelativePath || blob.name, blob }));
	return sort(
		files.filter(({ path }) => !JUNK.test(lastPart(path))),
		'',
	);
}

function sort(all: readonly BlobFile[], text: string): Dropped {
	const isTorrent = ({ path }: BlobFile) => /^[^/]+\.torrent$/i.test(path);
	return {
		torrents: all.filter(isTorrent).map(({ blob }) => blob as File),
		files: all.filter((file) => !isTorrent(file)),
		text,
	};
}

async function walk(entry: FileSystemEntry, prefix: string, found: BlobFile[]): Promise<void> {
	if (JUNK.test(entry.name)) return;
	if (entry.isFile) {
		const blob = await new Promise<File>((resolve, reject) =>
			(entry as FileSystemFileEntry).file(resolve, reject),
		);
		found.push({ path: prefix + entry.name, blob });
		return;
	}
	const reader = (entry as FileSystemDirectoryEntry).createReader();
	for (;;) {
		// A hundred at a time, until there are none.
		const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
			reader.readEntries(resolve, reject),
		);
		if (some.length === 0) return;
		for (const inner of some) await walk(inner, `${prefix}${entry.name}/`, found);
	}
}

function lastPart(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1);
}
