import { expect, test } from 'vitest';
import type { Link } from '../model/link.ts';
import type { Message } from '../model/message.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { SimMedia } from '../testing/sim-media.ts';
import { InitRequests } from './init-requests.ts';
import { LinkBudget } from './link-budget.ts';

const sha256 = new Uint8Array(32).fill(1);
const { proofs } = new SimMedia({ streamBps: 500_000, segmentMs: 500 });

/** Requests for init segments among these neighbours. */
function seeking(clock: FakeClock, links: readonly Link[], isNeeded = () => true) {
	const got: string[] = [];
	const requests = new InitRequests(
		{ clock, proofs },
		{
			links: () => links,
			isNeeded,
			arrived: (_, bytes) => got.push(`arrived ${bytes.length}`),
			end: ({ peerId }, why) => got.push(`${peerId} ${why}`),
		},
	);
	return { requests, got };
}

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
	seeking(clock, [only.link]).requests.want(sha256, only.link);
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
	seeking(clock, links).requests.want(sha256, first);
	clock.advance(1700);
	expect(all.map(({ sent }) => sent.length)).toEqual([2, 1, 1, 1]);
});

test('what no segment needs any more is asked for no more', () => {
	const clock = new FakeClock();
	const only = neighbour(clock, 0);
	let needed = true;
	const { requests, got } = seeking(clock, [only.link], () => needed);
	requests.want(sha256, only.link);
	needed = false;
	clock.advance(400);
	expect(only.sent.length).toBe(1);
	expect(clock.pending).toBe(0);
	requests.take(only.link, { type: 'init', sha256, bytes: new Uint8Array(9) });
	expect(got).toEqual([]);
});

test('an answer that is what was sought is taken once, another costs its sender the link', () => {
	const clock = new FakeClock();
	const [honest, liar] = [neighbour(clock, 0), neighbour(clock, 1)];
	const { requests, got } = seeking(clock, [honest.link, liar.link]);
	const bytes = new Uint8Array(9).fill(7);
	let digest: Uint8Array = sha256;
	proofs.sha256(bytes, (named) => (digest = named));
	requests.want(digest, honest.link);
	requests.take(liar.link, { type: 'init', sha256: digest, bytes: new Uint8Array(9) });
	expect(got).toEqual([`${liar.link.peerId} bad-piece`]);
	requests.take(honest.link, { type: 'init', sha256: digest, bytes });
	requests.take(liar.link, { type: 'init', sha256: digest, bytes });
	expect(got.slice(1)).toEqual(['arrived 9']);
	expect(clock.pending).toBe(0);
});
