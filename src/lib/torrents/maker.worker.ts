import { ShoalError } from '../model/error.ts';
import type { MakerReply, MakerRequest } from './make-in-worker.ts';
import { makeTorrent, makerFile } from './torrent-maker.ts';

// One worker makes one torrent; ending the worker is how making is cancelled.
const scope = globalThis as unknown as {
	onmessage: ((event: MessageEvent<MakerRequest>) => void) | null;
	postMessage(reply: MakerReply, transfer?: Transferable[]): void;
};
const PROGRESS_MS = 100;

scope.onmessage = ({ data: { files, options } }) => {
	let toldAtMs = 0;
	makeTorrent(
		files.map(({ path, blob }) => makerFile(path, blob)),
		{
			...options,
			onProgress: (progress) => {
				if (performance.now() - toldAtMs < PROGRESS_MS) return;
				toldAtMs = performance.now();
				scope.postMessage({ type: 'progress', ...progress });
			},
		},
	).then(
		(made) => scope.postMessage({ type: 'made', made }),
		(error: unknown) => {
			const known = error instanceof ShoalError;
			const message = error instanceof Error ? error.message : String(error);
			scope.postMessage({ type: 'failed', code: known ? error.code : 'bad-file', message });
		},
	);
};
