import type { Keeping } from './torrent-host.ts';
import { TorrentHost } from './torrent-host.ts';
import type { TorrentEngineOptions } from './torrent-engine.ts';
import { TorrentEngine } from './torrent-engine.ts';
import { TorrentPatron } from './torrent-patron.ts';

/**
 * Shares one engine between the patrons of a process (Kamaelia's TorrentService): it starts with the first and stops
 * after the last.
 */
export class TorrentService {
	readonly #options: TorrentEngineOptions;
	readonly #keeping: Keeping | undefined;
	readonly #patrons = new Set<TorrentPatron>();
	#running: Promise<{ engine: TorrentEngine; host: TorrentHost }> | undefined;
	#stopping: Promise<void> = Promise.resolve();

	constructor(options: TorrentEngineOptions = {}, keeping?: Keeping) {
		this.#options = options;
		this.#keeping = keeping;
	}

	/** A new user of the engine. Patrons of one `owner` see the same torrents. @default an owner of its own */
	async open(owner?: string): Promise<TorrentPatron> {
		const running = (this.#running ??= this.#start());
		const patron: TorrentPatron = new TorrentPatron({
			...(owner !== undefined && { owner }),
			send: (message) => {
				// In a turn of its own, as messages between pages are.
				void running.then(({ host }) =>
					host.receive(message, (reply) => queueMicrotask(() => patron.receive(reply))),
				);
			},
			onClose: () => this.#release(patron),
		});
		this.#patrons.add(patron);
		try {
			await running;
		} catch (error) {
			this.#patrons.delete(patron);
			if (this.#running === running) this.#running = undefined;
			throw error;
		}
		patron.hello();
		return patron;
	}

	/** How many patrons there are. */
	get patrons(): number {
		return this.#patrons.size;
	}

	/** Resolves when the engine of former patrons has stopped. */
	get stopped(): Promise<void> {
		return this.#stopping;
	}

	/** Closes all patrons and the engine; idempotent. */
	async close(): Promise<void> {
		for (const patron of [...this.#patrons]) patron.close();
		await this.#stopping;
	}

	async #start() {
		await this.#stopping; // one engine at a time: they would share files
		const engine = await TorrentEngine.open(this.#options);
		const host = new TorrentHost(engine, this.#keeping);
		await host.restore();
		return { engine, host };
	}

	#release(patron: TorrentPatron): void {
		this.#patrons.delete(patron);
		const running = this.#running;
		if (this.#patrons.size > 0 || !running) return;
		this.#running = undefined;
		this.#stopping = running.then(
			async ({ engine, host }) => {
				host.close();
				await engine.close();
			},
			() => undefined,
		);
	}
}
