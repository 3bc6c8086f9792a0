import { equalBytes, utf8 } from '../util/bytes.ts';
import { ShoalError } from '../model/error.ts';

/** Length of the BEP 3 handshake. */
export const HANDSHAKE_BYTES = 68;

const PROTOCOL = utf8('\x13BitTorrent protocol');
const RESERVED_EXTENDED = 0x10; // byte 5: BEP 10
const RESERVED_FAST = 0x04; // byte 7: BEP 6

/**
 * The 68 bytes that open a wire (BEP 3): `\x13BitTorrent protocol`, 8 reserved bytes that promise BEP 10 and BEP 6,
 * infohash, peer id.
 */
export function encodeHandshake(infoHash: Uint8Array, peerId: Uint8Array): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(HANDSHAKE_BYTES);
	bytes.set(PROTOCOL, 0);
	bytes[25] = RESERVED_EXTENDED;
	bytes[27] = RESERVED_FAST;
	bytes.set(infoHash, 28);
	bytes.set(peerId, 48);
	return bytes;
}

/** Reads a handshake for this swarm; throws `protocol` when it's another protocol, another swarm or a peer without BEP 10. */
export function decodeHandshake(
	bytes: Uint8Array,
	infoHash: Uint8Array,
): { peerId: Uint8Array<ArrayBuffer> } {
	if (!equalBytes(bytes.subarray(0, PROTOCOL.length), PROTOCOL)) fail('not BitTorrent');
	if (!equalBytes(bytes.subarray(28, 48), infoHash)) fail('another swarm');
	if (((bytes[25] ?? 0) & RESERVED_EXTENDED) === 0) fail('no extension protocol');
	return { peerId: new Uint8Array(bytes.subarray(48, 68)) };
}

function fail(what: string): never {
	throw new ShoalError('protocol', `handshake: ${what}`);
}
