import { expect, test } from 'vitest';
import { refusalOf, refusalReason } from './refusal.ts';

const url = 'wss://here.example/announce';

test('a channel is refused when no tracker took it and one said why', () => {
	const refuses = { url, state: 'open', lastError: 'needs a token' } as const;
	expect(refusalOf([refuses])).toBe('needs a token');
	expect(refusalOf([{ url, state: 'retrying', lastError: 'closed (1006)' }, refuses])).toBe(
		'needs a token',
	);
	expect(refusalOf([refuses, { url, state: 'open' }])).toBeUndefined();
});

test('a tracker that is away refuses nothing', () => {
	expect(refusalOf([])).toBeUndefined();
	expect(refusalOf([{ url, state: 'retrying', lastError: 'closed (1006)' }])).toBeUndefined();
	expect(refusalOf([{ url, state: 'connecting', lastError: 'no answer' }])).toBeUndefined();
});

test('the reasons of our own tracker are put plainly, others are quoted', () => {
	expect(refusalReason('this tracker is full')).toBe('It is full.');
	expect(refusalReason('needs a token')).toBe('It says “needs a token”.');
	expect(refusalReason('constructor')).toBe('It says “constructor”.');
});
