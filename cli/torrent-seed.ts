import { join } from 'node:path';
import type { Command } from 'commander';
import type { TorrentPatron, TorrentStatus } from '../src/lib/index.ts';
import { magnetOf } from '../src/lib/index.ts';
import { explain } from './cli-error.ts';
import { readDiskFiles } from './disk-files.ts';
import { Output } from './output.ts';
import { siteOf, siteOptions } from './site.ts';
import type { MakeOptions } from './torrent-make.ts';
import { describeMade, makeOptions, makeWithProgress, writeTorrent } from './torrent-make.ts';
import type { SessionOptions } from './torrent-session.ts';
import { describeStatus, jsonStatus, openPatron, sessionOptions } from './torrent-session.ts';
import { aborted, stopSignal } from './until-stopped.ts';

type SeedOptions = MakeOptions & SessionOptions & { write?: boolean; force?: boolean };

/** `shoal torrent seed`. */
export function addTorrentSeed(torrent: Command): void {
	const command = torrent
		.command('seed <paths...>')
		.description('make a torrent of each file or folder and share it until Ctrl-C')
		.option('--write', 'write <name>.torrent beside each file too')
		.option('--force', 'replace .torrent files that are there already');
	sessionOptions(makeOptions(siteOptions(command)))
		.option('--json', 'say it in JSON, one object a line')
		.option('-q, --quiet', 'print the links only')
		.addHelpText(
			'after',
			`
Prints one link for each file; whoever opens it fetches the file from here and passes it on.

Examples:
  $ shoal torrent seed holiday.mp4
  $ shoal torrent seed photos/ letters.zip --app https://shoal.example
  $ shoal torrent seed film.mkv --tracker wss://tracker.example/announce --write`,
		)
		.action(async (paths: string[], options: SeedOptions) => {
			const output = new Output(options);
			const stopped = stopSignal();
			const { patron, trackers, close } = await openPatron(options, '.', output, { site: true });
			try {
				for (const path of paths)
					await seedOne(path, { patron, trackers, options, output, stopped });
				output.event('Sharing until you press Ctrl-C.');
				report(patron, output);
				await aborted(stopped);
			} finally {
				await close();
			}
		});
}

async function seedOne(
	path: string,
	session: {
		patron: TorrentPatron;
		trackers: readonly string[];
		options: SeedOptions;
		output: Output;
		stopped: AbortSignal;
	},
): Promise<void> {
	const { patron, trackers, options, output, stopped } = session;
	const disk = await readDiskFiles(path);
	// The name in the torrent is the name on disk: seeding happens in place.
	const made = await makeWithProgress(
		disk,
		{ ...options, name: disk.name },
		output,
		trackers,
		stopped,
	);
	const { infoHash, name } = made.metainfo;
	if (options.write) {
		const file = join(disk.parent, `${disk.name}.torrent`);
		await writeTorrent(file, made.torrentFile, options.force === true);
	}
	const { already } = await patron.add(made.torrentFile, { path: disk.parent });
	if (already) output.event(`${disk.name} is shared already`);
	const magnet = magnetOf({ infoHash, name, announce: trackers });
	const link = `${siteOf(options)}/torrents/#${infoHash}`;
	output.result(link, describeMade(made, { type: 'seeding', link, magnet, path }));
}

function report(patron: TorrentPatron, output: Output): void {
	patron.on('status', ({ statuses }) => {
		if (output.json) for (const status of statuses) output.event('', jsonStatus(status));
		else output.progress(summary(statuses));
	});
	patron.on('failed', ({ code, message }) => output.warn(explain({ code, message }).message));
}

function summary(statuses: readonly TorrentStatus[]): string {
	const [only] = statuses;
	if (statuses.length === 1 && only) return describeStatus(only);
	const peers = statuses.reduce((sum, status) => sum + status.peers, 0);
	return `${statuses.length} torrents, ${peers} peers`;
}
