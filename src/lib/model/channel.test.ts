import { expect, it } from 'vitest';
import { fromHex, toBase64Url, toHex } from '../util/bytes.ts';
import { channelOf, parseChannel } from './channel.ts';
import type { ShoalError } from './error.ts';

const GOOD = '03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8';
const key = (hex: string) => fromHex(hex) ?? new Uint8Array();
const codeOf = (run: () => unknown): string | undefined => {
	try {
		run();
	} catch (error) {
		return (error as ShoalError).code;
	}
	return undefined;
};

it('finds the channel in a link, its fragment and a bare id', () => {
	const { id } = channelOf(key(GOOD));
	for (const text of [
		id,
		`#${id}`,
		` https://a.example/watch/#${id} `,
		`http://localhost:8000/embed/#${id}`,
		`${id}.secret`,
		`#${id}?muted=1`,
	]) {
		expect(parseChannel(text).id, text).toBe(id);
	}
});

it('refuses cut, mistyped and foreign links', () => {
	const { id } = channelOf(key(GOOD));
	for (const text of [
		'',
		'#',
		id.slice(1),
		`${id}A`,
		id.replace('A', '+'),
		'https://a.example/',
		'x'.repeat(9000),
		`${id}.${'x'.repeat(4096)}`,
	]) {
		expect(
			codeOf(() => parseChannel(text)),
			text.slice(0, 50),
		).toBe('bad-link');
	}
	// The last character of 43 carries two unused bits; only one of four spellings is canonical.
	expect(codeOf(() => parseChannel(`${id.slice(0, 42)}h`))).toBe('bad-link');
});

it('refuses every key that anybody could sign for', () => {
	const smallOrder = [
		'0000000000000000000000000000000000000000000000000000000000000000',
		'0000000000000000000000000000000000000000000000000000000000000080',
		'0100000000000000000000000000000000000000000000000000000000000000',
		'0100000000000000000000000000000000000000000000000000000000000080',
		'26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
		'26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
		'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
		'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
		'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
		'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
	];
	const nonCanonical = ['ed', 'ee', 'f0', 'ff'].flatMap((low) =>
		['7f', 'ff'].map((high) => `${low}${'ff'.repeat(30)}${high}`),
	);
	for (const hex of [...smallOrder, ...nonCanonical]) {
		expect(
			codeOf(() => channelOf(key(hex))),
			hex,
		).toBe('bad-key');
		expect(
			codeOf(() => parseChannel(toBase64Url(key(hex)))),
			hex,
		).toBe('bad-key');
	}
	expect(codeOf(() => channelOf(new Uint8Array(31)))).toBe('bad-key');
});

it('takes the keys next to those', () => {
	const ff = 'ff'.repeat(30);
	for (const hex of [`eb${ff}7f`, `ff${ff}7e`, `ff${ff.replace('ff', '00')}7f`, `ff${ff}fe`]) {
		expect(toHex(channelOf(key(hex)).publicKey)).toBe(hex);
	}
});

it('shows what a small-order key would allow, so that the refusal is needed', async () => {
	// With the identity as key, R = identity and S = 0 is a signature of any message (RFC 8032 verifies S·B = R + k·A).
	const identity = key('0100000000000000000000000000000000000000000000000000000000000000');
	const anyKey = await crypto.subtle
		.importKey('raw', identity, 'Ed25519', false, ['verify'])
		.catch(() => undefined);
	const signature = new Uint8Array(64);
	signature[0] = 1;
	const forged =
		anyKey &&
		(await crypto.subtle.verify(
			'Ed25519',
			anyKey,
			signature,
			new TextEncoder().encode('anything'),
		));
	// Some runtimes refuse such keys themselves; where one doesn't, only our own check stands in the way.
	if (forged) expect(codeOf(() => channelOf(identity))).toBe('bad-key');
	else expect(forged).not.toBe(true);
});
