import { createReadStream, fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, stat } from 'node:fs/promises';
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
	if (entry.isFile() && (await isMp4(path))) return mp4Source(path, entry.size);
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

/** MP4 often has its index at the end: such a file is read where it is needed, not front to back. */
async function mp4Source(path: string, lengthBytes: number): Promise<MediaSource> {
	const file = await open(path);
	let taken = false;
	return {
		name: path,
		comesAgain: 'never',
		async next() {
			if (taken) return undefined;
			taken = true;
			return { bytes: { lengthBytes, read: (start, end) => readAll(file, start, end) }, leadMs: 0 };
		},
		close: () => void file.close().catch(() => undefined),
	};
}

async function isMp4(path: string): Promise<boolean> {
	const file = await open(path);
	try {
		const { buffer } = await file.read(Buffer.alloc(8), 0, 8, 0);
		// The first box of a file by ISO 14496-12 §4.3, and those of older QuickTime files.
		return /^(ftyp|moov|mdat|wide|free|skip)$/.test(buffer.toString('latin1', 4, 8));
	} finally {
		await file.close();
	}
}

async function readAll(file: FileHandle, start: number, end: number): Promise<Uint8Array> {
	const bytes = new Uint8Array(end - start);
	for (let at = 0; at < bytes.length;) {
		const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
		if (bytesRead === 0) throw new CliError(EXIT.input, 'It became shorter while it was read');
		at += bytesRead;
	}
	return bytes;
}

function web(stream: Readable): ReadableStream<Uint8Array> {
	return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
}
