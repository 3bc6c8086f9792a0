import { createWriteStream } from 'node:fs';
import type { Command } from 'commander';
import { ShoalError } from '../src/lib/index.ts';
import type { EncodedSegment } from '../src/lib/node.ts';
import { Publisher, openPlace } from '../src/lib/node.ts';
import { writeArchiveTorrent } from './archive.ts';
import { CliError, EXIT } from './cli-error.ts';
import { defaultKeyFile, openChannelFile } from './key-file.ts';
import type { MediaSource } from './media-source.ts';
import { openMediaSource, pause } from './media-source.ts';
import { NODE_PEER } from './node-peer.ts';
import { Output, plain, showRate, showTime } from './output.ts';
import type { OutputOptions } from './output.ts';
import { remux } from './remux.ts';
import type { SiteOptions } from './site.ts';
import { loadSite, siteOf, siteOptions } from './site.ts';
import { stopSignal } from './until-stopped.ts';

interface SeedOptions extends SiteOptions, OutputOptions {
	readonly listen?: string;
	readonly key: string;
	readonly title?: string;
	readonly segment: string;
	readonly archive?: string;
	readonly upLimit?: string;
}

/** A source that brings nothing for so long is said to be silent. */
const SILENT_MS = 5_000;
const SECOND_MS = 1_000;

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
		.option('--segment <ms>', 'shortest segment; each ends at a key frame', '500')
		.option('--up-limit <mbit>', 'send at most so many Mbit/s')
		.option('--archive <file>', 'keep the broadcast in a file, and make a torrent of it at the end')
		.option('--json', 'say what happens in JSON on stderr’s place, one object a line')
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
  $ shoal seed http://radio.example:8000/live.mp3
  $ shoal seed - --app https://shoal.example < stream.ts`,
		)
		.action(seed);
}

async function seed(given: string | undefined, options: SeedOptions): Promise<void> {
	const output = new Output(options);
	const stopped = stopSignal();
	const segmentMs = Number(options.segment);
	if (!(segmentMs >= 100 && segmentMs <= 5000)) {
		throw new CliError(EXIT.usage, '--segment takes 100 to 5000 milliseconds');
	}
	let onTitle: (title: string) => void = () => undefined;
	const source = await openMediaSource(given, options.listen, {
		onTitle: (title) => onTitle(title),
		onMessage: (text) => output.event(text, { type: 'message', text }),
		signal: stopped,
	});
	const undo: (() => unknown)[] = [() => source.close()];
	try {
		const config = await loadSite(options);
		const channel = await openChannelFile(options.key);
		undo.push(() => channel.release());
		const upMbit = Number(options.upLimit);
		const publisher = await Publisher.open({
			config,
			keys: channel.keys,
			place: await openPlace(channel.keys.channel, channel.storage),
			title: options.title ?? '',
			...NODE_PEER,
			...(upMbit > 0 && { uplinkCapBps: upMbit * 1e6 }),
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
		await sendAll(source, publisher, { options, segmentMs, output, stopped });
		output.event('The broadcast has ended.', { type: 'ended' });
	} catch (error) {
		if (!stopped.aborted) throw error;
	} finally {
		for (const step of undo.reverse()) await step();
	}
	if (options.archive) await writeArchiveTorrent(options.archive, options, output);
}

/** Sends stretch after stretch of the source on one timeline. */
async function sendAll(
	source: MediaSource,
	publisher: Publisher,
	context: { options: SeedOptions; segmentMs: number; output: Output; stopped: AbortSignal },
): Promise<void> {
	const { options, segmentMs, output, stopped } = context;
	const archive = options.archive === undefined ? undefined : createWriteStream(options.archive);
	archive?.on('error', (error) => output.warn(`The archive can't be written: ${error.message}`));
	const warned = new Set<string>();
	const onWarning = (text: string) => {
		if (warned.has(text)) return;
		warned.add(text);
		output.warn(text);
	};
	let endUs = 0;
	let sent = 0;
	let initWritten: EncodedSegment['init'] | undefined;
	for (let stretch = 0; !stopped.aborted; stretch++) {
		const media = await source.next();
		if (!media) break;
		const startedAtMs = performance.now() - endUs / 1000;
		const silence = watchSilence(output);
		try {
			for await (const segment of remux(media.bytes, {
				segmentMs,
				startUs: endUs,
				onWarning,
				signal: stopped,
			})) {
				silence.heard();
				if (media.paced) {
					const aheadMs = segment.startUs / 1000 - (performance.now() - startedAtMs);
					if (aheadMs > 0) await pause(aheadMs, stopped);
				}
				if (stopped.aborted) break;
				endUs = segment.startUs + segment.durationUs;
				if (archive) {
					if (initWritten !== segment.init) archive.write(segment.init.bytes.slice());
					initWritten = segment.init;
					archive.write(segment.bytes.slice());
				}
				await publisher.publish(segment);
				sent++;
			}
		} catch (error) {
			// A listener or a station may bring something better next time; a file won't.
			const final = error instanceof ShoalError || sent === 0 || source.name === options.key;
			if (final || !/^(tcp|udp|https?):/.test(source.name)) throw error;
			output.warn(error instanceof Error ? error.message : String(error));
		} finally {
			silence.stop();
		}
	}
	if (archive) await new Promise<void>((resolve) => archive.end(resolve));
	if (sent === 0 && !stopped.aborted) {
		throw new CliError(EXIT.input, `${source.name} ended before anything could be sent`);
	}
}

/** Says when nothing comes, and when it comes again. */
function watchSilence(output: Output): { heard(): void; stop(): void } {
	let silent = false;
	const timer = setInterval(() => {
		if (silent) return;
		silent = true;
		output.warn('Nothing comes from the source; viewers wait. It goes on when the source does.');
	}, SILENT_MS);
	return {
		heard() {
			timer.refresh();
			if (silent) output.warn('The source is back.');
			silent = false;
		},
		stop: () => clearInterval(timer),
	};
}

function report(publisher: Publisher, output: Output): () => void {
	const startedAtMs = Date.now();
	let audience = 0;
	publisher.session.on('audience', ({ incomplete }) => (audience = incomplete));
	const timer = setInterval(() => {
		const { peer } = publisher.session;
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
			`On air ${time} · ${viewers} viewers · ${showRate(peer.streamBps)} · you send ${copies.toFixed(1)} copies`,
		);
	}, SECOND_MS);
	return () => clearInterval(timer);
}
