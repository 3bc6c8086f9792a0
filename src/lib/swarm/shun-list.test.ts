import { expect, it } from 'vitest';
import { MAX_SHUNNED, SHUN_MS } from './bounds.ts';
import { ShunList } from './shun-list.ts';

it('forgives after a while', () => {
	let now = 0;
	const list = new ShunList(() => now);
	list.add('a', 'tracker');
	expect(list.has('a', 'tracker')).toBe(true);
	expect(list.has('b', 'tracker')).toBe(false);
	now = SHUN_MS;
	expect(list.has('a', 'tracker')).toBe(false);
});

it('forgets the oldest when it is full', () => {
	const list = new ShunList(() => 0);
	for (let i = 0; i <= MAX_SHUNNED; i++) list.add(`peer ${i}`, 'tracker');
	expect(list.has('peer 0', 'tracker')).toBe(false);
	expect(list.has('peer 1', 'tracker')).toBe(true);
	expect(list.has(`peer ${MAX_SHUNNED}`, 'tracker')).toBe(true);
});

it('what a neighbour introduced says nothing of who comes by a tracker, but not the other way', () => {
	const list = new ShunList(() => 0);
	list.add('a', 'exchange');
	expect([list.has('a', 'exchange'), list.has('a', 'tracker')]).toEqual([true, false]);
	list.add('b', 'tracker');
	expect([list.has('b', 'exchange'), list.has('b', 'tracker')]).toEqual([true, true]);
});
