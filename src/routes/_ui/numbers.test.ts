import { expect, test } from 'vitest';
import { ago, count, factor, rate, span, spokenSpan, stopwatch } from './numbers.ts';

test('a span has one decimal until 10 and a unit that fits', () => {
	expect([0, 640, 9_940, 9_960, 12_400, 59_400].map(span)).toEqual([
		'0.0 s',
		'0.6 s',
		'9.9 s',
		'10 s',
		'12 s',
		'59 s',
	]);
	expect([59_600, 3 * 60_000, 65 * 60_000, 120 * 60_000].map(span)).toEqual([
		'1 min',
		'3 min',
		'1 h 5 min',
		'2 h',
	]);
	expect(span(-5)).toBe('0.0 s');
});

test('a span that is read aloud has whole words', () => {
	expect([640, 12_400, 59_600, 61_000, 125_000].map(spokenSpan)).toEqual([
		'1 second',
		'12 seconds',
		'1 minute',
		'1 minute 1 second',
		'2 minutes 5 seconds',
	]);
});

test('how long ago changes seldom enough to be read aloud', () => {
	expect([0, 8_000, 17_000, 59_999, 60_000, 150_000].map(ago)).toEqual([
		'just now',
		'8 s ago',
		'10 s ago',
		'50 s ago',
		'1 min ago',
		'2 min ago',
	]);
});

test('a rate is in kbit/s below one Mbit/s', () => {
	expect([0, 640_000, 999_600, 1_200_000, 24_300_000].map(rate)).toEqual([
		'0 kbit/s',
		'640 kbit/s',
		'1.0 Mbit/s',
		'1.2 Mbit/s',
		'24 Mbit/s',
	]);
});

test('a count agrees with its noun', () => {
	expect([0, 1, 2, 1204].map((n) => count(n, 'viewer'))).toEqual([
		'0 viewers',
		'1 viewer',
		'2 viewers',
		'1,204 viewers',
	]);
	expect([1.34, 12.6].map(factor)).toEqual(['1.3', '13']);
});

test('the stopwatch counts hours on', () => {
	expect([0, 761_999, 100 * 3_600_000].map(stopwatch)).toEqual([
		'00:00:00',
		'00:12:41',
		'100:00:00',
	]);
});
