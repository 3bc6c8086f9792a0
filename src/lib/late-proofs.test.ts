import { expect, test } from 'vitest';
import { channelOf } from './model/channel.ts';
import type { Link } from './model/link.ts';
import type { Message } from './model/message.ts';
import type { Proofs } from './model/proofs.ts';
import { ChannelPeer } from './peer.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { linkPair } from './testing/link-pair.ts';
import { SimMedia } from './testing/sim-media.ts';

const nameOf = (id: number) => id.toString(16).padStart(2, '0').repeat(20);

/** A viewer whose proofs take as long as the test likes, and neighbours that the test plays. */
function setUp(slow: keyof Proofs) {
	const clock = new FakeClock();
	const media = new SimMedia({ streamBps: 500_000, segmentMs: 500 });
	let waiting: (() => void)[] = [];
	const later = (call: (...args: never[]) => void) =>
		((...args: unknown[]) => {
			const done = args.pop() as (result: unknown) => void;
			const take = (result: unknown) => waiting.push(() => done(result));
			(call as (...all: unknown[]) => void)(...args, take);
		}) as never;
	const viewer = new ChannelPeer({
		channel: channelOf(media.channelKey),
		role: 'viewer',
		peerId: new Uint8Array(20).fill(9),
		clock,
		random: () => 0.5,
		proofs: { ...media.proofs, [slow]: later(media.proofs[slow]) },
		assemble: media.assemble,
	});
	const blamed: string[] = [];
	viewer.on('blamed', ({ peerId }) => blamed.push(peerId));
	const join = (id: number): { link: Link; got: Message[] } => {
		const [near, link] = linkPair({ clock, delayMs: 1, peerIds: [nameOf(9), nameOf(id)] });
		const got: Message[] = [];
		link.onMessage = (message) => got.push(message);
		viewer.addLink(near);
		const instance = new Uint8Array(16).fill(id);
		link.send({ type: 'hello', role: 'viewer', uplinkBps: 5_000_000, instance });
		clock.advance(2);
		return { link, got };
	};
	const settle = () => {
		const due = waiting;
		waiting = [];
		for (const done of due) done();
	};
	return { clock, media, viewer, blamed, join, settle };
}

test('a bad piece is blamed on who sent it, not on who came to its place while it was hashed', () => {
	const { clock, media, blamed, join, settle } = setUp('sha1');
	const bad = join(1);
	const { signature, dict } = media.next(clock.wallNow());
	bad.link.send({ type: 'manifest', signature, dict });
	clock.advance(5);
	settle();
	bad.link.send({ type: 'have', first: 0, bits: Uint8Array.of(0x80) });
	clock.advance(5);
	expect(bad.got).toContainEqual({ type: 'request', index: 0, begin: 0, length: 16384 });
	bad.link.send({ type: 'piece', index: 0, begin: 0, block: new Uint8Array(16384).fill(1) });
	bad.link.send({ type: 'bye' });
	clock.advance(5);
	let isOpen = true;
	const honest = join(2);
	honest.link.onClose = () => (isOpen = false);
	settle();
	clock.advance(5);
	expect(blamed).toEqual([nameOf(1)]);
	expect(isOpen).toBe(true);
});

test('a manifest that is found good after its sender left goes to who came to its place', () => {
	const { clock, media, viewer, join, settle } = setUp('verify');
	const first = join(1);
	const { signature, dict } = media.next(clock.wallNow());
	first.link.send({ type: 'manifest', signature, dict });
	first.link.send({ type: 'bye' });
	clock.advance(5);
	const second = join(2);
	settle();
	clock.advance(5);
	expect(viewer.newest?.sequence).toBe(0);
	expect(second.got).toContainEqual({ type: 'manifest', signature, dict });
});

test('who forges a manifest is blamed also when it left at once', () => {
	const { clock, media, blamed, join, settle } = setUp('verify');
	const forger = join(1);
	const { signature, dict } = media.next(clock.wallNow());
	forger.link.send({ type: 'manifest', signature: signature.map((byte) => byte ^ 1), dict });
	forger.link.send({ type: 'bye' });
	clock.advance(5);
	settle();
	expect(blamed).toEqual([nameOf(1)]);
});
