import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { CliError, EXIT } from './cli-error.ts';
import { Senders } from './senders.ts';
import type { MediaSource, SourceEvents } from './source-stretch.ts';
import { LIVE_LEAD_MS, untilBroken } from './source-stretch.ts';

/** Silence on UDP after which the sender is taken for gone; its next packet begins anew. */
const UDP_SILENCE_MS = 5_000;
/** Bytes from UDP that may wait; packets beyond are lost, as they would be in the network. */
const UDP_WAITING_BYTES = 8 * 1024 * 1024;

/** Packets kept while the stream for them is made. */
const UDP_FIRST_PACKETS = 256;

/** MPEG-TS or anything else that one sender at a time pushes over TCP. */
export async function listenTcp(
	host: string,
	port: number,
	events: SourceEvents,
): Promise<MediaSource> {
	const server = createServer({ pauseOnConnect: true });
	const waiting: Readable[] = [];
	let wake: (() => void) | undefined;
	let busy = false;
	const senders = new Senders(events);
	server.on('connection', (socket) => {
		socket.on('error', () => undefined);
		if (busy || waiting.length > 0) {
			events.onMessage('A second sender was turned away.');
			socket.destroy();
			return;
		}
		socket.setKeepAlive(true, 10_000);
		waiting.push(socket);
		wake?.();
	});
	await new Promise<void>((resolve, reject) => {
		server.once('error', (cause) => reject(cannotListen(host, port, cause)));
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
		comesAgain: 'always',
		async next() {
			busy = false;
			while (!events.signal.aborted) {
				const socket = waiting.shift();
				if (socket) {
					busy = true;
					const bytes = Readable.toWeb(socket) as ReadableStream<Uint8Array>;
					const whole = untilBroken(bytes, 'The sender', events);
					return { bytes: senders.welcome(whole), leadMs: LIVE_LEAD_MS };
				}
				await new Promise<void>((resolve) => (wake = resolve));
			}
			return undefined;
		},
		close,
	};
}

/** MPEG-TS over UDP. */
export async function listenUdp(
	host: string,
	port: number,
	events: SourceEvents,
): Promise<MediaSource> {
	const socket = createSocket({
		type: host.includes(':') ? 'udp6' : 'udp4',
		recvBufferSize: 4 << 20,
	});
	let current: ReadableStreamDefaultController<Uint8Array> | undefined;
	let silence: NodeJS.Timeout | undefined;
	let arrive: (() => void) | undefined;
	let saidFull = false;
	let first: Uint8Array[] = [];
	const senders = new Senders(events);
	const end = () => {
		clearTimeout(silence);
		current?.close();
		current = undefined;
	};
	socket.on('message', (packet) => {
		if (!current) {
			// The first packets hold the tables that all the rest is read by.
			if (first.length < UDP_FIRST_PACKETS) first.push(new Uint8Array(packet));
			arrive?.();
			return;
		}
		clearTimeout(silence);
		silence = setTimeout(end, UDP_SILENCE_MS);
		if ((current.desiredSize ?? 0) > 0) current.enqueue(new Uint8Array(packet));
		else if (!saidFull) {
			saidFull = true;
			events.onMessage('This machine can’t keep up: packets are lost.');
		}
	});
	await new Promise<void>((resolve, reject) => {
		socket.once('error', (cause) => reject(cannotListen(host, port, cause)));
		socket.bind(port, host, () => resolve());
	});
	socket.on('error', () => undefined);
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
		comesAgain: 'always',
		async next() {
			if (closed) return undefined;
			if (first.length === 0) await new Promise<void>((resolve) => (arrive = resolve));
			if (events.signal.aborted) return undefined;
			const bytes = new ReadableStream<Uint8Array>(
				{
					start(controller) {
						current = controller;
						for (const packet of first) controller.enqueue(packet);
						first = [];
					},
					cancel: () => void (current = undefined),
				},
				new ByteLengthQueuingStrategy({ highWaterMark: UDP_WAITING_BYTES }),
			);
			silence = setTimeout(end, UDP_SILENCE_MS);
			return { bytes: senders.welcome(bytes), leadMs: LIVE_LEAD_MS };
		},
		close,
	};
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): CliError {
	const busy = cause.code === 'EADDRINUSE';
	const why = busy ? 'the port is in use; choose another with --listen' : cause.message;
	return new CliError(EXIT.failed, `Can't listen on ${host}:${port}: ${why}`, { cause });
}
