import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { MadeTorrent } from '../src/lib/index.ts';
import { magnetOf, makeTorrent } from '../src/lib/index.ts';
import { CliError, EXIT, explain } from './cli-error.ts';
import type { DiskFiles } from './disk-files.ts';
import { readDiskFiles } from './disk-files.ts';
import { Output, plain, showBytes } from './output.ts';
import type { OutputOptions } from './output.ts';
import { collect } from './site.ts';
import { stopSignal } from './until-stopped.ts';

/** What both `make` and `seed` let one choose. */
export interface MakeOptions extends OutputOptions {
	readonly tracker?: readonly string[];
	readonly name?: string;
	readonly comment?: string;
	readonly private?: boolean;
	readonly pieceSize?: string;
	readonly webSeed?: readonly string[];
}

/** Adds the options that describe a new torrent. */
export function makeOptions(command: Command): Command {
	return command
		.option('--name <name>', 'another name than the file’s or folder’s')
		.option('--comment <text>', 'a comment for whoever opens it')
		.option('--private', 'peers come from the trackers only (BEP 27)')
		.option('--piece-size <size>', 'such as 256k or 4M: a power of two, 16k to 16M')
		.option('--web-seed <url>', 'an address that serves the same file; repeatable', collect, []);
}

/** `shoal torrent make`. */
export function addTorrentMake(torrent: Command): void {
	makeOptions(
		torrent
			.command('make <path>')
			.description('make a .torrent from a file or a folder')
			.option('-o, --output <file>', 'where it goes; - is stdout (default: <name>.torrent here)')
			.option('--tracker <url>', 'a tracker to put in it; repeatable', collect, []),
	)
		.option('--force', 'replace a file that is there already')
		.option('--json', 'say it in JSON, one object a line')
		.option('-q, --quiet', 'say nothing but the result')
		.addHelpText(
			'after',
			`
Examples:
  $ shoal torrent make holiday.mp4 --tracker wss://tracker.example/announce
  $ shoal torrent make photos/ --private --comment "for the family"
  $ shoal torrent make film.mkv -o - > film.torrent`,
		)
		.action(async (path: string, options: MakeOptions & { output?: string; force?: boolean }) => {
			const output = new Output({ ...options, quiet: options.output === '-' || !!options.quiet });
			const disk = await readDiskFiles(path);
			const made = await makeWithProgress(disk, options, output, options.tracker ?? []);
			if (options.output === '-') {
				process.stdout.write(made.torrentFile);
				return;
			}
			const file = options.output ?? `${basename(options.name ?? disk.name)}.torrent`;
			await writeTorrent(file, made.torrentFile, options.force === true);
			output.result(file, describeMade(made, { file }));
		});
}

/** Hashes with a progress line. */
export async function makeWithProgress(
	disk: DiskFiles,
	options: MakeOptions,
	output: Output,
	trackers: readonly string[],
	signal: AbortSignal = stopSignal(),
): Promise<MadeTorrent> {
	try {
		return await makeTorrent(disk.files, {
			name: options.name ?? disk.name,
			trackers,
			private: options.private ?? false,
			webSeeds: options.webSeed ?? [],
			signal,
			...(options.comment !== undefined && { comment: options.comment }),
			...(options.pieceSize !== undefined && { pieceLength: parseSize(options.pieceSize) }),
			onProgress: ({ hashedBytes, totalBytes }) => {
				const percent = Math.floor((hashedBytes / totalBytes) * 100);
				output.progress(`${plain(disk.name)}: ${percent} % of ${showBytes(totalBytes)} hashed`);
			},
		});
	} catch (error) {
		if (signal.aborted) throw new CliError(EXIT.interrupted, 'Stopped');
		const { cause } = error as { cause?: unknown };
		if (cause && (error as { code?: string }).code === 'bad-file') {
			throw new CliError(EXIT.input, explain(cause).message, { cause: error });
		}
		throw error;
	} finally {
		await disk.close();
	}
}

/** Writes a .torrent, never over another file unless told to. */
export async function writeTorrent(file: string, bytes: Uint8Array, force: boolean): Promise<void> {
	try {
		await writeFile(file, bytes, { flag: force ? 'w' : 'wx' });
	} catch (cause) {
		if ((cause as { code?: string }).code !== 'EEXIST') throw cause;
		throw new CliError(EXIT.input, `${file} is there already; --force replaces it`, { cause });
	}
}

/** What `--json` says of a new torrent. */
export function describeMade(
	{ metainfo }: MadeTorrent,
	more: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
	const { infoHash, name, lengthBytes, pieceLength, pieceCount, files, announce } = metainfo;
	return {
		type: 'made',
		infoHash,
		name,
		lengthBytes,
		pieceLength,
		pieces: pieceCount,
		files: files.length,
		magnet: magnetOf({ infoHash, name, announce }),
		...more,
	};
}

function parseSize(text: string): number {
	const match = /^(\d+)\s*([kM]?)(iB|B)?$/i.exec(text);
	const unit = { '': 1, k: 1024, m: 1024 * 1024 }[(match?.[2] ?? '').toLowerCase()] ?? NaN;
	const size = Number(match?.[1]) * unit;
	if (!Number.isFinite(size)) throw new CliError(EXIT.usage, `${text} is not a size`);
	return size;
}
