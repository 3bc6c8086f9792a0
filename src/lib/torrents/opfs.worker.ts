import type { VaultCall, VaultReply } from './opfs-message.ts';
import { VAULT_FOLDER } from './opfs-message.ts';

// Only workers may open files for reading and writing in place; the page's own way rewrites the whole file each time.
interface SyncHandle {
	read(into: Uint8Array, options: { at: number }): number;
	write(from: Uint8Array, options: { at: number }): number;
	getSize(): number;
	truncate(size: number): void;
	flush(): void;
	close(): void;
}
type Handle = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncHandle> };
type Directory = FileSystemDirectoryHandle & { keys(): AsyncIterableIterator<string> };

/** Open files; more would keep a folder of thousands open. */
const MOST_OPEN = 64;
const COPY_BYTES = 4 * 1024 * 1024;
/** A tab that has just closed may still hold its files for a moment. */
const OPEN_TRIES = 20;
const OPEN_WAIT_MS = 150;

const scope = globalThis as unknown as {
	onmessage: ((event: MessageEvent<{ id: number; call: VaultCall }>) => void) | null;
	postMessage(reply: VaultReply, transfer?: Transferable[]): void;
};
const open = new Map<string, SyncHandle>();
let turn: Promise<unknown> = Promise.resolve();

scope.onmessage = ({ data: { id, call } }) => {
	// One after another: handles are opened and closed in between.
	turn = turn.then(async () => {
		try {
			const value = await answer(call);
			const transfer = value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : [];
			scope.postMessage({ id, ok: true, value }, transfer);
		} catch (error) {
			const { name, message } = error as Error;
			scope.postMessage({ id, ok: false, name, message });
		}
	});
};

async function answer(call: VaultCall): Promise<unknown> {
	switch (call.op) {
		case 'write': {
			const handle = await openFile(call.infoHash, call.index);
			const written = handle.write(call.bytes, { at: call.at });
			if (written !== call.bytes.length) throw new DOMException('full', 'QuotaExceededError');
			return undefined;
		}
		case 'read': {
			const bytes = new Uint8Array(call.length);
			const handle = await openFile(call.infoHash, call.index);
			return bytes.subarray(0, handle.read(bytes, { at: call.at })).slice();
		}
		case 'copy':
			return copy(call.infoHash, call.index, call.blob);
		case 'blob': {
			closeFile(keyOf(call.infoHash, call.index));
			const folder = await folderOf(call.infoHash);
			return (await folder.getFileHandle(String(call.index))).getFile();
		}
		case 'close':
			closeAll(call.infoHash);
			return undefined;
		case 'delete':
			closeAll(call.infoHash);
			await (await vault()).removeEntry(call.infoHash, { recursive: true }).catch(ignoreMissing);
			return undefined;
		case 'list': {
			const names: string[] = [];
			for await (const name of ((await vault()) as Directory).keys()) names.push(name);
			return names;
		}
	}
}

async function copy(infoHash: string, index: number, blob: Blob): Promise<void> {
	const handle = await openFile(infoHash, index);
	handle.truncate(0);
	for (let at = 0; at < blob.size; at += COPY_BYTES) {
		const part = new Uint8Array(await blob.slice(at, at + COPY_BYTES).arrayBuffer());
		if (handle.write(part, { at }) !== part.length) {
			throw new DOMException('full', 'QuotaExceededError');
		}
	}
	handle.flush();
}

async function openFile(infoHash: string, index: number): Promise<SyncHandle> {
	const key = keyOf(infoHash, index);
	const known = open.get(key);
	if (known) {
		open.delete(key); // the least used one is first
		open.set(key, known);
		return known;
	}
	for (const oldest of open.keys()) if (open.size >= MOST_OPEN) closeFile(oldest);
	const folder = await folderOf(infoHash);
	const file = (await folder.getFileHandle(String(index), { create: true })) as Handle;
	for (let tries = 1; ; tries++) {
		try {
			const handle = await file.createSyncAccessHandle();
			open.set(key, handle);
			return handle;
		} catch (error) {
			const busy = (error as Error).name === 'NoModificationAllowedError';
			if (!busy || tries >= OPEN_TRIES) throw error;
			await new Promise((resolve) => setTimeout(resolve, OPEN_WAIT_MS));
		}
	}
}

function closeFile(key: string): void {
	const handle = open.get(key);
	open.delete(key);
	handle?.flush();
	handle?.close();
}

function closeAll(infoHash: string): void {
	for (const key of [...open.keys()]) if (key.startsWith(`${infoHash}/`)) closeFile(key);
}

function keyOf(infoHash: string, index: number): string {
	return `${infoHash}/${index}`;
}

async function vault(): Promise<FileSystemDirectoryHandle> {
	const root = await navigator.storage.getDirectory();
	return root.getDirectoryHandle(VAULT_FOLDER, { create: true });
}

async function folderOf(infoHash: string): Promise<FileSystemDirectoryHandle> {
	return (await vault()).getDirectoryHandle(infoHash, { create: true });
}

function ignoreMissing(error: unknown): void {
	if ((error as Error).name !== 'NotFoundError') throw error;
}
