import { expect, test } from 'vitest';
import { channelOf } from './model/channel.ts';
import { ChannelPeer } from './peer.ts';
import type { PeerOptions } from './peer-options.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { linkPair } from './testing/link-pair.ts';
import { SimMedia } from './testing/sim-media.ts';

const nameOf = (id: number) => id.toString(16).padStart(2, '0').repeat(20);

function world(segmentMs: number, windowMs = 60_000) {
	const clock = new FakeClock();
	const media = new SimMedia({ streamBps: 500_000, segmentMs });
	const peer = (role: PeerOptions['role'], id: number, more: Partial<PeerOptions> = {}) =>
		new ChannelPeer({
			channel: channelOf(media.channelKey),
			role,
			peerId: new Uint8Array(20).fill(id),
			clock,
			random: () => id / 256,
			proofs: media.proofs,
			sign: role === 'broadcaster' ? media.sign : undefined,
			assemble: media.assemble,
			dvr: { windowMs },
			...more,
		});
	const broadcaster = peer('broadcaster', 1);
	const broadcast = (seconds: number) => {
		for (let i = 0; i < (seconds * 1000) / segmentMs; i++) {
			const signed = media.next(clock.wallNow());
			broadcaster.publish(signed, media.segmentBytes, new Uint8Array(media.init));
			clock.advance(segmentMs);
		}
	};
	const join = (id: number, more: Partial<PeerOptions> = {}) => {
		const viewer = peer('viewer', id, { from: 'window', ...more });
		const had = new Set<number>();
		viewer.on('segment', ({ manifest }) => had.add(manifest.sequence));
		const [near, far] = linkPair({ clock, delayMs: 10, peerIds: [nameOf(id), nameOf(1)] });
		viewer.addLink(near);
		broadcaster.addLink(far);
		return { viewer, had, near };
	};
	return { clock, media, broadcast, broadcaster, join };
}

test.each([100, 250, 500, 1000])(
	'who starts from the window gets all of it, in segments of %d ms',
	(segmentMs) => {
		const { clock, broadcast, broadcaster, join } = world(segmentMs);
		broadcast(70);
		const held = [...broadcaster.wholeSegments()].map(({ manifest }) => manifest.sequence);
		const { had, viewer } = join(2);
		// Readers of the window begin when nothing more of it has become known for a second.
		let [toldAtMs, longestMs] = [clock.now(), 0];
		viewer.on('manifest', ({ manifest }) => {
			if (manifest === viewer.newest) return;
			longestMs = Math.max(longestMs, clock.now() - toldAtMs);
			toldAtMs = clock.now();
		});
		// A minute of 600 segments is told at a bounded rate, and what leaves the window meanwhile is lost to all.
		broadcast(segmentMs < 250 ? 45 : 15);
		const still = new Set(
			[...broadcaster.wholeSegments()].map(({ manifest }) => manifest.sequence),
		);
		expect(held.filter((sequence) => still.has(sequence) && !had.has(sequence))).toEqual([]);
		expect(viewer.refusals.overBudget).toBe(0);
		expect(longestMs).toBeLessThan(1000);
	},
);

test('also of five minutes', () => {
	const { broadcast, broadcaster, join } = world(1000, 300_000);
	broadcast(310);
	const { had } = join(2);
	broadcast(15);
	const held = [...broadcaster.wholeSegments()].map(({ manifest }) => manifest.sequence);
	expect(held.filter((sequence) => !had.has(sequence))).toEqual([]);
	expect(had.size).toBeGreaterThan(300);
});

test('also when the broadcast has ended', () => {
	const { clock, media, broadcast, broadcaster, join } = world(500);
	broadcast(30);
	broadcaster.publish(media.end(clock.wallNow()), new Uint8Array(), new Uint8Array(media.init));
	const { had } = join(2);
	clock.advance(5000);
	expect(had.size).toBe([...broadcaster.wholeSegments()].length);
});

test('also when nobody broadcasts any more', () => {
	const { clock, broadcast, broadcaster, join } = world(250);
	broadcast(70);
	const { had } = join(2);
	clock.advance(20_000);
	expect(had.size).toBe([...broadcaster.wholeSegments()].length);
});

test('what nobody holds is not asked for for ever', () => {
	const { clock, broadcast, join } = world(500);
	broadcast(90);
	const { near } = join(2, { dvr: { windowMs: 600_000 } });
	const asked: string[] = [];
	const send = near.send.bind(near);
	near.send = (message) => {
		if (message.type === 'want-manifest') asked.push(message.type);
		send(message);
	};
	clock.advance(20_000);
	const before = asked.length;
	clock.advance(120_000);
	expect(asked.length - before).toBe(0);
});
