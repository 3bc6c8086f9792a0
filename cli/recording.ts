import type { FileHandle } from 'node:fs/promises';
import { open, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { CliError, EXIT } from './cli-error.ts';

/**
 * A broadcast kept in a file, playable as it is: an init segment and what follows it. When the format changes, which
 * players of files can't follow, it goes on in a next file, `name-2.mp4`.
 */
export class Recording {
	/** The files written so far. */
	readonly files: string[] = [];
	readonly #path: string;
	readonly #force: boolean;
	#handle: FileHandle | undefined;
	#init: Uint8Array | undefined;

	/** Begins a file; rejects with a `CliError` when there is something in it already, unless `force`d. */
	static async open(path: string, { force = false } = {}): Promise<Recording> {
		const recording = new Recording(path, force);
		await recording.#begin(path);
		return recording;
	}

	private constructor(path: string, force: boolean) {
		this.#path = path;
		this.#force = force;
	}

	/** Adds a segment; rejects when it can't be written, and keeps what is there. */
	async write(init: Uint8Array, segment: Uint8Array): Promise<void> {
		if (!this.#init || !Buffer.from(this.#init).equals(init)) {
			if (this.#init) {
				await this.close();
				const end = extname(this.#path);
				const stem = this.#path.slice(0, this.#path.length - end.length);
				await this.#begin(`${stem}-${this.files.length + 1}${end}`);
			}
			this.#init = init;
			await this.#handle?.appendFile(init);
		}
		await this.#handle?.appendFile(segment);
	}

	/** Closes the file; idempotent. */
	async close(): Promise<void> {
		const handle = this.#handle;
		this.#handle = undefined;
		await handle?.close();
	}

	async #begin(path: string): Promise<void> {
		const there = await stat(path).catch(() => undefined);
		if (there?.isDirectory()) throw new CliError(EXIT.input, `${path} is a folder, not a file`);
		if (there?.isFile() && there.size > 0 && !this.#force) {
			throw new CliError(
				EXIT.input,
				`${path} holds something already: choose another name, or replace it with --force`,
			);
		}
		this.#handle = await open(path, 'w');
		this.files.push(path);
	}
}
