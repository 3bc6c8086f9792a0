import fc from 'fast-check';
import { expect, it } from 'vitest';
import { utf8 } from '../util/bytes.ts';
import { decodeBencode, encodeBencode, type Bencoded } from './bencode.ts';
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
		'i1ei2e',
		'i9007199254740993e',
		'x',
		'e',
	];
	for (const text of refused) expect(() => decodeBencode(utf8(text)), text).toThrow(ShoalError);
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
