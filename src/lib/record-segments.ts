import { ShoalError } from './model/error.ts';
import { RecordingJoin } from './store/recording.ts';
import type { ReceivedSegment } from './viewer.ts';

/** A recording in one file that plays as it is. */
export interface RecordedFile {
	/** Its type is that of the media. */
	readonly blob: Blob;
	readonly durationMs: number;
	/** When its first segment was signed, milliseconds since 1970: the same for everybody who records it. */
	readonly signedAtMs: number;
}

/** Work between two looks at the page's events, milliseconds. */
const AT_ONCE_MS = 8;

/**
 * Joins segments into files: one, and a next one where the format changes. Lets the page answer meanwhile; tells how far
 * it is, 0 to 1. Rejects with `closed` when it is called off.
 */
export async function recordSegments(
	segments: Iterable<ReceivedSegment>,
	{ signal, onProgress }: { signal?: AbortSignal; onProgress?: (share: number) => void } = {},
): Promise<RecordedFile[]> {
	// At one moment: the window moves on meanwhile.
	const all = [...segments];
	const join = new RecordingJoin();
	const files: { parts: Uint8Array<ArrayBuffer>[]; first: ReceivedSegment; durationUs: number }[] =
		[];
	let pausedAtMs = performance.now();
	for (const [index, segment] of all.entries()) {
		const { startUs, durationUs, sinceKeyFrame } = segment.manifest;
		const { bytes, init } = segment;
		const added = join.add({ bytes, init: init.bytes, startUs, durationUs, sinceKeyFrame });
		if (added.begins) files.push({ parts: [], first: segment, durationUs: 0 });
		const file = files.at(-1);
		if (file && added.parts.length > 0) {
			file.parts.push(...added.parts);
			file.durationUs += durationUs;
		}
		if (performance.now() - pausedAtMs < AT_ONCE_MS) continue;
		onProgress?.(index / all.length);
		await new Promise((resolve) => setTimeout(resolve));
		if (signal?.aborted) throw new ShoalError('closed', 'recording was called off');
		pausedAtMs = performance.now();
	}
	return files.map(({ parts, first, durationUs }) => ({
		blob: new Blob(parts, { type: first.init.mime }),
		durationMs: durationUs / 1000,
		signedAtMs: first.manifest.signedAtMs,
	}));
}
