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

test('asks nothing of a quiet neighbour after three quarters of a second, and leaves it after five seconds', () => {
	const liveness = new Liveness(() => 0);
	const neighbour = fakeNeighbour(0, { heardAtMs: 0 });
	expect(canBeAsked(neighbour, 740)).toBe(true);
	expect(canBeAsked(neighbour, 760)).toBe(false);
	expect(liveness.isSilent(neighbour, 4900)).toBe(false);
	expect(liveness.isSilent(neighbour, 5100)).toBe(true);
});

test('gives a far neighbour three round trips before it counts as quiet', () => {
	const far = fakeNeighbour(0, { heardAtMs: 0, rttMs: 400 });
	expect(canBeAsked(far, 1490)).toBe(true);
	expect(canBeAsked(far, 1510)).toBe(false);
});

test('counts neighbours as quiet sooner when many owe an answer at once, and not when all do', () => {
	const liveness = new Liveness(() => 0);
	const silent = [0, 1, 2].map((slot) => fakeNeighbour(slot, { heardAtMs: 0, rttMs: 60 }));
	const heard = [3, 4, 5, 6, 7].map((slot) => fakeNeighbour(slot, { heardAtMs: 300, rttMs: 60 }));
	const askable = (among: typeof silent, nowMs: number) => {
		liveness.noteMany(among, nowMs);
		return among.filter((neighbour) => canBeAsked(neighbour, nowMs)).length;
	};
	expect(askable([...silent, ...heard], 390)).toBe(8);
	expect(askable([...silent, ...heard], 410)).toBe(5);
	expect(askable([...silent.slice(1), ...heard], 410)).toBe(7);
	expect(askable([...silent, ...heard, ...heard], 410)).toBe(13);
	expect(askable(silent, 410)).toBe(3);
	silent.forEach((neighbour) => (neighbour.heardAtMs = 420));
	expect(askable([...silent, ...heard], 430)).toBe(8);
	const far = silent.map((neighbour) => ({ ...neighbour, heardAtMs: 0, rttMs: 300 }));
	expect(askable([...far, ...heard], 590)).toBe(8);
	expect(askable([...far, ...heard], 610)).toBe(5);
});

test('judges the living as ever once those who fell silent together count as gone by themselves', () => {
	const liveness = new Liveness(() => 0);
	const dead = [0, 1, 2].map((slot) => fakeNeighbour(slot, { heardAtMs: 0, rttMs: 60 }));
	const late = fakeNeighbour(3, { heardAtMs: 400, rttMs: 60 });
	const heard = [4, 5].map((slot) => fakeNeighbour(slot, { heardAtMs: 800, rttMs: 60 }));
	liveness.noteMany([...dead, late, ...heard], 740);
	expect(late.amongMany).toBe(true);
	// By then a lost packet may be all that is wrong with one of the others.
	liveness.noteMany([...dead, late, ...heard], 900);
	expect([canBeAsked(late, 900), dead.some((one) => canBeAsked(one, 900))]).toEqual([true, false]);
});

test('pings every two seconds, and more often while nothing is heard', () => {
	const liveness = new Liveness(() => 0);
	const neighbour = fakeNeighbour(0, { pingSentAtMs: 0, heardAtMs: 1400 });
	expect(liveness.shouldPing(neighbour, 1500)).toBe(false);
	expect(liveness.shouldPing(neighbour, 2000)).toBe(true);
	neighbour.heardAtMs = 0;
	expect(liveness.shouldPing(neighbour, 190)).toBe(false);
	expect(liveness.shouldPing(neighbour, 200)).toBe(true);
});

test('knows its own sleep from the silence of others', () => {
	const liveness = new Liveness(() => 0);
	expect(liveness.sleptMs(0)).toBe(0);
	expect(liveness.sleptMs(60)).toBe(0);
	expect(liveness.sleptMs(8060)).toBe(8000);
	expect(liveness.sleptMs(8110)).toBe(0);
});
