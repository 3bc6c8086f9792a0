import { createSocket } from 'node:dgram';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { CliError, EXIT } from './cli-error.ts';
import { stripIcyTitles } from './icy.ts';

/** One stretch of media: it ends with the file, the connection, or the signal. */
export interface MediaStream {
	readonly bytes: ReadableStream<Uint8Array>;
	/** Whether it comes faster than it plays, so that it has to be slowed to its own pace. */
	readonly paced: boolean;
}

/** Where media comes from. */
export interface MediaSource {
	/** For messages. */
	readonly name: string;
	/** What comes next; `undefined` when there is no more. Waits for a connection where it listens for one. */
	next(): Promise<MediaStream | undefined>;
	/** Lets go of sockets; idempotent. */
	close(): void;
}

/** What a source tells on the way. */
export interface SourceEvents {
	/** A station named what it plays. */
	onTitle(title: string): void;
	onMessage(text: string): void;
	readonly signal: AbortSignal;
}

const RETRY_MOST_MS = 10_000;
/** Silence on UDP after which the sender is taken for gone; its next packet begins anew. */
const UDP_SILENCE_MS = 5_000;

/** Opens what `shoal seed` was given: `-`, a file, a web address, or an address to listen on. */
export async function openMediaSource(
	given: string | undefined,
	listen: string | undefined,
	events: SourceEvents,
): Promise<MediaSource> {
	if (listen !== undefined) {
		if (given !== undefined) throw new CliError(EXIT.usage, 'Give a SOURCE or --listen, not both');
		const url = URL.canParse(listen) ? new URL(listen) : undefined;
		const port = Number(url?.port);
		if (!url || !/^(tcp|udp):$/.test(url.protocol) || !(port >= 0 && url.port !== '')) {
			throw new CliError(
				EXIT.usage,
				`--listen takes tcp://HOST:PORT or udp://HOST:PORT, not ${listen}`,
			);
		}
		const host = url.hostname.replace(/^\[|\]$/g, '');
		return url.protocol === 'tcp:' ? listenTcp(host, port, events) : listenUdp(host, port, events);
	}
	if (given === undefined)
		throw new CliError(EXIT.usage, 'What shall be sent? A SOURCE, - for stdin, or --listen');
	if (given === '-') return stdinSource();
	if (/^https?:\/\//i.test(given)) return httpSource(given, events);
	return fileSource(given);
}

function stdinSource(): MediaSource {
	let taken = false;
	return {
		name: 'stdin',
		async next() {
			if (taken) return undefined;
			taken = true;
			return { bytes: web(process.stdin), paced: false };
		},
		close: () => process.stdin.destroy(),
	};
}

async function fileSource(path: string): Promise<MediaSource> {
	const entry = await stat(path);
	if (entry.isDirectory()) throw new CliError(EXIT.input, `${path} is a folder, not a file`);
	if (entry.isFile() && entry.size === 0) throw new CliError(EXIT.input, `${path} is empty`);
	let stream: Readable | undefined;
	return {
		name: path,
		async next() {
			if (stream) return undefined;
			stream = createReadStream(path, { highWaterMark: 256 * 1024 });
			return { bytes: web(stream), paced: entry.isFile() };
		},
		close: () => stream?.destroy(),
	};
}

/** A web stream; comes again by itself when it breaks off, until told to stop. */
function httpSource(url: string, { onTitle, onMessage, signal }: SourceEvents): MediaSource {
	let connections = 0;
	return {
		name: url,
		async next() {
			for (let failures = 0; !signal.aborted; failures++) {
				if (connections > 0 || failures > 0) {
					const waitMs = Math.min(500 * 2 ** failures, RETRY_MOST_MS);
					onMessage(`${url} broke off; trying again in ${waitMs / 1000} s`);
					await pause(waitMs, signal);
				}
				try {
					const response = await fetch(url, { signal, headers: { 'icy-metadata': '1' } });
					if (!response.ok || !response.body) throw new Error(`it answers ${response.status}`);
					connections++;
					const interval = Number(response.headers.get('icy-metaint'));
					const body = response.body as ReadableStream<Uint8Array>;
					// A length means a file that comes as fast as the line allows.
					const paced = response.headers.has('content-length');
					const bytes = interval > 0 ? body.pipeThrough(stripIcyTitles(interval, onTitle)) : body;
					return { bytes, paced };
				} catch (cause) {
					if (signal.aborted) return undefined;
					if (connections === 0) {
						const { message } = cause as Error;
						throw new CliError(EXIT.network, `${url} can't be read: ${message}`, { cause });
					}
				}
			}
			return undefined;
		},
		close: () => undefined,
	};
}

/** MPEG-TS or anything else that one sender at a time pushes over TCP. */
async function listenTcp(host: string, port: number, events: SourceEvents): Promise<MediaSource> {
	const server = createServer({ pauseOnConnect: true });
	const waiting: Readable[] = [];
	let wake: (() => void) | undefined;
	let busy = false;
	server.on('connection', (socket) => {
		if (busy || waiting.length > 0) {
			events.onMessage('A second sender was turned away.');
			socket.destroy();
			return;
		}
		socket.on('error', () => undefined);
		waiting.push(socket);
		wake?.();
	});
	await new Promise<void>((resolve, reject) => {
		server.once('error', (cause: NodeJS.ErrnoException) => {
			const why = cause.code === 'EADDRINUSE' ? 'the port is in use' : cause.message;
			reject(new CliError(EXIT.failed, `Can't listen on ${host}:${port}: ${why}`, { cause }));
		});
		server.listen(port, host, resolve);
	});
	const bound = server.address();
	const name = `tcp://${host}:${typeof bound === 'object' && bound ? bound.port : port}`;
	events.onMessage(`Waiting for a sender on ${name}`);
	const close = () => {
		server.close();
		for (const socket of waiting.splice(0)) socket.destroy();
		wake?.();
	};
	events.signal.addEventListener('abort', close);
	return {
		name,
		async next() {
			busy = false;
			while (!events.signal.aborted) {
				const socket = waiting.shift();
				if (socket) {
					busy = true;
					events.onMessage('A sender is here.');
					return { bytes: web(socket), paced: false };
				}
				await new Promise<void>((resolve) => (wake = resolve));
			}
			return undefined;
		},
		close,
	};
}

/** MPEG-TS over UDP. */
async function listenUdp(host: string, port: number, events: SourceEvents): Promise<MediaSource> {
	const socket = createSocket({
		type: host.includes(':') ? 'udp6' : 'udp4',
		recvBufferSize: 4 << 20,
	});
	let current: ReadableStreamDefaultController<Uint8Array> | undefined;
	let silence: NodeJS.Timeout | undefined;
	let arrive: (() => void) | undefined;
	const end = () => {
		clearTimeout(silence);
		current?.close();
		current = undefined;
	};
	socket.on('message', (packet) => {
		if (!current) {
			arrive?.();
			return; // the first packet only wakes; MPEG-TS finds its feet within the next
		}
		current.enqueue(new Uint8Array(packet));
		clearTimeout(silence);
		silence = setTimeout(end, UDP_SILENCE_MS);
	});
	await new Promise<void>((resolve, reject) => {
		socket.once('error', (cause: NodeJS.ErrnoException) => {
			const why = cause.code === 'EADDRINUSE' ? 'the port is in use' : cause.message;
			reject(new CliError(EXIT.failed, `Can't listen on ${host}:${port}: ${why}`, { cause }));
		});
		socket.bind(port, host, () => resolve());
	});
	const name = `udp://${host}:${socket.address().port}`;
	events.onMessage(`Waiting for a sender on ${name}`);
	let closed = false;
	const close = () => {
		if (closed) return;
		closed = true;
		end();
		socket.close();
		arrive?.();
	};
	events.signal.addEventListener('abort', close);
	return {
		name,
		async next() {
			if (closed) return undefined;
			await new Promise<void>((resolve) => (arrive = resolve));
			if (events.signal.aborted) return undefined;
			events.onMessage('A sender is here.');
			const bytes = new ReadableStream<Uint8Array>({
				start: (controller) => void (current = controller),
			});
			silence = setTimeout(end, UDP_SILENCE_MS);
			return { bytes, paced: false };
		},
		close,
	};
}

function web(stream: Readable): ReadableStream<Uint8Array> {
	return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
}

/** Waits, or less when the signal fires. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		if (signal.aborted) {
			resolve();
			return;
		}
		const timer = setTimeout(done, milliseconds);
		signal.addEventListener('abort', done, { once: true });
		function done() {
			clearTimeout(timer);
			signal.removeEventListener('abort', done);
			resolve();
		}
	});
}
