import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';

import { admission } from './admission.ts';
import { issueToken, keyVerifier, secretVerifier } from './join-token.ts';

const secret = 'a secret of thirty-two characters';
const hash = 'ab'.repeat(20);
const id = '\xab'.repeat(20);
const exp = 2_000;
const nowMs = 1_000_000;

function ed25519() {
	const { publicKey, privateKey } = generateKeyPairSync('ed25519');
	const key = publicKey.export({ format: 'jwk' }).x ?? '';
	return { key, privateKey };
}

test('a token signed with the secret or with the Ed25519 key is believed', () => {
	const claims = { ih: hash, exp, role: 'source' } as const;
	expect(secretVerifier(secret)(issueToken(claims, secret), nowMs)).toEqual(claims);
	const { key, privateKey } = ed25519();
	expect(keyVerifier(key)(issueToken(claims, privateKey), nowMs)).toEqual(claims);
});

test('a forged, altered, unsigned, expired or oversized token is not', () => {
	const verify = secretVerifier(secret);
	const token = issueToken({ ih: hash, exp }, secret);
	const [header, , signature] = token.split('.');
	const payload = Buffer.from(JSON.stringify({ ih: '*', exp })).toString('base64url');
	const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
	for (const bad of [
		undefined,
		'',
		'a.b.c',
		`${token}.x`,
		`${header}.${payload}.${signature}`,
		`${none}.${payload}.`,
		`${none}.${payload}.${signature}`,
		issueToken({ ih: hash, exp }, `${secret}!`),
		issueToken({ ih: hash, exp: 999 }, secret),
		issueToken({ ih: 'short', exp }, secret),
		issueToken({ ih: hash, exp, role: 'admin' as never }, secret),
		`${token}${'x'.repeat(3_000)}`,
	]) {
		expect(verify(bad, nowMs)).toBeUndefined();
	}
});

test('the public key is not taken for a shared secret', () => {
	const { key } = ed25519();
	expect(keyVerifier(key)(issueToken({ ih: hash, exp }, key), nowMs)).toBeUndefined();
});

test('where tokens are required, one for another torrent opens nothing', () => {
	const { grant, door } = admission({
		allow: [],
		verify: secretVerifier(secret),
		tokens: 'required',
	});
	const token = issueToken({ ih: hash, exp, role: 'relay' }, secret);
	expect(grant(id, token, nowMs)).toEqual({ role: 'relay' });
	expect(grant('x'.repeat(20), token, nowMs)).toBeUndefined();
	expect(grant(id, undefined, nowMs)).toBeUndefined();
	expect(door?.('forged', nowMs)).toBe(false);
	expect(door?.(token, nowMs)).toBe(true);
	expect(grant(id, issueToken({ ih: '*', exp }, secret), nowMs)).toEqual({ role: undefined });
});

test('where tokens only grant roles, everybody else is a viewer', () => {
	const { grant, door } = admission({ allow: [], verify: secretVerifier(secret), tokens: 'roles' });
	expect(door).toBeUndefined();
	expect(grant(id, undefined, nowMs)).toEqual({ role: undefined });
	expect(grant(id, issueToken({ ih: hash, exp, role: 'source' }, secret), nowMs)).toEqual({
		role: 'source',
	});
});

test('an allow-list serves what it names, in either case of its digits', () => {
	const { grant } = admission({
		allow: [hash.toUpperCase()],
		verify: undefined,
		tokens: 'required',
	});
	expect(grant(id, undefined, nowMs)).toEqual({ role: undefined });
	expect(grant('x'.repeat(20), undefined, nowMs)).toBeUndefined();
});
