import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { ReceivedSegment } from '../src/lib/index.ts';
import { Viewer } from '../src/lib/index.ts';
import { writeArchiveTorrent } from './archive-torrent.ts';
import { CliError, EXIT } from './cli-error.ts';
import { HlsChannel, serveHls } from './hls.ts';
import { NODE_PEER } from './node-peer.ts';
import { between, megabits } from './option-values.ts';
import { Output, plain, showRate } from './output.ts';
import type { OutputOptions } from './output.ts';
import { Recording, keptOf } from './recording.ts';
import type { SiteOptions } from './site.ts';
import { loadSite, siteOptions } from './site.ts';
import { stopSignal } from './until-stopped.ts';
import { sayStates, stateWords } from './viewer-words.ts';

/** How far back `--from window` goes, seconds. */
const BACK_S = 600;

interface WatchOptions extends SiteOptions, OutputOptions {
	readonly stdout?: boolean;
	readonly output?: string;
	readonly mpv?: boolean;
	readonly vlc?: boolean;
	readonly http?: string;
	readonly from: string;
	readonly torrent?: boolean;
	readonly force?: boolean;
	readonly share: boolean;
	/** Bits per second. */
	readonly upLimit?: number;
	/** Seconds. */
	readonly timeout?: number;
}

const HLS_WINDOW_MS = 60_000;
/** What hashing a recording may take when the person wants to leave. */
const MAKING_MS = 1_000;

/** `shoal watch`. */
export function addWatch(program: Command): void {
	siteOptions(
		program
			.command('watch <link>')
			.description('watch a channel: in a player, to a file, or to stdout'),
	)
		.option('--stdout', 'write the media to stdout (what happens when nothing else is asked for)')
		.option('-o, --output <file>', 'write it to a file')
		.option('--force', 'replace what is in that file')
		.option('--torrent', 'make a torrent of that file at the end, to go on sharing it')
		.option('--mpv', 'show it in mpv')
		.option('--vlc', 'show it in VLC')
		.option(
			'--http <port>',
			'serve HLS and a plain stream that any player opens; PORT or HOST:PORT',
		)
		.option(
			'--from <where>',
			'live, or window: the oldest that others still hold, of ten minutes at most',
			'live',
		)
		.option('--no-share', 'pass nothing on')
		.option('--up-limit <mbit>', 'pass on at most so many Mbit/s', megabits)
		.option(
			'--timeout <seconds>',
			'give up when nothing comes for so long (default: wait for ever)',
			between(1, 86_400, 'seconds'),
		)
		.option('--json', 'say what happens in JSON; not with --stdout')
		.option('-q, --quiet', 'say nothing but faults')
		.addHelpText(
			'after',
			`
Segments come out in strict order. What can't be had in time is left out, and said.

Examples:
  $ shoal watch "http://localhost:8000/watch/#…" --mpv
  $ shoal watch LINK --stdout | ffplay -
  $ shoal watch LINK -o evening.mp4 --from window --torrent
  $ shoal watch LINK --http 8090        (then open http://localhost:8090/live.m3u8 in VLC or on a TV)`,
		)
		.action(watch);
}

async function watch(link: string, options: WatchOptions): Promise<void> {
	if (options.from !== 'live' && options.from !== 'window') {
		throw new CliError(EXIT.usage, '--from takes live or window');
	}
	const from = options.from;
	const stopped = stopSignal();
	const toStdout =
		options.stdout === true || !(options.output ?? options.http ?? options.mpv ?? options.vlc);
	const output = new Output(toStdout ? { quiet: options.quiet === true } : options);
	if (toStdout && process.stdout.isTTY) {
		throw new CliError(
			EXIT.usage,
			'Media would go to your terminal: add --mpv, --vlc, --http or -o FILE, or pipe it',
		);
	}
	if (options.torrent && !options.output) {
		throw new CliError(EXIT.usage, '--torrent needs a file to make it of: -o FILE');
	}
	const viewer = new Viewer(link, {
		config: await loadSite(options, link),
		...NODE_PEER,
		from,
		...(from === 'window' ? { dvrMs: BACK_S * 1000 } : {}),
		share: options.share,
		maxUploadBps: options.upLimit,
	});
	let recording: Recording | undefined;
	const sinks: Sink[] = [];
	const undo: (() => unknown)[] = [() => viewer.close()];
	try {
		if (toStdout) sinks.push(streamSink(process.stdout));
		if (options.output) {
			recording = await Recording.open(options.output, { force: options.force === true });
			sinks.push(recordingSink(recording));
			undo.push(() => recording?.close());
		}
		for (const player of ['mpv', 'vlc'] as const) {
			if (options[player]) sinks.push(playerSink(player, () => void viewer.close()));
		}
		if (options.http) {
			const channel = new HlsChannel(HLS_WINDOW_MS);
			const server = await serveHls(new Map([[viewer.channel.id, channel]]), options.http);
			undo.push(() => server.close());
			output.result(`${server.url}/live.m3u8`, { type: 'serving', url: server.url });
			sinks.push({
				write: async (segment) => channel.add(segment),
				end: async () => channel.end(),
			});
		}
		sayStates([viewer], output);
		sayFigures(viewer, output);
		stopped.addEventListener('abort', () => void viewer.close());
		const deadline = watchDeadline(viewer, options.timeout);
		undo.push(deadline.stop);
		await viewer.open();
		await Promise.race([pour(viewer, from, sinks, output), deadline.late]);
	} finally {
		for (const step of undo.reverse()) await step();
	}
	if (!options.torrent) return;
	// After Ctrl-C there is little time.
	const signal = stopped.aborted ? AbortSignal.timeout(MAKING_MS) : stopped;
	for (const file of recording?.files ?? []) {
		await writeArchiveTorrent(file, { ...options, signal, link }, output);
	}
}

