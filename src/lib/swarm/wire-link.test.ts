import { beforeEach, expect, it, vi } from 'vitest';
import { ShoalError } from '../model/error.ts';
import type { Wire } from '../model/wire.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { ANSWERER_PATIENCE_MS, HANDSHAKE_DEADLINE_MS } from './bounds.ts';
import type { Connection } from './connection.ts';
import { WireLink } from './wire-link.ts';

const peerId = 'ab'.repeat(20);
const hello = Uint8Array.of(1);
let clock: FakeClock;
beforeEach(() => {
	clock = new FakeClock();
});

/** A link over a connection and a wire that the test plays. */
function setUp(initiated: boolean) {
	const sent: Uint8Array[] = [];
	const connection = {
		bufferedBytes: 0,
		send: (bytes: Uint8Array) => void sent.push(bytes),
		close: vi.fn(),
		onOpen: () => undefined,
		onBytes: (_bytes: Uint8Array) => undefined,
		onDrain: () => undefined,
		onEnd: (_why: string) => undefined,
	};
	const wire: Wire = {
		start: () => [hello],
		receive: () => undefined,
		encode: () => Uint8Array.of(9),
		onReady: () => undefined,
		onForeign: () => undefined,
		onMessage: () => undefined,
	};
	const onReady = vi.fn();
	const onEnd = vi.fn();
	const link = new WireLink({
		connection: connection as unknown as Connection,
		wire,
		clock,
		peerId,
		initiated,
		origin: 'tracker',
		onReady,
		onEnd,
	});
	link.onMessage = vi.fn();
	link.onClose = vi.fn();
	return { link, connection, wire, sent, onReady, onEnd };
}

it('who offered speaks as soon as the channel is open', () => {
	const { connection, sent } = setUp(true);
	connection.onOpen();
	expect(sent).toEqual([hello]);
});

it('says all it has to say at the beginning in one message', () => {
	const { connection, sent, wire } = setUp(true);
	wire.start = () => [Uint8Array.of(1, 2), Uint8Array.of(3)];
	connection.onOpen();
	expect(sent).toEqual([Uint8Array.of(1, 2, 3)]);
});

it('who answered waits to be spoken to, but not long', () => {
	const spokenTo = setUp(false);
	spokenTo.connection.onOpen();
	expect(spokenTo.sent).toEqual([]);
	spokenTo.connection.onBytes(Uint8Array.of(7));
	expect(spokenTo.sent).toEqual([hello]);

	const ignored = setUp(false);
	ignored.connection.onOpen();
	clock.advance(ANSWERER_PATIENCE_MS);
	expect(ignored.sent).toEqual([hello]);
	ignored.connection.onBytes(Uint8Array.of(7));
	expect(ignored.sent).toEqual([hello]);
});

it('ends a connection on which nobody shakes hands', () => {
	const { connection, onEnd, link } = setUp(true);
	connection.onOpen();
	clock.advance(HANDSHAKE_DEADLINE_MS);
	expect(onEnd).toHaveBeenCalledExactlyOnceWith(link, 'mute');
	expect(connection.close).toHaveBeenCalledOnce();
	expect(link.onClose).not.toHaveBeenCalled();
	expect(clock.pending).toBe(0);
});

it('passes messages on from the moment it is ready until it is closed', () => {
	const { link, connection, wire, onReady, sent } = setUp(true);
	const message = { type: 'bye' } as const;
	connection.onOpen();
	wire.onMessage(message);
	link.send(message);
	expect(link.onMessage).not.toHaveBeenCalled();
	wire.onReady(peerId);
	expect(onReady).toHaveBeenCalledExactlyOnceWith(link);
	wire.onMessage(message);
	link.send(message);
	link.close('closed');
	wire.onMessage(message);
	link.send(message);
	expect(link.onMessage).toHaveBeenCalledOnce();
	expect(sent).toHaveLength(2);
	expect(clock.pending).toBe(0);
});

it('is not ready twice, and hears nothing once it is closed', () => {
	const { link, connection, wire, onReady } = setUp(true);
	connection.onOpen();
	wire.onReady(peerId);
	wire.onReady(peerId);
	expect(onReady).toHaveBeenCalledOnce();
	const receive = vi.spyOn(wire, 'receive');
	link.close('closed');
	wire.onReady(peerId);
	connection.onBytes(Uint8Array.of(7));
	expect(onReady).toHaveBeenCalledOnce();
	expect(receive).not.toHaveBeenCalled();
});

it('a breach on either handshake or message ends it, and is told once', () => {
	const { link, connection, wire, onEnd } = setUp(true);
	connection.onOpen();
	wire.onReady(peerId);
	wire.receive = () => {
		throw new ShoalError('protocol', 'nonsense');
	};
	connection.onBytes(Uint8Array.of(0));
	connection.onBytes(Uint8Array.of(0));
	connection.onEnd('gone');
	expect(onEnd).toHaveBeenCalledExactlyOnceWith(link, 'protocol');
	expect(link.onClose).toHaveBeenCalledExactlyOnceWith('protocol');
});

it('gives those who broke the rules no last words, and others theirs', () => {
	for (const [why, deliver] of [
		['bad-piece', false],
		['bad-signature', false],
		['protocol', false],
		['crowded', true],
		['closed', true],
	] as const) {
		const { link, connection, onEnd } = setUp(true);
		link.close(why);
		link.close(why);
		expect(connection.close).toHaveBeenCalledExactlyOnceWith({ deliver });
		expect(onEnd).toHaveBeenCalledExactlyOnceWith(link, why);
		expect(link.onClose).not.toHaveBeenCalled();
	}
});

it('ends with a peer that speaks another language or goes by another name', () => {
	const foreign = setUp(true);
	foreign.wire.onForeign(peerId);
	expect(foreign.onEnd).toHaveBeenCalledExactlyOnceWith(foreign.link, 'no-extension');

	const liar = setUp(true);
	liar.wire.receive = () => liar.wire.onReady('cd'.repeat(20));
	liar.connection.onBytes(Uint8Array.of(0));
	expect(liar.onEnd).toHaveBeenCalledExactlyOnceWith(liar.link, 'protocol');
	expect(liar.onReady).not.toHaveBeenCalled();
});

it('a connection that ends by what is sent tells of it after the call', async () => {
	const { connection, wire, link, onEnd } = setUp(true);
	connection.onOpen();
	wire.onReady(peerId);
	let sends = 0;
	connection.send = () => {
		sends++;
		connection.onEnd('gone');
	};
	link.send({ type: 'bye' });
	link.send({ type: 'bye' });
	expect(sends).toBe(1);
	expect(link.onClose).not.toHaveBeenCalled();
	await Promise.resolve();
	expect(link.onClose).toHaveBeenCalledExactlyOnceWith('gone');
	expect(onEnd).toHaveBeenCalledExactlyOnceWith(link, 'gone');
});
