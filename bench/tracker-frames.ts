// The cheapest WebSocket client there is, so that the load leaves the processor to the server.
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** A masked text frame whose mask is zero, so that the payload needs no masking (RFC 6455 §5.2). */
export function clientFrame(payload: Buffer): Buffer {
	const { length } = payload;
	const head = length < 126 ? 2 : 4;
	const frame = Buffer.alloc(head + 4 + length);
	frame[0] = 0x81;
	if (length < 126) frame[1] = 0x80 | length;
	else {
		frame[1] = 0x80 | 126;
		frame.writeUInt16BE(length, 2);
	}
	payload.copy(frame, head + 4);
	return frame;
}

const pong = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/** One connection: text frames come to `onText` as slices that are valid during the call only. */
export class LoadSocket {
	readonly index: number;
	readonly socket: Socket;
	open = false;
	#rest: Buffer | undefined;
	readonly #onText: (from: LoadSocket, payload: Buffer) => void;

	constructor(
		index: number,
		target: { port: number; host: string; localAddress: string },
		events: {
			onOpen: (socket: LoadSocket) => void;
			onText: (from: LoadSocket, payload: Buffer) => void;
			onClose: (socket: LoadSocket) => void;
		},
	) {
		this.index = index;
		this.#onText = events.onText;
		this.socket = connect({ ...target, noDelay: true });
		this.socket.on('connect', () => {
			this.socket.write(
				`GET /announce HTTP/1.1\r\nHost: ${target.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
			);
		});
		this.socket.on('data', (chunk) => this.#onData(chunk, events.onOpen));
		this.socket.on('error', () => undefined);
		this.socket.on('close', () => events.onClose(this));
	}

	#onData(chunk: Buffer, onOpen: (socket: LoadSocket) => void): void {
		let data = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
		this.#rest = undefined;
		if (!this.open) {
			const end = data.indexOf('\r\n\r\n');
			if (end < 0) {
				this.#rest = data;
				return;
			}
			if (!data.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) {
				this.socket.destroy();
				return;
			}
			this.open = true;
			data = data.subarray(end + 4);
			onOpen(this);
		}
		this.#readFrames(data);
	}

	#readFrames(data: Buffer): void {
		let at = 0;
		while (data.length - at >= 2) {
			const short = (data[at + 1] as number) & 0x7f;
			const head = short === 126 ? 4 : 2;
			if (data.length - at < head) break;
			const length = short === 126 ? data.readUInt16BE(at + 2) : short;
			if (data.length - at < head + length) break;
			const opcode = (data[at] as number) & 0x0f;
			if (opcode === 1) this.#onText(this, data.subarray(at + head, at + head + length));
			else if (opcode === 9) this.socket.write(pong);
			at += head + length;
		}
		if (at < data.length) this.#rest = Buffer.from(data.subarray(at));
	}
}
