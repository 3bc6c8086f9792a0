import { expect, it } from 'vitest';
import { MAX_SHUNNED, SHUN_MS } from './bounds.ts';
import { ShunList } from './shun-list.ts';

it('forgives after a while', () => {
	let now = 0;
	const list = new ShunList(() => now);
	list.add('a');
	expect(list.has('a')).toBe(true);
	expect(list.has('b')).toBe(false);
	now = SHUN_MS;
	expect(list.has('a')).toBe(false);
});

it('forgets the oldest when it is full', () => {
	const list = new ShunList(() => 0);
	for (let i = 0; i <= MAX_SHUNNED; i++) list.add(`peer ${i}`);
	expect(list.has('peer 0')).toBe(false);
	expect(list.has('peer 1')).toBe(true);
	expect(list.has(`peer ${MAX_SHUNNED}`)).toBe(true);
});
