import type { RecordedFile, TorrentPatron } from '../../lib/index.ts';
import { makeInWorker, recordSegments } from '../../lib/index.ts';
import type { HeldSegment } from './halls.ts';
import { percent, size } from './numbers.ts';
import { recordingName } from './recording-name.ts';
import { save } from './save.ts';
import { failureWords, type Words } from './words.ts';

/** What a page hands in to keep what it holds of a broadcast. */
export interface KeepingParts {
	/** The whole segments of the window, oldest first. */
	held(): Iterable<HeldSegment>;
	/** Text of a stranger. */
	title(): string;
	/** Opens this browser's torrents; asked for once. */
	openTorrents(): Promise<{ patron: TorrentPatron; trackers: readonly string[] }>;
	/** The link of a torrent's replay. */
	replayLink(infoHash: string): string;
}

/** A file of the recording. */
export interface KeptFile {
	readonly name: string;
	readonly blob: Blob;
}

/** The recording as a torrent that others can fetch. */
export interface SharedReplay {
	readonly link: string;
	readonly magnet: string;
	readonly torrentFile: Uint8Array<ArrayBuffer>;
}

/** Makes what a page holds of a broadcast into a file, and a torrent of that. */
export class Keeping {
	/** None: there is nothing; `undefined`: they are being put together. */
	files: readonly KeptFile[] | undefined = $state.raw();
	durationMs = $state(0);
	shared: SharedReplay | undefined = $state.raw();
	/** What is under way, for people. */
	busy: string | undefined = $state();
	trouble: Words | undefined = $state.raw();

	readonly #parts: KeepingParts;
	#torrents: ReturnType<KeepingParts['openTorrents']> | undefined;
	#work = new AbortController();

	constructor(parts: KeepingParts) {
		this.#parts = parts;
	}

	get bytes(): number {
		return this.files?.reduce((sum, { blob }) => sum + blob.size, 0) ?? 0;
	}

	/** Takes up what is held now; what was taken before is forgotten, and stays shared if it was. */
	async take(): Promise<void> {
		this.files = undefined;
		this.shared = undefined;
		await this.#try(async (signal) => {
			this.busy = 'Putting it together';
			const recorded = await recordSegments(this.#parts.held(), {
				signal,
				onProgress: (share) => (this.busy = `Putting it together: ${percent(share)}`),
			});
			this.durationMs = recorded.reduce((sum, { durationMs }) => sum + durationMs, 0);
			this.files = named(recorded, this.#parts.title());
		});
	}

	/** Hands the file, or all of them, to the browser's downloads. */
	saveFiles(): void {
		for (const { name, blob } of this.files ?? []) save(blob, name);
	}

	/** Puts it among this browser's torrents, which pass it on to whoever opens its link. */
	async share(): Promise<void> {
		const files = (this.files ?? []).map(({ name, blob }) => ({ path: name, blob }));
		await this.#try(async (signal) => {
			this.busy = 'Making the torrent';
			this.#torrents ??= this.#parts.openTorrents();
			// What could not be opened may be tried again.
			this.#torrents.catch(() => (this.#torrents = undefined));
			const { patron, trackers } = await this.#torrents;
			const { torrentFile } = await makeInWorker(inFolder(files), {
				signal,
				trackers,
				comment: 'A broadcast recorded with Shoal',
				onProgress: ({ hashedBytes, totalBytes }) => {
					const share = percent(hashedBytes / totalBytes);
					this.busy = `Making the torrent: ${share} of ${size(totalBytes)}`;
				},
			});
			const { status } = await patron.seed(torrentFile, inFolder(files));
			const link = this.#parts.replayLink(status.infoHash);
			if (!signal.aborted) this.shared = { link, magnet: status.magnet, torrentFile };
		});
	}

	/** The .torrent, for another program. */
	saveTorrent(): void {
		const name = this.files?.[0]?.name;
		if (!this.shared || !name) return;
		const type = 'application/x-bittorrent';
		save(new Blob([this.shared.torrentFile], { type }), `${name}.torrent`);
	}

	/** Calls off what is under way, and lets go of the files. */
	leave(): void {
		this.#work.abort();
		this.files = undefined;
	}

	async #try(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
		this.#work.abort();
		const { signal } = (this.#work = new AbortController());
		this.trouble = undefined;
		try {
			await work(signal);
		} catch (error) {
			if (!signal.aborted) this.trouble = failureWords(error);
		} finally {
			if (!signal.aborted) this.busy = undefined;
		}
	}
}

function named(recorded: readonly RecordedFile[], title: string): KeptFile[] {
	const [first] = recorded;
	if (!first) return [];
	return recorded.map(({ blob }, index) => ({
		blob,
		name: recordingName(title, first.signedAtMs, blob.type, index + 1),
	}));
}

/** Several files lie in a folder that has the first one's name. */
function inFolder(files: readonly { path: string; blob: Blob }[]) {
	const [first] = files;
	if (!first || files.length === 1) return files;
	const folder = first.path.replace(/\.[^.]*$/, '');
	return files.map(({ path, blob }) => ({ path: `${folder}/${path}`, blob }));
}
