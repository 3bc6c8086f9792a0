import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { ReceivedSegment, SiteConfig } from '../src/lib/index.ts';
import { Viewer } from '../src/lib/index.ts';
import { segmentTorrentFile, toHex } from '../src/lib/node.ts';
import { writeArchiveTorrent } from './archive-torrent.ts';
import { CliError, EXIT } from './cli-error.ts';
import { LONGEST_WINDOW_S, NODE_PEER } from './node-peer.ts';
import { between } from './option-values.ts';
import { Output, showCount } from './output.ts';
import type { OutputOptions } from './output.ts';
import { Recording, keptOf } from './recording.ts';
import type { SiteOptions } from './site.ts';
import { loadSite, siteOptions } from './site.ts';
import { refusalWatch } from './tracker-words.ts';
import { stopSignal } from './until-stopped.ts';

interface ArchiveOptions extends SiteOptions, OutputOptions {
	readonly output?: string;
	readonly segments?: string;
	readonly force?: boolean;
	/** Seconds. */
	readonly timeout: number;
}

/** `shoal archive`. */
export function addArchive(program: Command): void {
	siteOptions(
		program
			.command('archive <link>')
			.description('make ordinary torrents of what is held of a broadcast now'),
	)
		.option('-o, --output <file>', 'the window as one file, with FILE.torrent beside it')
		.option('--segments <folder>', 'each segment as the torrent it is: N.torrent and N/segment')
		.option('--force', 'replace what is there')
		.option(
			'--timeout <seconds>',
			'give up when nothing comes for so long',
			between(1, 86_400, 'seconds'),
			30,
		)
		.option('--json', 'say what happens in JSON, one object a line')
		.option('-q, --quiet', 'say nothing but faults')
		.addHelpText(
			'after',
			`
Takes the window: the last minute, or as long as a relay holds. To keep a whole broadcast, record it:
"shoal seed --archive FILE" where it comes from, "shoal watch -o FILE --torrent" anywhere else.

Examples:
  $ shoal archive LINK -o highlight.mp4
  $ shoal torrent seed highlight.mp4                  (share it; its replay opens in the browser)
  $ shoal archive LINK --segments pieces
  $ shoal torrent get pieces/120.torrent -o pieces/120 --seed`,
		)
		.action(archive);
}

async function archive(link: string, options: ArchiveOptions): Promise<void> {
	const { output: file, segments: folder } = options;
	if (!file && !folder) throw new CliError(EXIT.usage, 'Where to? -o FILE, or --segments FOLDER');
	const output = new Output(options);
	const stopped = stopSignal();
	const config = await loadSite(options, link);
	const recording = file
		? await Recording.open(file, { force: options.force === true })
		: undefined;
	if (folder) await mkdir(folder, { recursive: true });
	let count = 0;
	try {
		for await (const segment of windowOf(link, config, options.timeout, stopped, output)) {
			count++;
			await recording?.write(keptOf(segment));
			if (folder) await writeSegment(folder, segment, config.trackers, options.force === true);
		}
	} finally {
		await recording?.close();
	}
	if (stopped.aborted) throw new CliError(EXIT.interrupted, 'Stopped; what has come in is kept');
	if (count === 0) throw new CliError(EXIT.network, 'Nobody holds anything of this broadcast');
	if (folder) {
		const said = `${showCount(count, 'segment')} in ${folder}, each with its .torrent`;
		output.event(said, { type: 'segments', count, folder });
	}
	for (const part of recording?.files ?? []) {
		await writeArchiveTorrent(part, { ...options, signal: stopped, link }, output);
	}
}

/** What is held of a broadcast, oldest first, up to its newest segment at the time. */
async function* windowOf(
	link: string,
	config: SiteConfig,
	timeoutS: number,
	signal: AbortSignal,
	output: Output,
): AsyncGenerator<ReceivedSegment> {
	const viewer = new Viewer(link, {
		config,
		role: 'relay',
		from: 'window',
		dvrMs: LONGEST_WINDOW_S * 1000,
		...NODE_PEER,
	});
	const close = () => void viewer.close();
	signal.addEventListener('abort', close);
	let timedOut = false;
	const timer = setTimeout(() => {
		timedOut = true;
		close();
	}, timeoutS * 1000);
	viewer.on('segment', () => timer.refresh());
	const sayRefusals = refusalWatch(output);
	viewer.on('stats', ({ trackers }) => sayRefusals(trackers));
	try {
		await viewer.open();
		let last: number | undefined;
		for await (const segment of viewer.segments('window')) {
			// What is held now, whether it has come yet or not.
			last ??= viewer.newestSequence ?? 0;
			yield segment;
			if (segment.manifest.sequence >= last) return;
		}
	} finally {
		clearTimeout(timer);
		signal.removeEventListener('abort', close);
		await viewer.close();
	}
	if (timedOut) {
		throw new CliError(EXIT.network, `Nothing came for ${timeoutS} s. Is anybody still there?`);
	}
}

async function writeSegment(
	folder: string,
	{ manifest, bytes }: ReceivedSegment,
	trackers: readonly string[],
	force: boolean,
): Promise<void> {
	const name = String(manifest.sequence);
	const flag = force ? 'w' : 'wx';
	try {
		await mkdir(join(folder, name), { recursive: true });
		await writeFile(join(folder, name, 'segment'), bytes, { flag });
		await writeFile(join(folder, `${name}.torrent`), segmentTorrentFile(manifest, trackers), {
			flag,
		});
	} catch (cause) {
		if ((cause as { code?: string }).code !== 'EEXIST') throw cause;
		const what = `segment ${name} (${toHex(manifest.infoHash)})`;
		throw new CliError(EXIT.input, `${folder} holds ${what} already; --force replaces it`, {
			cause,
		});
	}
}
