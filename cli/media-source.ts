import { createReadStream, fstatSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { CliError, EXIT } from './cli-error.ts';
import { cutAtFormats } from './format-cutter.ts';
import { httpSource } from './http-source.ts';
import { listenTcp, listenUdp } from './listen-source.ts';
import type { MediaSource, SourceEvents } from './source-stretch.ts';
import { LIVE_LEAD_MS, untilBroken } from './source-stretch.ts';

/** Opens what `shoal seed` was given: `-`, a file, a web address, or an address to listen on. */
export async function openMediaSource(
	given: string | undefined,
	listen: string | undefined,
	events: SourceEvents,
): Promise<MediaSource> {
	return cutAtFormats(await openSource(given, listen, events));
}

async function openSource(
	given: string | undefined,
	listen: string | undefined,
	events: SourceEvents,
): Promise<MediaSource> {
	if (listen !== undefined) {
		if (given !== undefined) throw new CliError(EXIT.usage, 'Give a SOURCE or --listen, not both');
		return openListener(listen, events);
	}
	if (given === undefined)
		throw new CliError(EXIT.usage, 'What shall be sent? A SOURCE, - for stdin, or --listen');
	if (given === '-') return stdinSource(events);
	if (/^https?:\/\//i.test(given)) return httpSource(given, events);
	return fileSource(given, events);
}

function openListener(listen: string, events: SourceEvents): Promise<MediaSource> {
	const url = URL.canParse(listen) ? new URL(listen) : undefined;
	const port = Number(url?.port);
	if (!url || !/^(tcp|udp):$/.test(url.protocol) || url.port === '' || !url.hostname) {
		throw new CliError(
			EXIT.usage,
			`--listen takes tcp://HOST:PORT or udp://HOST:PORT, not ${listen}`,
		);
	}
	const host = url.hostname.replace(/^\[|\]$/g, '');
	return url.protocol === 'tcp:' ? listenTcp(host, port, events) : listenUdp(host, port, events);
}

function stdinSource(events: SourceEvents): MediaSource {
	if (process.stdin.isTTY) {
		throw new CliError(EXIT.usage, 'Nothing is piped in: ffmpeg … -f mpegts - | shoal seed -');
	}
	let taken = false;
	return {
		name: 'stdin',
		comesAgain: 'never',
		async next() {
			if (taken) return undefined;
			taken = true;
			return {
				bytes: untilBroken(web(process.stdin), 'stdin', events),
				leadMs: fstatSync(0).isFile() ? 0 : LIVE_LEAD_MS,
			};
		},
		close: () => process.stdin.destroy(),
	};
}

async function fileSource(path: string, events: SourceEvents): Promise<MediaSource> {
	const entry = await stat(path);
	if (entry.isDirectory()) throw new CliError(EXIT.input, `${path} is a folder, not a file`);
	if (entry.isFile() && entry.size === 0) throw new CliError(EXIT.input, `${path} is empty`);
	const stream = createReadStream(path, { highWaterMark: 256 * 1024 });
	// Said before anything is put on air, not in its midst.
	await new Promise((resolve, reject) => stream.once('open', resolve).once('error', reject));
	let taken = false;
	return {
		name: path,
		comesAgain: 'never',
		async next() {
			if (taken) return undefined;
			taken = true;
			return {
				bytes: untilBroken(web(stream), path, events),
				leadMs: entry.isFile() ? 0 : LIVE_LEAD_MS,
			};
		},
		close: () => stream.destroy(),
	};
}

function web(stream: Readable): ReadableStream<Uint8Array> {
	return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
}
