import { expect, test } from 'vitest';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { HOLD_REQUEST_MS } from './bounds.ts';
import { HeldRequests } from './held-requests.ts';

const request = (index: number) => ({ type: 'request', index, begin: 0, length: 100 }) as const;

test('gives those for a piece once, and keeps count for each neighbour', () => {
	const held = new HeldRequests();
	const from = fakeNeighbour(0);
	held.add(from, request(1), 0);
	held.add(from, request(2), 0);
	expect(from.queuedBlocks).toBe(2);
	expect(held.take(1).length).toBe(1);
	expect(held.take(1)).toEqual([]);
	expect(from.queuedBlocks).toBe(1);
});

test('refuses what was held too long, and everything when sharing stops', () => {
	const held = new HeldRequests();
	const from = fakeNeighbour(0);
	held.add(from, request(1), 0);
	held.add(from, request(2), 1000);
	held.expire(HOLD_REQUEST_MS);
	expect(from.sent).toEqual([{ type: 'reject', index: 1, begin: 0, length: 100 }]);
	held.rejectAll();
	expect(from.sent.length).toBe(2);
	expect(held.count).toBe(0);
});

test('forgets what was taken back and who left', () => {
	const held = new HeldRequests();
	const [stays, goes] = [fakeNeighbour(0), fakeNeighbour(1)];
	held.add(stays, request(1), 0);
	held.add(goes, request(1), 0);
	held.cancel(stays, 1, 0);
	held.forget(goes);
	expect(held.count).toBe(0);
	expect(stays.queuedBlocks + goes.queuedBlocks).toBe(0);
});
