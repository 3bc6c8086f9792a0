import { expect, test } from 'vitest';
import type { Message } from '../model/message.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { InitRequests } from './init-requests.ts';
import { LinkBudget } from './link-budget.ts';

const sha256 = new Uint8Array(32).fill(1);

/** A neighbour that holds to account whoever asks it. */
function neighbour(clock: FakeClock, slot: number) {
	const budget = new LinkBudget(() => clock.now());
	const { link, sent } = fakeNeighbour(slot);
	const asked = (message: Message) => {
		sent.push(message);
		budget.allows(message);
	};
	return { link: { ...link, send: asked }, sent, budget };
}

test('an init segment that nobody has is asked for at a rate that nobody minds', () => {
	const clock = new FakeClock();
	const only = neighbour(clock, 0);
	const options = { links: () => [only.link], isNeeded: () => true };
	new InitRequests(clock, options).want(sha256, only.link);
	clock.advance(1000);
	expect(only.sent.length).toBe(3);
	clock.advance(60 * 60_000);
	expect(only.budget.exhausted).toBe(false);
	expect(only.sent.length).toBeGreaterThan(2000);
});

test('several neighbours are asked in turn, the first few times soon after each other', () => {
	const clock = new FakeClock();
	const all = [0, 1, 2, 3].map((slot) => neighbour(clock, slot));
	const links = all.map(({ link }) => link);
	const first = links[0] ?? expect.unreachable();
	new InitRequests(clock, { links: () => links, isNeeded: () => true }).want(sha256, first);
	clock.advance(1700);
	expect(all.map(({ sent }) => sent.length)).toEqual([2, 1, 1, 1]);
});

test('what no segment needs any more is asked for no more', () => {
	const clock = new FakeClock();
	const only = neighbour(clock, 0);
	let needed = true;
	const requests = new InitRequests(clock, { links: () => [only.link], isNeeded: () => needed });
	requests.want(sha256, only.link);
	needed = false;
	clock.advance(400);
	expect(only.sent.length).toBe(1);
	expect(clock.pending).toBe(0);
	expect(requests.isWanted(sha256)).toBe(false);
});
