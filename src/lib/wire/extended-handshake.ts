import { utf8 } from '../util/bytes.ts';
import { decodeBencode, encodeBencode } from '../model/bencode.ts';
import { ShoalError } from '../model/error.ts';
import {
	MAX_EXTENDED_HANDSHAKE_BYTES,
	MAX_EXTENSION_NAME_BYTES,
	MAX_EXTENSION_NAMES,
	MAX_QUEUED_REQUESTS,
} from './bounds.ts';

/** Name of the live extension in the BEP 10 handshake. */
export const LIVE_EXTENSION = 'shoal_live';
/** The id under which this side takes live messages. */
export const LIVE_EXTENSION_ID = 1;

/** The dictionary of the extended handshake (BEP 10): `m`, `reqq`, `v`. */
export function encodeExtendedHandshake(): Uint8Array<ArrayBuffer> {
	return encodeBencode(
		new Map<string, number | Uint8Array | Map<string, number>>([
			['m', new Map([[LIVE_EXTENSION, LIVE_EXTENSION_ID]])],
			['reqq', MAX_QUEUED_REQUESTS],
			['v', utf8('Shoal')],
		]),
	);
}

/** The id under which the other side takes live messages, or `undefined` when it has no live extension. Throws `protocol`. */
export function decodeExtendedHandshake(bytes: Uint8Array): number | undefined {
	if (bytes.length > MAX_EXTENDED_HANDSHAKE_BYTES) fail('too long');
	const dict = decodeBencode(bytes, { maxDepth: 4, maxTokens: 256 });
	if (!(dict instanceof Map)) fail('not a dictionary');
	const names = dict.get('m');
	if (names === undefined) return undefined;
	if (!(names instanceof Map)) fail('m is not a dictionary');
	if (names.size > MAX_EXTENSION_NAMES) fail('too many names');
	for (const name of names.keys()) if (name.length > MAX_EXTENSION_NAME_BYTES) fail('long name');
	const id = names.get(LIVE_EXTENSION);
	if (id === undefined || id === 0) return undefined;
	if (typeof id !== 'number' || id < 1 || id > 255) fail('bad id');
	return id;
}

function fail(what: string): never {
	throw new ShoalError('protocol', `extended handshake: ${what}`);
}
