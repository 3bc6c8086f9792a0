import type { Command } from 'commander';
import { Publisher, openPlace } from '../src/lib/node.ts';
import { writeArchiveTorrent } from './archive-torrent.ts';
import { CliError, EXIT, explain } from './cli-error.ts';
import { defaultKeyFile, openChannelFile } from './key-file.ts';
import { openMediaSource } from './media-source.ts';
import { NODE_PEER } from './node-peer.ts';
import { between, megabits } from './option-values.ts';
import { Output, plain, showCount, showRate, showTime } from './output.ts';
import type { OutputOptions } from './output.ts';
import { Recording } from './recording.ts';
import { sendSource } from './send-source.ts';
import type { SiteOptions } from './site.ts';
import { loadSite, siteOf, siteOptions } from './site.ts';
import { keepHeapSmall } from './small-heap.ts';
import { lossWatch, refusalWatch } from './tracker-words.ts';
import { stopSignal } from './until-stopped.ts';

interface SeedOptions extends SiteOptions, OutputOptions {
	readonly listen?: string;
	readonly key: string;
	readonly title?: string;
	readonly segment: number;
	readonly archive?: string;
	readonly force?: boolean;
	/** Bits per second. */
	readonly upLimit?: number;
}

const SECOND_MS = 1_000;
/** What a seed holds of its own: 16 s of 10 Mbit/s, a minute of 2.6. Viewers and relays hold the minute at higher rates. */
const WINDOW_BYTES = 20_000_000;
/** What hashing a recording may take when the person wants to leave. */
const MAKING_MS = 1_000;

/** `shoal seed`. */
export function addSeed(program: Command): void {
	siteOptions(
		program
			.command('seed [source]')
			.description('broadcast a stream or a file on your channel, without encoding it again'),
	)
		.option('--listen <url>', 'take it from a sender: tcp://127.0.0.1:9000 or udp://…')
		.option('--key <file>', 'the key of the channel; made on first use', defaultKeyFile())
		.option('--title <text>', 'what it is called (default: what the source says)')
		.option(
			'--segment <ms>',
			'shortest segment; each ends at a key frame',
			between(100, 5000, 'milliseconds'),
			500,
		)
		.option('--up-limit <mbit>', 'send at most so many Mbit/s', megabits)
		.option('--archive <file>', 'keep the broadcast in a file, and make a torrent of it at the end')
		.option('--force', 'replace what is in that file')
		.option('--json', 'say what happens in JSON on stdout, one object a line')
		.option('-q, --quiet', 'print the peer link only')
		.addHelpText(
			'after',
			`
SOURCE is a file, - for stdin, or a web or Icecast address: MP4, WebM, Matroska, MPEG-TS, MP3, AAC or Ogg.
Prints the peer link on stdout. Ctrl-C ends the broadcast, signed.

Examples:
  $ shoal seed film.mp4 --title "Film night"
  $ ffmpeg -re -i SOURCE -c copy -f mpegts - | shoal seed -
  $ shoal seed --listen tcp://127.0.0.1:9000        (OBS: docs/obs.md)
  $ shoal seed http://radio.example:8000/live.aac
  $ shoal seed - --app https://shoal.example < stream.ts`,
		)
		.action(seed);
}

async function seed(given: string | undefined, options: SeedOptions): Promise<void> {
	keepHeapSmall();
	const output = new Output(options);
	const stopped = stopSignal();
	let onTitle: (title: string) => void = () => undefined;
	const source = await openMediaSource(given, options.listen, {
		onTitle: (title) => onTitle(title),
		onMessage: (text) => output.event(text, { type: 'message', text }),
		onFault: (text) => output.warn(text),
		signal: stopped,
	});
	const undo: (() => unknown)[] = [() => source.close()];
	let sent = { recordingFault: undefined as unknown, segments: 0 };
	let recording: Recording | undefined;
	try {
		const config = await loadSite(options);
		const channel = await openChannelFile(options.key);
		undo.push(() => channel.release());
		if (options.archive) {
			recording = await Recording.open(options.archive, { force: options.force === true });
			undo.push(() => recording?.close());
		}
		const publisher = await Publisher.open({
			config,
			keys: channel.keys,
			place: await openPlace(channel.keys.channel, channel.storage),
			title: options.title ?? '',
			...NODE_PEER,
			uplinkCapBps: options.upLimit,
			dvr: { maxBytes: WINDOW_BYTES },
		});
		undo.push(() => publisher.end());
		if (options.title === undefined) {
			onTitle = (title) => {
				publisher.title = title;
				output.event(`Now: ${plain(title)}`, { type: 'title', title });
			};
		}
		const link = `${siteOf(options)}/watch/#${publisher.channel.id}`;
		output.result(link, { type: 'seeding', link, channel: publisher.channel.id });
		undo.push(report(publisher, output));
		const sending = { segmentMs: options.segment, output, recording, signal: stopped };
		sent = await sendSource(source, publisher, sending);
	} catch (error) {
		if (!stopped.aborted) throw error;
	} finally {
		for (const step of undo.reverse()) await step();
	}
	const { recordingFault, segments } = sent;
	output.event('The broadcast has ended.', { type: 'ended', segments });
	// After Ctrl-C there is little time.
	const signal = stopped.aborted ? AbortSignal.timeout(MAKING_MS) : stopped;
	for (const file of recording?.files ?? []) {
		await writeArchiveTorrent(file, { ...options, signal }, output);
	}
	if (recordingFault !== undefined) {
		throw new CliError(EXIT.failed, `Not all was kept: ${explain(recordingFault).message}`);
	}
}

/** Codecs that Chromium doesn't take in the containers that segments are. */
const UNPLAYED = [
	{ name: 'MP3', codec: /mp4a\.6b|mp4a\.69|\bmp3\b/i },
	{ name: 'Vorbis in MP4', codec: /^(?:audio|video)\/mp4.*vorbis/i },
];

function unplayedIn(mime: string): string | undefined {
	return UNPLAYED.find(({ codec }) => codec.test(mime))?.name;
}

function report(publisher: Publisher, output: Output): () => void {
	const startedAtMs = Date.now();
	let audience = 0;
	publisher.session.on('audience', ({ incomplete }) => (audience = incomplete));
	const sayLoss = lossWatch(output);
	const sayRefusals = refusalWatch(output);
	let mime: string | undefined;
	const timer = setInterval(() => {
		const { peer, swarm } = publisher.session;
		sayLoss(swarm.trackers);
		sayRefusals(swarm.trackers);
		if (peer.newest && peer.newest.mime !== mime) {
			mime = peer.newest.mime;
			const codec = unplayedIn(mime);
			if (codec)
				output.warn(`${codec} can’t be watched in Chrome or Edge; send AAC or Opus instead`);
		}
		const viewers = Math.max(peer.neighbours.length, audience);
		const { segments, bytes } = publisher.published;
		const copies = peer.traffic.bytesSent / Math.max(1, bytes);
		const time = showTime(Date.now() - startedAtMs);
		if (output.json) {
			const { streamBps } = peer;
			output.event('', {
				type: 'stats',
				viewers,
				links: peer.neighbours.length,
				segments,
				streamBps,
				copies,
			});
			return;
		}
		output.progress(
			`On air ${time} · ${showCount(viewers, 'viewer')} · ${showRate(peer.streamBps)} · you send ${copies.toFixed(1)} copies`,
		);
	}, SECOND_MS);
	return () => clearInterval(timer);
}
