import { expect, test } from 'vitest';
import type { Link } from '../model/link.ts';
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

function setup(role: 'viewer' | 'broadcaster' = 'viewer') {
	const clock = new FakeClock();
	/** Whom this peer has links to. */
	const links: Link[] = [];
	return {
		clock,
		links,
		exchange: new PeerExchange({ role, peerId: id(999), clock }, () => links),
	};
}

test('introduces its neighbours to a new one, without itself and no more than fit', () => {
	const { exchange, links } = setup();
	const { link, sent } = fakeNeighbour(1);
	links.push(link);
	exchange.greet(link);
	expect(sent).toEqual([]);
	links.push(...ids(10, 80).map((peer) => ({ ...link, peerId: toHex(peer) })));
	exchange.greet(link);
	const [message] = sent;
	if (message?.type !== 'exchange') throw new Error('nobody was introduced');
	expect(message.peers.length).toBe(MAX_EXCHANGED_PEERS);
	expect(message.peers.map(toHex)).not.toContain(link.peerId);
});

test('gives each candidate once, and not again for a minute', () => {
	const { clock, exchange } = setup();
	const { link } = fakeNeighbour(1);
	exchange.take(link, [id(5), id(6)]);
	expect(exchange.pick(1)).toEqual([{ peerId: id(5), via: link }]);
	expect(exchange.pick(9)).toEqual([{ peerId: id(6), via: link }]);
	exchange.take(link, [id(5)]);
	expect(exchange.pick(9)).toEqual([]);
	clock.advance(61_000);
	exchange.take(link, [id(5)]);
	expect(exchange.pick(9).length).toBe(1);
});

test('takes neither itself nor whom it knows, and nobody at all as a broadcaster', () => {
	const { exchange, links } = setup();
	const { link } = fakeNeighbour(1);
	links.push(fakeNeighbour(7).link);
	exchange.take(link, [id(999), id(7)]);
	expect(exchange.pick(9)).toEqual([]);
	const source = setup('broadcaster').exchange;
	source.take(link, [id(5)]);
	expect(source.pick(9)).toEqual([]);
});

test('one neighbour cannot fill the table, and takes its candidates with it', () => {
	const { exchange } = setup();
	const [liar, other] = [fakeNeighbour(1), fakeNeighbour(2)];
	for (let i = 0; i < 10; i++) exchange.take(liar.link, ids(1000 + i * 50, 50));
	exchange.take(other.link, [id(5)]);
	exchange.remove(other.link);
	exchange.take(other.link, [id(6)]);
	const picked = exchange.pick(1000);
	expect(picked.filter(({ via }) => via === liar.link).length).toBe(50);
	expect(picked.filter(({ via }) => via === other.link)).toEqual([
		{ peerId: id(6), via: other.link },
	]);
});

test('passes a signal on to its target in the name of who really sent it', () => {
	const { exchange, links } = setup();
	const [from, to] = [fakeNeighbour(1), fakeNeighbour(2)];
	const signal = (target: Uint8Array): SignalMessage => ({
		type: 'signal',
		to: target,
		from: id(666),
		kind: 'offer',
		offerId: id(3),
		sdp: 'v=0',
	});
	links.push(from.link, to.link);
	expect(exchange.isOurs(from.link, signal(id(999)))).toBe(true);
	// Neither back to where it came from, nor to a stranger.
	for (const target of [2, 1, 77]) {
		expect(exchange.isOurs(from.link, signal(id(target)))).toBe(false);
	}
	expect(to.sent).toEqual([{ ...signal(id(2)), from: id(1) }]);
	expect(from.sent).toEqual([]);
});
