import { expect, test } from 'vitest';
import { LinkBudget } from './link-budget.ts';

const ping = {
	type: 'ping',
	nonce: 0,
	hop: 1,
	spareKbps: 0,
	uplinkKbps: 0,
	behindMs: 0,
	links: 1,
	depths: new Uint8Array(8),
	branches: new Uint8Array(8),
} as const;

test('lets a burst through, then what the rate allows', () => {
	let nowMs = 0;
	const budget = new LinkBudget(() => nowMs);
	const allowed = () =>
		Array.from({ length: 100 }, () => budget.allows(ping)).filter(Boolean).length;
	expect(allowed()).toBe(40);
	nowMs = 1000;
	expect(allowed()).toBe(12);
});

test('takes one proof in the life of a link, as a signature is checked for each', () => {
	let nowMs = 0;
	const budget = new LinkBudget(() => nowMs);
	const proof = { type: 'broadcaster-proof', signature: new Uint8Array(64) } as const;
	expect(budget.allows(proof)).toBe(true);
	nowMs = 3_600_000;
	expect(budget.allows(proof)).toBe(false);
});

test('is exhausted by who doesn’t stop', () => {
	const budget = new LinkBudget(() => 0);
	for (let i = 0; i < 240; i++) budget.allows(ping);
	expect(budget.exhausted).toBe(false);
	for (let i = 0; i < 20; i++) budget.allows(ping);
	expect(budget.exhausted).toBe(true);
});

test('forgives who goes beyond a little now and then, for hours', () => {
	let nowMs = 0;
	const budget = new LinkBudget(() => nowMs);
	for (let minute = 0; minute < 300; minute++, nowMs += 60_000) {
		for (let i = 0; i < 45; i++) budget.allows(ping);
	}
	expect(budget.exhausted).toBe(false);
});

test('has room for a cancel of every request and as many pushes, and no more', () => {
	let nowMs = 0;
	const budget = new LinkBudget(() => nowMs);
	const message = { index: 0, begin: 0, length: 16_384 } as const;
	const allowed = (type: 'request' | 'cancel', count: number) =>
		Array.from({ length: count }, () => budget.allows({ type, ...message })).filter(Boolean).length;
	expect([allowed('request', 2100), allowed('cancel', 4050)]).toEqual([2000, 4000]);
	nowMs = 1000;
	expect([allowed('request', 1010), allowed('cancel', 2010)]).toEqual([1000, 2000]);
	expect(budget.exhausted).toBe(false);
	for (let i = 0; i < 200; i++) budget.allows({ type: 'cancel', ...message });
	expect(budget.exhausted).toBe(true);
});

test('doesn’t count pieces, which have bounds of their own', () => {
	const budget = new LinkBudget(() => 0);
	const piece = { type: 'piece', index: 0, begin: 0, block: new Uint8Array(1) } as const;
	for (let i = 0; i < 10_000; i++) expect(budget.allows(piece)).toBe(true);
});
