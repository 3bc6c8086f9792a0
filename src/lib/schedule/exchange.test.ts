import { expect, test } from 'vitest';
import type { SignalMessage } from '../model/message.ts';
import { MAX_EXCHANGED_PEERS } from '../model/message.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { toHex } from '../util/bytes.ts';
import { PeerExchange } from './exchange.ts';

const id = (number: number) => {
	const bytes = new Uint8Array(20);
	new DataView(bytes.buffer).setUint32(16, number);
	return bytes;
};
const ids = (first: number, count: number) =>
	Array.from({ length: count }, (_, i) => id(first + i));
const NOBODY = new Set<string>();

function setup(role: 'viewer' | 'broadcaster' = 'viewer') {
	const clock = new FakeClock();
	return { clock, exchange: new PeerExchange({ role, peerId: id(999), clock }) };
}

test('introduces its neighbours to a new one, without itself and no more than fit', () => {
	const { exchange } = setup();
	const { link, sent } = fakeNeighbour(1);
	exchange.greet(link, new Set([link.peerId]));
	expect(sent).toEqual([]);
	exchange.greet(link, new Set([link.peerId, ...ids(10, 80).map(toHex)]));
	const [message] = sent;
	if (message?.type !== 'exchange') throw new Error('nobody was introduced');
	expect(message.peers.length).toBe(MAX_EXCHANGED_PEERS);
	expect(message.peers.map(toHex)).not.toContain(link.peerId);
});

test('gives each candidate once, and not again for a minute', () => {
	const { clock, exchange } = setup();
	const { link } = fakeNeighbour(1);
	exchange.take(link, [id(5), id(6)], NOBODY);
	expect(exchange.pick(1, NOBODY)).toEqual([{ peerId: id(5), via: link }]);
	expect(exchange.pick(9, NOBODY)).toEqual([{ peerId: id(6), via: link }]);
	exchange.take(link, [id(5)], NOBODY);
	expect(exchange.pick(9, NOBODY)).toEqual([]);
	clock.advance(61_000);
	exchange.take(link, [id(5)], NOBODY);
	expect(exchange.pick(9, NOBODY).length).toBe(1);
});

test('takes neither itself nor whom it knows, and nobody at all as a broadcaster', () => {
	const { exchange } = setup();
	const { link } = fakeNeighbour(1);
	exchange.take(link, [id(999), id(7)], new Set([toHex(id(7))]));
	expect(exchange.pick(9, NOBODY)).toEqual([]);
	const source = setup('broadcaster').exchange;
	source.take(link, [id(5)], NOBODY);
	expect(source.pick(9, NOBODY)).toEqual([]);
});

test('one neighbour cannot fill the table, and takes its candidates with it', () => {
	const { exchange } = setup();
	const [liar, other] = [fakeNeighbour(1), fakeNeighbour(2)];
	for (let i = 0; i < 10; i++) exchange.take(liar.link, ids(1000 + i * 50, 50), NOBODY);
	exchange.take(other.link, [id(5)], NOBODY);
	exchange.remove(other.link);
	exchange.take(other.link, [id(6)], NOBODY);
	const picked = exchange.pick(1000, NOBODY);
	expect(picked.filter(({ via }) => via === liar.link).length).toBe(50);
	expect(picked.filter(({ via }) => via === other.link)).toEqual([
		{ peerId: id(6), via: other.link },
	]);
});

test('passes a signal on to its target in the name of who really sent it', () => {
	const { exchange } = setup();
	const [from, to] = [fakeNeighbour(1), fakeNeighbour(2)];
	const signal = (target: Uint8Array): SignalMessage => ({
		type: 'signal',
		to: target,
		from: id(666),
		kind: 'offer',
		offerId: id(3),
		sdp: 'v=0',
	});
	const links = [from.link, to.link];
	expect(exchange.route(from.link, signal(id(999)), links).type).toBe('ours');
	expect(exchange.route(from.link, signal(id(2)), links)).toEqual({
		type: 'forward',
		to: to.link,
		signal: { ...signal(id(2)), from: id(1) },
	});
	expect(exchange.route(from.link, signal(id(1)), links).type).toBe('nowhere');
	expect(exchange.route(from.link, signal(id(77)), links).type).toBe('nowhere');
});
