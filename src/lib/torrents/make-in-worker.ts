import type { ShoalErrorCode } from '../model/error.ts';
import { ShoalError } from '../model/error.ts';
import type { MadeTorrent, MakerOptions } from './torrent-maker.ts';

/** A file for the maker's worker. */
export interface BlobFile {
	/** Path with `/`; the first part is the folder that several files share. */
	readonly path: string;
	readonly blob: Blob;
}

/** What the worker is asked. */
export interface MakerRequest {
	readonly files: readonly BlobFile[];
	readonly options: Omit<MakerOptions, 'signal' | 'onProgress'>;
}

/** What the worker says. */
export type MakerReply =
	| { readonly type: 'progress'; readonly hashedBytes: number; readonly totalBytes: number }
	| { readonly type: 'made'; readonly made: MadeTorrent }
	| { readonly type: 'failed'; readonly code: ShoalErrorCode; readonly message: string };

/** `makeTorrent` in a worker of its own, so that hashing gigabytes keeps no page from answering. Browsers only. */
export function makeInWorker(
	files: readonly BlobFile[],
	{ signal, onProgress, ...options }: MakerOptions = {},
): Promise<MadeTorrent> {
	return new Promise((resolve, reject) => {
		signal?.throwIfAborted();
		const worker = new Worker(new URL('./maker.worker.ts', import.meta.url), { type: 'module' });
		const finish = (settle: () => void) => {
			signal?.removeEventListener('abort', onAbort);
			worker.terminate();
			settle();
		};
		const onAbort = () =>
			finish(() => reject(new ShoalError('closed', 'Making the torrent was cancelled')));
		signal?.addEventListener('abort', onAbort);
		worker.onmessage = ({ data }: MessageEvent<MakerReply>) => {
			if (data.type === 'progress') onProgress?.(data);
			else if (data.type === 'made') finish(() => resolve(data.made));
			else finish(() => reject(new ShoalError(data.code, data.message)));
		};
		worker.onerror = (event) =>
			finish(() => reject(new ShoalError('bad-torrent', event.message || 'the worker broke')));
		worker.postMessage({ files, options } satisfies MakerRequest);
	});
}
