import { percent, size } from '../_ui/numbers.ts';
import type {
	BlobFile,
	FilePriority,
	TorrentFileStatus,
	TorrentPatron,
	TorrentStatus,
} from '../../lib/index.ts';
import { makeInWorker, sharedTorrent } from '../../lib/index.ts';
import type { Dropped } from './dropped-files.ts';
import { magnetHandler, shareLink } from './links.ts';
import { save } from '../_ui/save.ts';
import { troubleWords } from './torrent-words.ts';
import { zip } from './zip.ts';

/** A file that is being shown. */
export interface Showing {
	readonly infoHash: string;
	readonly file: TorrentFileStatus;
}

/** How often an open row's files are looked at. */
const FILES_TICK_MS = 1000;
/** How long a message without a fault stays. */
const SAID_MS = 6000;

/** The torrents page: the list, what is open in it, and what a person can do. */
export class Library {
	/** Newest first. */
	torrents: readonly TorrentStatus[] = $state.raw([]);
	/** Files of the open row. */
	files: readonly TorrentFileStatus[] = $state.raw([]);
	openRow: string | undefined = $state();
	/** Whether the list of earlier visits has come. */
	ready = $state(false);
	/** What is under way besides the torrents: hashing, packing. */
	busy: string | undefined = $state();
	said: { readonly text: string; readonly trouble: boolean } | undefined = $state.raw();
	showing: Showing | undefined = $state.raw();

	readonly #open: () => Promise<TorrentPatron>;
	readonly #patron: Promise<TorrentPatron>;
	#give: (patron: TorrentPatron) => void = () => undefined;
	#making: AbortController | undefined;
	#saidTimer: ReturnType<typeof setTimeout> | undefined;
	#filesTimer: ReturnType<typeof setTimeout> | undefined;

	constructor(open: () => Promise<TorrentPatron>) {
		this.#open = open;
		this.#patron = new Promise((resolve) => (this.#give = resolve));
	}

	/** Joins the shared engine; adds what the address names. */
	async start(): Promise<void> {
		try {
			const patron = await this.#open();
			patron.on('status', ({ statuses }) => this.#take(statuses));
			patron.on('described', ({ infoHash }) => {
				if (infoHash === this.openRow) void this.#lookAtFiles();
			});
			this.#give(patron);
			this.#take(await patron.list());
			this.ready = true;
			addEventListener('hashchange', () => void this.#addFromAddress());
			await this.#addFromAddress();
		} catch (error) {
			this.#trouble(error);
		}
	}

	/** The player's way to the engine. */
	get patron(): Promise<TorrentPatron> {
		return this.#patron;
	}

	/** Adds a magnet link, an infohash, or the address of a .torrent. */
	async add(source: string | Uint8Array): Promise<boolean> {
		return this.#try(async () => {
			const patron = await this.#patron;
			const { already, status } = await patron.add(source);
			if (already) this.#say(`${status.name} is in the list already.`);
			this.#take(await patron.list());
			await this.open(status.infoHash);
		});
	}