interface Sink {
	write(segment: ReceivedSegment): Promise<void>;
	end(): Promise<void>;
}

/** Segments in order to every sink, from the first key frame on. */
async function pour(
	viewer: Viewer,
	from: 'live' | 'window',
	sinks: readonly Sink[],
	output: Output,
): Promise<void> {
	let before: ReceivedSegment | undefined;
	for await (const segment of viewer.segments(from)) {
		const { manifest } = segment;
		if (!before && manifest.sinceKeyFrame > 0) continue;
		if (before?.manifest.epoch === manifest.epoch) {
			const skipped = manifest.sequence - before.manifest.sequence - 1;
			const skippedMs =
				(manifest.startUs - before.manifest.startUs - before.manifest.durationUs) / 1000;
			if (skipped > 0) {
				output.event(`Left out ${(skippedMs / 1000).toFixed(1)} s that could not be had in time`, {
					type: 'skipped',
					segments: skipped,
					skippedMs,
				});
			}
		}
		before = segment;
		await Promise.all(sinks.map((sink) => sink.write(segment)));
	}
	await Promise.all(sinks.map((sink) => sink.end()));
}

/** Init segment and media, one after another; the init again when it changes. */
function streamSink(stream: Writable): Sink {
	let init: unknown;
	let failure: Error | undefined;
	stream.on('error', (error) => (failure = error));
	const put = async (bytes: Uint8Array) => {
		if (failure) throw failure;
		if (stream.write(bytes)) return;
		await new Promise<void>((resolve) => {
			stream.once('drain', resolve);
			stream.once('error', () => resolve());
			stream.once('close', () => resolve());
		});
	};
	return {
		async write(segment) {
			if (init !== segment.init) await put(segment.init.bytes);
			init = segment.init;
			await put(segment.bytes);
		},
		// Whoever reads it sees its end; what is still on its way is written before.
		end: () => new Promise((resolve) => stream.end(() => resolve())),
	};
}

function recordingSink(recording: Recording): Sink {
	return {
		write: (segment) => recording.write(keptOf(segment)),
		end: () => recording.close(),
	};
}

function playerSink(player: 'mpv' | 'vlc', onExit: () => void): Sink {
	const args =
		player === 'mpv'
			? ['--quiet', '--profile=low-latency', '--cache=no', '-']
			: ['--quiet', '--network-caching=300', '-'];
	const child = spawn(player, args, { stdio: ['pipe', 'ignore', 'inherit'] });
	let missing: Error | undefined;
	child.on('error', (cause) => {
		missing = new CliError(EXIT.failed, `${player} can't be started: is it installed?`, { cause });
		onExit();
	});
	child.on('exit', onExit);
	child.stdin.on('error', () => undefined);
	const sink = streamSink(child.stdin);
	return {
		async write(segment) {
			if (missing) throw missing;
			if (child.exitCode === null) await sink.write(segment);
		},
		async end() {
			if (missing) throw missing;
			child.stdin.end();
		},
	};
}

function sayFigures(viewer: Viewer, output: Output): void {
	let title = '';
	viewer.on('stats', (stats) => {
		if (viewer.title !== title) {
			title = viewer.title;
			output.event(`Title: ${plain(title)}`, { type: 'title', title });
		}
		if (output.json) {
			const { links, segments, segmentsLost, downloadBps, uploadBps, viewers, joinMs } = stats;
			const figures = { links, segments, segmentsLost, downloadBps, uploadBps, viewers, joinMs };
			output.event('', { type: 'stats', ...figures });
			return;
		}
		output.progress(
			`${showRate(stats.downloadBps)} in · you pass on ${showRate(stats.uploadBps)} · ${stats.viewers} watching`,
		);
	});
}

/** Fails when nothing comes for too long, and at once where there is no WebRTC. */
function watchDeadline(
	viewer: Viewer,
	timeoutS: number | undefined,
): { late: Promise<never>; stop(): void } {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		viewer.on('state', (state) => {
			if (state.type === 'failed' && state.error.code === 'no-webrtc') reject(state.error);
		});
		if (timeoutS === undefined) return;
		timer = setTimeout(() => {
			const why = stateWords(viewer.state).toLowerCase();
			reject(new CliError(EXIT.network, `Nothing came for ${timeoutS} s (${why})`));
		}, timeoutS * 1000);
		viewer.on('segment', () => timer?.refresh());
	});
	late.catch(() => undefined);
	return { late, stop: () => clearTimeout(timer) };
}
