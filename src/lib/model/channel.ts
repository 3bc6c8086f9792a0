import {
	concatBytes,
	equalBytes,
	fromBase64Url,
	fromHex,
	toBase64Url,
	utf8,
} from '../util/bytes.ts';
import { ShoalError } from './error.ts';

/** Bytes of an Ed25519 public key (RFC 8032). */
export const PUBLIC_KEY_BYTES = 32;

/** A channel: who may broadcast on it is whoever holds the private half of this key. */
export interface Channel {
	/** The Ed25519 public key, 32 bytes. Not to be changed by the holder. */
	readonly publicKey: Uint8Array<ArrayBuffer>;
	/** The key as the peer link carries it: 43 characters of base64url. */
	readonly id: string;
}

/** The channel of a public key; throws `bad-key` for keys that anybody could sign for. */
export function channelOf(publicKey: Uint8Array): Channel {
	if (publicKey.length !== PUBLIC_KEY_BYTES) {
		throw new ShoalError('bad-key', `a public key has 32 bytes, this one ${publicKey.length}`);
	}
	if (!isCanonicalPoint(publicKey) || hasSmallOrder(publicKey)) {
		throw new ShoalError('bad-key', 'this key is one that anybody could sign for');
	}
	const copy = new Uint8Array(publicKey);
	return { publicKey: copy, id: toBase64Url(copy) };
}

/**
 * The channel named by a peer link, its fragment, or a bare channel id.
 * Throws `bad-link` when there is no channel in the text, `bad-key` when the key is not safe.
 */
export function parseChannel(text: string): Channel {
	const trimmed = text.trim();
	if (trimmed.length > 4096) throw new ShoalError('bad-link', 'the link is too long');
	const hash = trimmed.indexOf('#');
	const fragment = hash >= 0 ? trimmed.slice(hash + 1) : trimmed;
	// Room for later parts of the fragment (a secret, options) behind these separators.
	const id = fragment.split(/[.?&]/, 1)[0] ?? '';
	const publicKey = /^[A-Za-z0-9_-]{43}$/.test(id) ? fromBase64Url(id) : undefined;
	if (!publicKey) throw new ShoalError('bad-link', 'the link holds no channel');
	return channelOf(publicKey);
}

/** The bytes whose SHA-256, cut to 20 bytes, is the channel's infohash on trackers and wires. */
export function infoHashInput(channel: Channel): Uint8Array<ArrayBuffer> {
	return concatBytes(utf8('shoal/channel/1\0'), channel.publicKey);
}

// y coordinates of the points whose order divides 8, little-endian, sign bit clear.
const SMALL_ORDER_Y = [
	'0000000000000000000000000000000000000000000000000000000000000000',
	'0100000000000000000000000000000000000000000000000000000000000000',
	'26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
	'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
	'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => fromHex(hex) ?? new Uint8Array());

function withoutSign(publicKey: Uint8Array): Uint8Array {
	const y = new Uint8Array(publicKey);
	y[31] = (y[31] ?? 0) & 0x7f;
	return y;
}

/** Whether the encoded y is below the field's prime 2^255 − 19 (RFC 8032 §5.1.3). */
function isCanonicalPoint(publicKey: Uint8Array): boolean {
	const y = withoutSign(publicKey);
	if (y[31] !== 0x7f) return true;
	for (let i = 30; i > 0; i--) if (y[i] !== 0xff) return true;
	return (y[0] ?? 0) < 0xed;
}

function hasSmallOrder(publicKey: Uint8Array): boolean {
	const y = withoutSign(publicKey);
	return SMALL_ORDER_Y.some((small) => equalBytes(small, y));
}
