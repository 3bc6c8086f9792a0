import type { FileHandle } from 'node:fs/promises';
import { open, rm, stat } from 'node:fs/promises';
import type { EncodedSegment } from '../src/lib/node.ts';
import type { ReceivedSegment } from '../src/lib/index.ts';
import { RecordingJoin, partName } from '../src/lib/index.ts';
import { CliError, EXIT } from './cli-error.ts';

/** What a recording needs of a segment. */
export type KeptSegment = Pick<
	EncodedSegment,
	'init' | 'bytes' | 'startUs' | 'durationUs' | 'sinceKeyFrame'
>;

/**
 * A broadcast kept in a file, playable as it is. When the format changes, which players of files can't follow, it goes
 * on in a next file, `name-2.mp4`.
 */
export class Recording {
	/** The files written so far. */
	readonly files: string[] = [];
	readonly #path: string;
	readonly #force: boolean;
	#handle: FileHandle | undefined;
	readonly #join = new RecordingJoin();
	#isEmpty = true;

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
	async write(segment: KeptSegment): Promise<void> {
		const { begins, parts } = this.#join.add({ ...segment, init: segment.init.bytes });
		if (begins && !this.#isEmpty) {
			await this.close();
			await this.#begin(partName(this.#path, this.files.length + 1));
		}
		this.#isEmpty = false;
		for (const part of parts) await this.#handle?.appendFile(part);
	}

	/** Closes the file; idempotent. One that nothing came for is taken away again. */
	async close(): Promise<void> {
		const handle = this.#handle;
		if (!handle) return;
		this.#handle = undefined;
		const isFile = (await handle.stat()).isFile();
		await handle.close();
		if (!this.#isEmpty || !isFile) return;
		await rm(this.files.pop() ?? '', { force: true });
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

/** A received segment as a recording takes it. */
export function keptOf({ init, bytes, manifest }: ReceivedSegment): KeptSegment {
	const { startUs, durationUs, sinceKeyFrame } = manifest;
	return { init, bytes, startUs, durationUs, sinceKeyFrame };
}
