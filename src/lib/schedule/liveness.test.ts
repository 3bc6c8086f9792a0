import { expect, test } from 'vitest';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { Liveness } from './liveness.ts';
import { canBeAsked } from './neighbour.ts';

test('takes the round trip from the answer to its latest ping', () => {
	const liveness = new Liveness(() => 0.5);
	const neighbour = fakeNeighbour(0, { rttMs: 100 });
	const nonce = liveness.pinged(neighbour, 1000);
	liveness.onPong(neighbour, nonce + 1, 1010);
	expect(neighbour.rttMs).toBe(100);
	liveness.onPong(neighbour, nonce, 1040);
	expect(neighbour.rttMs).toBe(40);
	liveness.onPong(neighbour, nonce, 9000);
	expect(neighbour.rttMs).toBe(40);
});

test('asks nothing of a quiet neighbour after two seconds, and leaves it after five', () => {
	const liveness = new Liveness(() => 0);
	const neighbour = fakeNeighbour(0, { heardAtMs: 0 });
	expect(canBeAsked(neighbour, 1900)).toBe(true);
	expect(canBeAsked(neighbour, 2100)).toBe(false);
	expect(liveness.isSilent(neighbour, 4900)).toBe(false);
	expect(liveness.isSilent(neighbour, 5100)).toBe(true);
});

test('pings every two seconds, and sooner who went quiet', () => {
	const liveness = new Liveness(() => 0);
	const neighbour = fakeNeighbour(0, { pingSentAtMs: 0, heardAtMs: 1400 });
	expect(liveness.shouldPing(neighbour, 1500)).toBe(false);
	expect(liveness.shouldPing(neighbour, 2000)).toBe(true);
	neighbour.heardAtMs = 0;
	expect(liveness.shouldPing(neighbour, 1100)).toBe(true);
});
