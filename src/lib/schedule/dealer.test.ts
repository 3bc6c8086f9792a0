import { expect, test } from 'vitest';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { bitCount } from './children.ts';
import { Dealer } from './dealer.ts';

const ignore = () => undefined;
const given = (neighbours: readonly { given: number }[]) =>
	neighbours.reduce((sum, neighbour) => sum + bitCount(neighbour.given), 0);

test('deals each substream once among a few', () => {
	const few = [0, 1, 2].map((slot) => fakeNeighbour(slot, { wants: 0xff }));
	new Dealer().evaluate(few, 4, 0, ignore);
	expect(given(few)).toBe(8);
	expect(few.reduce((all, neighbour) => all | neighbour.given, 0)).toBe(0xff);
	expect(Math.max(...few.map((neighbour) => bitCount(neighbour.given)))).toBeLessThanOrEqual(3);
});

test('deals each substream twice among many', () => {
	const many = Array.from({ length: 20 }, (_, slot) => fakeNeighbour(slot, { wants: 0xff }));
	new Dealer().evaluate(many, 4, 0, ignore);
	expect(given(many)).toBe(16);
});

test('goes on dealing twice when many leave at once: those who stay would lose what they stand on', () => {
	const dealer = new Dealer();
	const many = Array.from({ length: 20 }, (_, slot) => fakeNeighbour(slot, { wants: 0xff }));
	dealer.evaluate(many, 4, 0, ignore);
	const stay = many.slice(0, 10);
	const held = stay.map(({ given }) => given);
	dealer.evaluate(stay, 4, 100, ignore);
	expect(given(stay)).toBe(16);
	expect(stay.every((neighbour, i) => (neighbour.given & held[i]!) === held[i])).toBe(true);
	dealer.evaluate(stay.slice(0, 7), 4, 200, ignore);
	expect(given(stay.slice(0, 7))).toBe(8);
});

test('feeds the only neighbour even when it shares nothing', () => {
	const rider = fakeNeighbour(0, { wants: 0xff, uplinkKbps: 0 });
	new Dealer().evaluate([rider], 4, 0, ignore);
	expect(rider.given).toBe(0xff);
});

test('tells only whose places changed', () => {
	const dealer = new Dealer();
	const all = [0, 1].map((slot) => fakeNeighbour(slot, { wants: 0xff }));
	const told: unknown[] = [];
	dealer.evaluate(all, 4, 0, (neighbour) => told.push(neighbour));
	expect(told.length).toBe(2);
	dealer.evaluate(all, 4, 100, (neighbour) => told.push(neighbour));
	expect(told.length).toBe(2);
});

test('deals nothing to who went quiet', () => {
	const gone = fakeNeighbour(0, { wants: 0xff, given: 0xff, heardAtMs: 0 });
	const here = fakeNeighbour(1, { wants: 0xff, heardAtMs: 9000 });
	new Dealer().evaluate([gone, here], 4, 9000, ignore);
	expect(gone.given).toBe(0);
	expect(here.given).toBe(0xff);
});

test('takes places from who passes nothing on, one at a time', () => {
	const sink = fakeNeighbour(0, { wants: 0xff, given: 0x0f, spread: 0.1, heardAtMs: 5000 });
	const good = fakeNeighbour(1, { wants: 0xff, given: 0xf0, heardAtMs: 5000 });
	const dealer = new Dealer();
	dealer.evaluate([sink, good], 4, 5000, ignore);
	expect(bitCount(sink.given)).toBe(3);
	dealer.evaluate([sink, good], 4, 5100, ignore);
	expect(bitCount(sink.given)).toBe(3);
});

test('leaves a place that works to who holds it, however strong a rival: a tree hangs on it', () => {
	const weak = Array.from({ length: 8 }, (_, slot) =>
		fakeNeighbour(slot, {
			wants: 0xff,
			given: 1 << slot,
			uplinkKbps: 1000,
			heardAtMs: 9000,
		}),
	);
	const strong = fakeNeighbour(8, { wants: 0xff, uplinkKbps: 90_000, heardAtMs: 9000 });
	new Dealer().evaluate([...weak, strong], 4, 9000, ignore);
	expect(weak.map((neighbour) => neighbour.given)).toEqual([1, 2, 4, 8, 16, 32, 64, 128]);
	expect(strong.given).toBe(0);
});

test('forgives less when no place was taken for a while: a second holder covers for who passes nothing on', () => {
	const poor = fakeNeighbour(0, { wants: 0xff, given: 0x0f, spread: 0.7, heardAtMs: 20_000 });
	const good = fakeNeighbour(1, { wants: 0xff, given: 0xf0, heardAtMs: 20_000 });
	const dealer = new Dealer();
	dealer.evaluate([poor, good], 4, 20_000, ignore);
	expect([poor.given & 0b1111, good.given & 0b1111]).toEqual([0b1110, 0b0001]);
	// Right after that a place is only taken from who spreads hardly anything.
	poor.heardAtMs = good.heardAtMs = 22_000;
	dealer.evaluate([poor, good], 4, 22_000, ignore);
	expect(poor.given & 0b1111).toBe(0b1110);
});

test('leaves a strong neighbour several substreams, where dealing evenly would give them to weak ones', () => {
	const weak = Array.from({ length: 9 }, (_, slot) =>
		fakeNeighbour(slot, { wants: 0xff, uplinkKbps: 1000 }),
	);
	const strong = fakeNeighbour(9, { wants: 0xff, uplinkKbps: 12_000 });
	const dealer = new Dealer();
	for (let round = 0; round < 3; round++) dealer.evaluate([...weak, strong], 4, 0, ignore);
	expect(bitCount(strong.given)).toBeGreaterThanOrEqual(3);
});

test('deals a second copy only when it fits the uplink, and never to who passes nothing on', () => {
	const many = Array.from({ length: 20 }, (_, slot) => fakeNeighbour(slot, { wants: 0xff }));
	const dealer = new Dealer();
	dealer.evaluate(many, 1.4, 0, ignore);
	expect(given(many)).toBe(8);
	const relay = fakeNeighbour(0, { wants: 0xff, uplinkKbps: 100_000 });
	const riders = Array.from({ length: 20 }, (_, i) =>
		fakeNeighbour(i + 1, { wants: 0xff, uplinkKbps: 0 }),
	);
	new Dealer().evaluate([...riders, relay], 4, 0, ignore);
	expect([relay.given, given(riders)]).toEqual([0xff, 0]);
});

test('takes every place at once from who shares nothing for who does, and none back, however it spreads', () => {
	const riders = Array.from({ length: 8 }, (_, slot) =>
		fakeNeighbour(slot, { wants: 0xff, given: 1 << slot, uplinkKbps: 0 }),
	);
	const relay = fakeNeighbour(8, { wants: 0xff, uplinkKbps: 4000 });
	const dealer = new Dealer();
	dealer.evaluate([...riders, relay], 1.4, 0, ignore);
	expect([relay.given, given(riders)]).toEqual([0xff, 0]);
	relay.spread = 0;
	for (const neighbour of [...riders, relay]) neighbour.heardAtMs = 9000;
	dealer.evaluate([...riders, relay], 1.4, 9000, ignore);
	expect(relay.given).toBe(0xff);
});