	/** Opens .torrent files and links, and shares all else. */
	async drop({ torrents, files, text }: Dropped): Promise<void> {
		for (const torrent of torrents) {
			await this.#try(async () => {
				await this.add(new Uint8Array(await torrent.arrayBuffer()));
			});
		}
		if (files.length > 0) await this.share(files);
		else if (torrents.length === 0 && text.trim())
			await this.add(text.trim().split('\n', 1)[0] ?? '');
	}

	/** Makes a torrent of files and seeds it. */
	async share(files: readonly BlobFile[]): Promise<void> {
		const { signal } = (this.#making = new AbortController());
		const name = files.length === 1 ? (files[0]?.path ?? '') : `${files.length} files`;
		await this.#try(async () => {
			this.busy = `Reading ${name}`;
			const patron = await this.#patron;
			const { torrentFile } = await makeInWorker(files, {
				signal,
				onProgress: ({ hashedBytes, totalBytes }) => {
					this.busy = `Reading ${name}: ${percent(hashedBytes / totalBytes)} of ${size(totalBytes)}`;
				},
			});
			const { already, status } = await patron.seed(torrentFile, files);
			if (already) this.#say(`${status.name} is in the list already.`);
			this.#take(await patron.list());
			await this.open(status.infoHash);
		});
		this.busy = undefined;
	}

	/** Calls hashing off. */
	cancel(): void {
		this.#making?.abort();
	}

	async toggle({ infoHash, activity }: TorrentStatus): Promise<void> {
		await this.#try(async () => {
			const patron = await this.#patron;
			const stopped = activity === 'paused' || activity === 'failed';
			await (stopped ? patron.resume(infoHash) : patron.pause(infoHash));
			this.#take(await patron.list());
		});
	}

	async remove({ infoHash, name }: TorrentStatus): Promise<void> {
		await this.#try(async () => {
			const patron = await this.#patron;
			if (this.showing?.infoHash === infoHash) this.showing = undefined;
			if (this.openRow === infoHash) this.openRow = undefined;
			await patron.remove(infoHash, { data: true });
			this.#take(await patron.list());
			this.#say(`${name} was removed.`);
		});
	}

	/** Opens a row to its files, or closes it with `undefined`. */
	async open(infoHash: string | undefined): Promise<void> {
		this.openRow = infoHash;
		this.files = [];
		await this.#lookAtFiles();
	}

	async prioritise(infoHash: string, index: number, priority: FilePriority): Promise<void> {
		await this.#try(async () => {
			await (await this.#patron).prioritise(infoHash, [[index, priority]]);
			await this.#lookAtFiles();
		});
	}

	/** Shows a file while it comes in. */
	show(infoHash: string, file: TorrentFileStatus): void {
		this.showing = { infoHash, file };
	}

	/** Hands a file to the browser's downloads. */
	async saveFile(infoHash: string, file: TorrentFileStatus): Promise<void> {
		await this.#try(async () => {
			save(await (await this.#patron).blob(infoHash, file.index), file.name);
		});
	}

	/** The wanted files as one ZIP. */
	async saveAll({ infoHash, name, wantedBytes }: TorrentStatus): Promise<void> {
		await this.#try(async () => {
			const patron = await this.#patron;
			const files = (await patron.files(infoHash)).filter(({ priority }) => priority !== 'off');
			this.busy = `Packing ${name}`;
			const parts: { path: string; blob: Blob }[] = [];
			for (const { index, path } of files)
				parts.push({ path, blob: await patron.blob(infoHash, index) });
			const archive = await zip(parts, (bytes) => {
				this.busy = `Packing ${name}: ${percent(bytes / wantedBytes)}`;
			});
			save(archive, `${name}.zip`);
		});
		this.busy = undefined;
	}

	async saveTorrent({ infoHash, name }: TorrentStatus): Promise<void> {
		await this.#try(async () => {
			const bytes = await (await this.#patron).torrentFile(infoHash);
			if (!bytes) {
				this.#say('Its description has not come yet; peers have it.');
				return;
			}
			save(new Blob([bytes.slice()], { type: 'application/x-bittorrent' }), `${name}.torrent`);
		});
	}

	/** Makes this page the browser's opener of magnet links; the browser asks the person. */
	takeMagnets(): void {
		try {
			navigator.registerProtocolHandler('magnet', magnetHandler(location.href));
			this.#say('Your browser asks whether magnet links shall open here.');
		} catch {
			this.#say('This browser lets no page open magnet links. Paste them here instead.');
		}
	}

	/** The link that opens a torrent on this page. */
	linkOf(status: TorrentStatus): string {
		return shareLink(status, location.href);
	}

	async #addFromAddress(): Promise<void> {
		const shared = sharedTorrent(location.href);
		if (!shared) return;
		if (await this.add(shared)) history.replaceState(undefined, '', location.pathname);
	}

	#take(statuses: readonly TorrentStatus[]): void {
		this.torrents = [...statuses].sort((a, b) => b.addedAtMs - a.addedAtMs);
	}

	/** Looks at the open row's files, again and again while it is open. */
	async #lookAtFiles(): Promise<void> {
		clearTimeout(this.#filesTimer);
		const infoHash = this.openRow;
		if (!infoHash) return;
		try {
			const files = await (await this.#patron).files(infoHash);
			if (this.openRow === infoHash) this.files = files;
		} catch {
			return; // it was removed meanwhile
		}
		this.#filesTimer = setTimeout(() => void this.#lookAtFiles(), FILES_TICK_MS);
	}

	/** Does something, and says what is in the way if it fails. */
	async #try(work: () => Promise<void>): Promise<boolean> {
		try {
			await work();
			return true;
		} catch (error) {
			this.#trouble(error);
			return false;
		}
	}

	#say(text: string): void {
		clearTimeout(this.#saidTimer);
		this.said = { text, trouble: false };
		this.#saidTimer = setTimeout(() => (this.said = undefined), SAID_MS);
	}

	#trouble(error: unknown): void {
		clearTimeout(this.#saidTimer);
		this.said = { text: troubleWords(error), trouble: true };
	}
}
