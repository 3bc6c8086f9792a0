import fc from 'fast-check';
import { expect, it } from 'vitest';
import { utf8 } from '../util/bytes.ts';
import { decodeBencode, decodeBencodePrefix, encodeBencode, type Bencoded } from './bencode.ts';
import { ShoalError } from './error.ts';

const value: fc.Arbitrary<Bencoded> = fc.letrec<{ value: Bencoded }>((tie) => ({
	value: fc.oneof(
		{ maxDepth: 4 },
		fc.maxSafeInteger(),
		fc.uint8Array({ maxLength: 20 }),
		fc.array(tie('value'), { maxLength: 4 }),
		fc
			.dictionary(fc.string({ maxLength: 5, unit: 'binary-ascii' }), tie('value'), { maxKeys: 4 })
			.map((record) => new Map(Object.entries(record))),
	),
})).value;

it('gives back what was encoded, and encodes it to the same bytes again', () => {
	fc.assert(
		fc.property(value, (original) => {
			const bytes = encodeBencode(original);
			const decoded = decodeBencode(bytes);
			expect(encodeBencode(decoded)).toEqual(bytes);
		}),
	);
});

it('takes exactly one form of each value', () => {
	const refused = [
		'',
		'i',
		'ie',
		'i-0e',
		'i01e',
		'i-01e',
		'i1',
		'01:a',
		'1:',
		'-1:',
		'2:a',
		'l',
		'li1e',
		'd',
		'd1:a',
		'd1:ai1e',
		'd1:bi1e1:ai1ee',
		'd1:ai1e1:ai1ee',
		'di1ei1ee',
		'i9007199254740993e',
		'i1a2e',
		'i+1e',
		'1a:x',
		'x',
		'e',
	];
	// Nor as the beginning of something longer.
	for (const text of refused)
		expect(() => decodeBencodePrefix(utf8(text)), text).toThrow(ShoalError);
	expect(decodeBencodePrefix(utf8('i1ei2e'))).toEqual({ value: 1, end: 3 });
	expect(() => decodeBencode(utf8('i1ei2e'))).toThrow(/trailing/);
	expect(decodeBencode(utf8('i-12e'))).toBe(-12);
	expect(decodeBencode(utf8('d1:ai1e1:bi2ee'))).toEqual(
		new Map([
			['a', 1],
			['b', 2],
		]),
	);
});

it('stops at its bounds on depth and number of values', () => {
	expect(() => decodeBencode(utf8('l'.repeat(9) + 'e'.repeat(9)))).toThrow(/too deep/);
	expect(() => decodeBencode(utf8(`l${'i1e'.repeat(5000)}e`))).toThrow(/too many/);
	expect(() => decodeBencode(utf8('l'.repeat(100_000)))).toThrow(/too deep/);
});

it('counts keys and values alike, up to its bounds', () => {
	for (const [text, tokens] of [
		['li1ei1ee', 3],
		['d1:ai1e1:bi1ee', 5],
	] as const) {
		expect(() => decodeBencode(utf8(text), { maxTokens: tokens })).not.toThrow();
		expect(() => decodeBencode(utf8(text), { maxTokens: tokens - 1 })).toThrow(/too many/);
	}
	const keys = Array.from({ length: 2100 }, (_, i) => `4:${1000 + i}0:`).join('');
	expect(() => decodeBencode(utf8(`d${keys}e`))).toThrow(/too many/);
	expect(() => decodeBencode(utf8('d1:ai1ee'), { maxTokens: 1 })).toThrow(/too many/);
});

it('encodes nothing that it would not read', () => {
	for (const bad of [1.5, 2 ** 53, NaN, new Map([['\u0100', 1]])])
		expect(() => encodeBencode(bad)).toThrow(ShoalError);
	expect(encodeBencode(new Map([['\u00ff', 1]])).length).toBe(8);
});

it('throws nothing but protocol errors at whatever bytes', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
			try {
				decodeBencode(bytes);
			} catch (error) {
				expect((error as ShoalError).code).toBe('protocol');
			}
		}),
		{ numRuns: 5000 },
	);
});
