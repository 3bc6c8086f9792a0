import { expect, test } from 'vitest';
import { fitTitle } from './title.ts';

test.each([
	['a short title goes out whole', 'Harbour', { shown: 'Harbour', cut: '' }],
	['120 bytes fit', 'a'.repeat(120), { shown: 'a'.repeat(120), cut: '' }],
	[
		'a long one loses its end',
		`${'a'.repeat(120)} at sea`,
		{ shown: 'a'.repeat(120), cut: ' at sea' },
	],
	[
		'characters of three bytes count thrice',
		'港'.repeat(42),
		{ shown: '港'.repeat(40), cut: '港港' },
	],
	['none is cut through', `${'a'.repeat(118)}🌊`, { shown: 'a'.repeat(118), cut: '🌊' }],
	['what can’t be seen is left out', 'Har\u200bbour\u202e', { shown: 'Harbour', cut: '' }],
	['composed characters count as one', 'e\u0301', { shown: 'é', cut: '' }],
])('%s', (_, title, fitted) => {
	expect(fitTitle(title)).toEqual(fitted);
});
