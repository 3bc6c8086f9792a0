import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileRanges } from './file-ranges.ts';

describe('the files under a piece', () => {
	it('cover every byte once, whatever the lengths', () => {
		fc.assert(
			fc.property(
				fc.array(fc.nat(20), { minLength: 1, maxLength: 12 }),
				fc.nat(100),
				fc.integer({ min: 1, max: 40 }),
				(lengths, start, length) => {
					let offset = 0;
					const files = lengths.map((size) => ({ offset: (offset += size) - size, length: size }));
					const expected: string[] = [];
					for (let byte = start; byte < Math.min(start + length, offset); byte++) {
						const index = files.findIndex(
							(file) => byte >= file.offset && byte < file.offset + file.length,
						);
						expected.push(`${index}:${byte - (files[index]?.offset ?? 0)}:${byte - start}`);
					}
					const got = fileRanges(files, start, length).flatMap((range) =>
						Array.from(
							{ length: range.length },
							(_, i) => `${range.index}:${range.at + i}:${range.from + i}`,
						),
					);
					expect(got).toEqual(expected);
				},
			),
		);
	});
});
