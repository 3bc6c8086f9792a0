import { createHmac, createPublicKey, sign, timingSafeEqual, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import * as v from 'valibot';

import type { SignedRole } from './core/connection.ts';

/** What a join token says (RFC 7519 claims, plus `ih` and `role`). */
export interface JoinClaims {
	/** The torrent it opens, 40 hex digits, or `*` for every one. */
	readonly ih: string;
	/** Expiry, Unix seconds. */
	readonly exp: number;
	/** Sources and relays are offered to the first joiners and to those who starve. */
	readonly role?: SignedRole | 'viewer' | undefined;
}

/** Checks a token; undefined for one that is malformed, forged or over. */
export type TokenVerifier = (token: string | undefined, nowMs: number) => JoinClaims | undefined;

const claimsSchema = v.object({
	ih: v.union([v.literal('*'), v.pipe(v.string(), v.regex(/^[0-9a-fA-F]{40}$/))]),
	exp: v.pipe(v.number(), v.finite()),
	role: v.optional(v.picklist(['source', 'relay', 'viewer'])),
});

const longestToken = 2048;
/** DER in front of the 32 bytes of an Ed25519 public key (RFC 8410). */
const ed25519Prefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Verifier for tokens signed with a shared secret: JWT, `HS256`. */
export function secretVerifier(secret: string): TokenVerifier {
	return verifier('HS256', (signed, signature) => {
		const expected = createHmac('sha256', secret).update(signed).digest();
		return signature.length === expected.length && timingSafeEqual(signature, expected);
	});
}

/** Verifier for tokens signed with an Ed25519 key: JWT, `EdDSA`. `key` is base64url, 32 bytes. */
export function keyVerifier(key: string): TokenVerifier {
	const publicKey = createPublicKey({
		key: Buffer.concat([ed25519Prefix, Buffer.from(key, 'base64url')]),
		format: 'der',
		type: 'spki',
	});
	return verifier('EdDSA', (signed, signature) =>
		verify(null, Buffer.from(signed), publicKey, signature),
	);
}

/** A token; `key` is the shared secret, or an Ed25519 private key. */
export function issueToken(claims: JoinClaims, key: string | KeyObject): string {
	const alg = typeof key === 'string' ? 'HS256' : 'EdDSA';
	const signed = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
	const signature =
		typeof key === 'string'
			? createHmac('sha256', key).update(signed).digest()
			: sign(null, Buffer.from(signed), key);
	return `${signed}.${signature.toString('base64url')}`;
}

/** The algorithm is the operator's choice, never the token's. */
function verifier(
	algorithm: 'HS256' | 'EdDSA',
	isSigned: (signed: string, signature: Buffer) => boolean,
): TokenVerifier {
	return (token, nowMs) => {
		if (token === undefined || token.length > longestToken) return undefined;
		const [header, payload, signature, ...more] = token.split('.');
		if (!header || !payload || !signature || more.length > 0) return undefined;
		if ((decode(header) as { alg?: unknown } | undefined)?.alg !== algorithm) return undefined;
		if (!isSigned(`${header}.${payload}`, Buffer.from(signature, 'base64url'))) return undefined;
		const claims = v.safeParse(claimsSchema, decode(payload));
		return claims.success && claims.output.exp * 1000 > nowMs ? claims.output : undefined;
	};
}

function encode(value: unknown): string {
	return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): unknown {
	try {
		const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
		return typeof value === 'object' && value !== null ? value : undefined;
	} catch {
		return undefined;
	}
}
