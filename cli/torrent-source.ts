import { readFile, stat } from 'node:fs/promises';
import type { TorrentPatron } from '../src/lib/index.ts';
import { CliError, EXIT } from './cli-error.ts';
import { readStdin } from './read-stdin.ts';

type TorrentSource = Parameters<TorrentPatron['add']>[0];

const MAX_TORRENT_FILE_BYTES = 16 * 1024 * 1024;

/** What a person named: a .torrent on disk or on stdin (`-`) by its bytes, all else (magnet, infohash, address) as it is. */
export async function readSource(given: string): Promise<TorrentSource> {
	if (given === '-') return readStdin(MAX_TORRENT_FILE_BYTES, 'torrent file');
	if (/^(stream-)?magnet:|^https?:\/\//i.test(given)) return given;
	if (/^([0-9a-f]{40}|[a-z2-7]{32})$/i.test(given)) return given;
	const { size } = await stat(given);
	if (size > MAX_TORRENT_FILE_BYTES) {
		throw new CliError(EXIT.input, `${given} is larger than any torrent file should be`);
	}
	return readFile(given);
}
