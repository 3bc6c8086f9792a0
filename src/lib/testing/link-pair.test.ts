import { expect, it, vi } from 'vitest';
import { FakeClock } from './fake-clock.ts';
import { linkPair } from './link-pair.ts';

it('delivers messages in order after the delay', () => {
	const clock = new FakeClock();
	const [a, b] = linkPair({ clock, delayMs: 25 });
	const got: number[] = [];
	b.onMessage = (message) => got.push(message.type === 'pong' ? message.nonce : -1);
	a.send({ type: 'pong', nonce: 1 });
	a.send({ type: 'pong', nonce: 2 });
	clock.advance(24);
	expect(got).toEqual([]);
	clock.advance(1);
	expect(got).toEqual([1, 2]);
});

it('tells the other end of a close, and not the one that closed', () => {
	const clock = new FakeClock();
	const [a, b] = linkPair({ clock });
	a.onClose = vi.fn();
	b.onClose = vi.fn();
	b.onMessage = vi.fn();
	a.send({ type: 'bye' });
	a.close('closed');
	a.send({ type: 'pong', nonce: 3 });
	clock.advance(1000);
	expect(b.onMessage).toHaveBeenCalledExactlyOnceWith({ type: 'bye' });
	expect(b.onClose).toHaveBeenCalledExactlyOnceWith('gone');
	expect(a.onClose).not.toHaveBeenCalled();
});
