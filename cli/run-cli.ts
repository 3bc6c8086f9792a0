import { Command, CommanderError } from 'commander';
import { EXIT, explain } from './cli-error.ts';
import { addArchive } from './archive.ts';
import { addDoctor } from './doctor.ts';
import { addKey } from './key.ts';
import { addRelay } from './relay.ts';
import { addSeed } from './seed.ts';
import { addTorrentGet } from './torrent-get.ts';
import { addTorrentInfo } from './torrent-info.ts';
import { addTorrentMake } from './torrent-make.ts';
import { addTorrentSeed } from './torrent-seed.ts';
import { addTracker } from './tracker.ts';
import { addWatch } from './watch.ts';

/** The whole command line: `shoal` with all its commands. */
export function makeProgram(): Command {
	const program = new Command('shoal')
		.description('Live streaming carried by the people who watch it, and plain torrents.')
		.version(VERSION)
		.showHelpAfterError('(--help shows how)')
		.exitOverride();
	addSeed(program);
	addWatch(program);
	addRelay(program);
	addArchive(program);
	addKey(program);
	const torrent = program
		.command('torrent')
		.description('make, share and fetch ordinary torrents that browsers can reach');
	addTorrentSeed(torrent);
	addTorrentMake(torrent);
	addTorrentGet(torrent);
	addTorrentInfo(torrent);
	addTracker(program);
	addDoctor(program);
	program.addHelpText(
		'after',
		`
Exit codes:
  0 done · 1 failed on the way · 2 wrong usage · 3 unusable file, link or stream
  4 nobody answers (site, tracker, peers) · 130 stopped before it was done

"shoal <command> --help" has examples.`,
	);
	return program;
}

/** Runs a command line and gives its exit code; messages for people go to stderr. */
export async function runCli(args: readonly string[]): Promise<number> {
	try {
		await makeProgram().parseAsync([...args], { from: 'user' });
		return EXIT.ok;
	} catch (error) {
		// Commander has said it already; asking for help is no fault.
		if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
		const { exitCode, message } = explain(error);
		process.stderr.write(`${process.stderr.isTTY ? '\r\u001b[K' : ''}shoal: ${message}\n`);
		if (process.env.SHOAL_DEBUG) console.error(error);
		return exitCode;
	}
}

const VERSION = '0.1.0';
