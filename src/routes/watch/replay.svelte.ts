import type { TorrentFileStatus, TorrentPatron, TorrentStatus } from '../../lib/index.ts';
import { TorrentPlayer } from '../../lib/index.ts';
import { rate } from '../_ui/numbers.ts';
import { failureWords, type Words } from '../_ui/words.ts';

/** How often the files are asked for until peers have told what there is. */
const LOOK_MS = 500;
/** When nothing has come for so long, nobody who is here gives any. */
const IDLE_AFTER_MS = 6000;

/** The recording of a broadcast, fetched from whoever has it while it plays. */
export class Replay {
	title = $state('');
	status: TorrentStatus | undefined = $state.raw();
	/** Whether the picture can be seen. */
	ready = $state(false);
	/** Whether nothing has come for a while. */
	idle = $state(false);
	/** What had to be left out, or how it goes on. */
	note = $state('');
	#failure: unknown = $state.raw();

	readonly infoHash: string;
	readonly #open: () => Promise<TorrentPatron>;
	#patron: TorrentPatron | undefined;
	#player: TorrentPlayer | undefined;
	#idleTimer: ReturnType<typeof setTimeout> | undefined;
	#closed = false;

	constructor(infoHash: string, open: () => Promise<TorrentPatron>) {
		this.infoHash = infoHash;
		this.#open = open;
	}

	/** What is happening, why, and what to do; `undefined` while it plays. */
	get words(): Words | undefined {
		if (this.#failure !== undefined) return failureWords(this.#failure);
		if (this.ready) return undefined;
		if (this.status?.activity === 'paused') {
			return {
				what: 'This recording is paused.',
				why: 'It was stopped among your torrents.',
				todo: 'Press Resume there, and it goes on here.',
			};
		}
		if (this.#isStuck) {
			return {
				what: 'Nobody who has this recording is here now.',
				why: this.status?.peers
					? 'It comes from those who keep it, and the others here wait for it as you do.'
					: 'It comes from those who keep it, and none of them answers now.',
				todo: 'This page goes on looking; ask who gave you the link to open it, too.',
			};
		}
		return { what: 'Fetching the recording', why: 'from those who have it.' };
	}

	/** Where it stands, in a line. */
	get line(): string {
		const { status } = this;
		if (!status || status.activity === 'describing') return '';
		if (this.#isStuck) {
			return 'Nobody who has the rest is here now; it goes on by itself when somebody comes';
		}
		const others = status.peers === 1 ? '1 other' : `${status.peers} others`;
		const passedOn =
			status.uploadBps < 500 ? 'you pass nothing on' : `you pass on ${rate(status.uploadBps)}`;
		return status.progress === 1
			? `All of it is here · ${passedOn}`
			: `With ${others} · ${passedOn}`;
	}

	/** Finds it and plays it in `video`; failures become words. */
	async open(video: HTMLVideoElement): Promise<void> {
		this.#hope();
		try {
			const patron = await this.#open();
			if (this.#isClosed()) return patron.close();
			this.#patron = patron;
			patron.on('status', ({ statuses }) => this.#take(statuses));
			patron.on('failed', (failure) => {
				if (failure.infoHash === this.infoHash) this.#failure = failure;
			});
			const { status } = await patron.add(this.infoHash);
			this.#take([status]);
			const file = await this.#mediaFile(patron);
			if (!file) return;
			this.#player = new TorrentPlayer(video, {
				patron,
				infoHash: this.infoHash,
				index: file.index,
				lengthBytes: file.lengthBytes,
			});
			this.#player.on('state', (state) => {
				if (state.type === 'failed') this.#failure = state.error;
				if (state.type !== 'ready') return;
				this.ready = true;
				this.note = state.note ?? '';
			});
		} catch (error) {
			if (!this.#closed) this.#failure = error;
		}
	}

	/** Lets go of everything; idempotent. */
	close(): void {
		this.#closed = true;
		clearTimeout(this.#idleTimer);
		this.#player?.close();
		this.#patron?.close();
	}

	#take(statuses: readonly TorrentStatus[]): void {
		const status = statuses.find(({ infoHash }) => infoHash === this.infoHash);
		if (!status) return;
		if (this.#isNews(status)) this.#hope();
		this.status = status;
		if (status.name !== this.infoHash) this.title = status.name;
	}

	/** Whether the recording, or the rest of it, is not to be had for now. */
	get #isStuck(): boolean {
		return this.idle && this.status?.progress !== 1;
	}

	/** Whether anything came, or is being checked. */
	#isNews({ activity, progress, downloadedBytes }: TorrentStatus): boolean {
		const before = this.status;
		if (activity === 'checking' || activity !== before?.activity) return true;
		return progress > before.progress || downloadedBytes > before.downloadedBytes;
	}

	/** Something came, so more may. */
	#hope(): void {
		this.idle = false;
		clearTimeout(this.#idleTimer);
		if (!this.#closed) this.#idleTimer = setTimeout(() => (this.idle = true), IDLE_AFTER_MS);
	}

	/** The recording: the largest file. Peers tell what there is, so this may take a while. */
	async #mediaFile(patron: TorrentPatron): Promise<TorrentFileStatus | undefined> {
		while (!this.#closed) {
			const files = await patron.files(this.infoHash);
			if (files.length > 0) {
				return [...files].sort((a, b) => b.lengthBytes - a.lengthBytes)[0];
			}
			await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
		}
		return undefined;
	}

	#isClosed(): boolean {
		return this.#closed;
	}
}
