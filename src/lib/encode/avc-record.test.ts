import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../util/bytes.ts';
import { avcNameOf, mendAvcRecord } from './avc-record.ts';

// Both of a VideoEncoder for avc1.64001F at 1280×720: Firefox 153's, and the same as it should be.
const doubled = `0164001f0301 0019 67 6764001facd9405005ba10000003001001e84800f1831960 01 0006 68 68ebecb22c`;
const sound = `0164001f0301 0018 6764001facd9405005ba10000003001001e84800f1831960 01 0005 68ebecb22c`;
const hex = (text: string): string => text.replaceAll(' ', '');
const bytes = (text: string): Uint8Array => fromHex(hex(text))!;

describe('mendAvcRecord', () => {
	test('takes the second header of each parameter set out', () => {
		expect(toHex(mendAvcRecord(bytes(doubled)))).toBe(hex(sound));
	});

	test('keeps what follows the parameter sets', () => {
		expect(toHex(mendAvcRecord(bytes(`${doubled} fdf8f800`)))).toBe(hex(`${sound} fdf8f800`));
	});

	test.each([
		['a sound record', sound],
		['nothing', ''],
		['a record that ends within a set', hex(doubled).slice(0, 60)],
		['something else', '81202000'],
	])('gives %s back as it is', (_, given) => {
		expect(toHex(mendAvcRecord(bytes(given)))).toBe(hex(given));
	});
});

test('a record tells the profile that was really used', () => {
	expect(avcNameOf(bytes(sound))).toBe('avc1.64001f');
	expect(avcNameOf(bytes('0142'))).toBeUndefined();
});
