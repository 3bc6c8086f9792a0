import { expect, it } from 'vitest';
import type { Message } from '../model/message.ts';
import { LinkBudget, MESSAGE_RATES } from './link-budget.ts';

const ping = { type: 'ping' } as Message;
const wantInit = { type: 'want-init' } as Message;

it('lets a burst through, then the rate, each kind for itself', () => {
	let nowMs = 0;
	const budget = new LinkBudget(() => nowMs);
	const count = (message: Message, tries: number) =>
		Array.from({ length: tries }, () => budget.allows(message)).filter(Boolean).length;
	expect(count(wantInit, 50)).toBe(MESSAGE_RATES['want-init']?.burst);
	expect(count(ping, 50)).toBe(MESSAGE_RATES.ping?.burst);
	nowMs = 2000;
	expect(count(wantInit, 50)).toBe(2);
});

it('never limits what carries the stream', () => {
	const budget = new LinkBudget(() => 0);
	for (let i = 0; i < 10_000; i++) expect(budget.allows({ type: 'piece' } as Message)).toBe(true);
	expect(budget.exhausted).toBe(false);
});

it('is exhausted by who goes on and on', () => {
	const budget = new LinkBudget(() => 0);
	for (let i = 0; i < 150; i++) budget.allows(ping);
	expect(budget.exhausted).toBe(false);
	for (let i = 0; i < 150; i++) budget.allows(ping);
	expect(budget.exhausted).toBe(true);
});
