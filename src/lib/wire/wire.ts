import { equalBytes, toHex } from '../util/bytes.ts';
import { ShoalError } from '../model/error.ts';
import type { Message } from '../model/message.ts';
import type { Wire, WireOptions } from '../model/wire.ts';
import {
	MAX_BITFIELD_FRAME_BYTES,
	MAX_EXTENDED_FRAME_BYTES,
	MAX_EXTENDED_HANDSHAKES,
	MAX_PIECE_FRAME_BYTES,
	MAX_PLAIN_FRAME_BYTES,
} from './bounds.ts';
import {
	decodeExtendedHandshake,
	encodeExtendedHandshake,
	LIVE_EXTENSION_ID,
} from './extended-handshake.ts';
import { FrameReader } from './frame-reader.ts';
import { decodeHandshake, encodeHandshake, HANDSHAKE_BYTES } from './handshake.ts';
import {
	decodeLiveMessage,
	decodePlainMessage,
	encodeMessage,
	ID_BITFIELD,
	ID_EXTENDED,
	ID_PIECE,
} from './message-codec.ts';

function maxFrameBytes(id: number): number {
	if (id === ID_PIECE) return MAX_PIECE_FRAME_BYTES;
	if (id === ID_EXTENDED) return MAX_EXTENDED_FRAME_BYTES;
	if (id === ID_BITFIELD) return MAX_BITFIELD_FRAME_BYTES;
	return MAX_PLAIN_FRAME_BYTES;
}

/**
 * One BitTorrent wire of a channel as a pure byte machine: handshake (BEP 3), extended handshake (BEP 10), then
 * messages. `receive` throws `protocol` on the first breach; the owner then closes the connection.
 */
export function createWire({ infoHash, peerId }: WireOptions): Wire {
	const frames = new FrameReader(maxFrameBytes);
	let opening: Uint8Array | undefined = new Uint8Array(0);
	let remotePeerId = '';
	let remoteExtensionId: number | undefined;
	let extendedHandshakes = 0;

	const wire: Wire = {
		onReady: () => undefined,
		onForeign: () => undefined,
		onMessage: () => undefined,
		// Both at once: waiting for theirs in between would cost every new link a round trip.
		start: () => [encodeHandshake(infoHash, peerId), extendedHandshakeFrame()],
		receive,
		encode(message: Message) {
			if (remoteExtensionId === undefined) throw new ShoalError('closed', 'the wire is not ready');
			return encodeMessage(message, remoteExtensionId);
		},
	};
	return wire;

	function receive(bytes: Uint8Array): void {
		if (opening) {
			const rest = receiveOpening(bytes, opening);
			if (!rest) return;
			bytes = rest;
		}
		frames.push(bytes, receiveFrame);
	}

	/** Gathers the handshake; gives what follows it once it is whole. */
	function receiveOpening(bytes: Uint8Array, held: Uint8Array): Uint8Array | undefined {
		const missing = HANDSHAKE_BYTES - held.length;
		const joined = new Uint8Array(held.length + Math.min(missing, bytes.length));
		joined.set(held);
		joined.set(bytes.subarray(0, missing), held.length);
		if (joined.length < HANDSHAKE_BYTES) {
			opening = joined;
			return undefined;
		}
		const remote = decodeHandshake(joined, infoHash);
		if (equalBytes(remote.peerId, peerId)) throw new ShoalError('protocol', 'a wire to oneself');
		opening = undefined;
		remotePeerId = toHex(remote.peerId);
		return bytes.subarray(missing);
	}

	function receiveFrame(frame: Uint8Array): void {
		if (frame.length === 0) return; // keep-alive
		if (frame[0] === ID_EXTENDED) {
			receiveExtended(frame);
			return;
		}
		if (remoteExtensionId === undefined) return;
		const message = decodePlainMessage(frame);
		if (message) wire.onMessage(message);
	}

	function receiveExtended(frame: Uint8Array): void {
		const id = frame[1];
		if (id === 0) {
			if (++extendedHandshakes > MAX_EXTENDED_HANDSHAKES) {
				throw new ShoalError('protocol', 'too many extended handshakes');
			}
			if (remoteExtensionId !== undefined) return;
			remoteExtensionId = decodeExtendedHandshake(frame.subarray(2));
			if (remoteExtensionId === undefined) wire.onForeign(remotePeerId);
			else wire.onReady(remotePeerId);
			return;
		}
		if (id !== LIVE_EXTENSION_ID || remoteExtensionId === undefined) return;
		const message = decodeLiveMessage(frame.subarray(2));
		if (message) wire.onMessage(message);
	}
}

/** `u32 length | 20 | 0 | dictionary` (BEP 10). */
function extendedHandshakeFrame(): Uint8Array<ArrayBuffer> {
	const dict = encodeExtendedHandshake();
	const frame = new Uint8Array(6 + dict.length);
	new DataView(frame.buffer).setUint32(0, dict.length + 2);
	frame[4] = ID_EXTENDED;
	frame.set(dict, 6);
	return frame;
}
