import { expect, test } from 'vitest';
import { utf8 } from './util/bytes.ts';
import type { Proofs } from './model/proofs.ts';
import type { PeerRole } from './model/message.ts';
import { MAX_EARLY_BYTES, EarlyMessages } from './early-messages.ts';
import { ChannelPeer } from './peer.ts';
import { newNeighbour } from './schedule/neighbour.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { linkPair } from './testing/link-pair.ts';
import { SimMedia } from './testing/sim-media.ts';
import { slowProofs } from './testing/slow-proofs.ts';

function pair(media: SimMedia, clock: FakeClock) {
	const peer = (role: PeerRole, proofs: Proofs) =>
		new ChannelPeer({
			channel: { id: 'a'.repeat(52), publicKey: media.channelKey },
			role,
			peerId: utf8(role.padEnd(20, '-')),
			clock,
			random: () => (role === 'viewer' ? 0.3 : 0.6),
			proofs,
			sign: role === 'broadcaster' ? media.sign : undefined,
			assemble: media.assemble,
		});
	const broadcaster = peer('broadcaster', media.proofs);
	let turn = 0;
	const viewer = peer(
		'viewer',
		slowProofs(media.proofs, clock, () => [9, 2, 5][turn++ % 3]!),
	);
	const [there, here] = linkPair({ clock, delayMs: 1 });
	broadcaster.addLink(there);
	viewer.addLink(here);
	return { broadcaster, viewer };
}

test.for([
	{ segmentMs: 500, segmentsPerKeyFrame: 1 },
	{ segmentMs: 100, segmentsPerKeyFrame: 10 },
])('pieces that overtake the check of their manifest are not lost ($segmentMs ms)', (cut) => {
	const clock = new FakeClock();
	const media = new SimMedia({ streamBps: 2_500_000, ...cut });
	const { broadcaster, viewer } = pair(media, clock);
	const got: number[] = [];
	viewer.on('segment', ({ manifest }) => got.push(manifest.sequence));
	for (let i = 0; i < 40; i++) {
		broadcaster.publish(media.next(clock.wallNow()), media.segmentBytes, media.init);
		clock.advance(cut.segmentMs);
	}
	expect(got.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
	expect(viewer.traffic.duplicateBytes).toBe(0);
	expect(viewer.traffic.requestsSent).toBeLessThan(12);
	expect(viewer.refusals.badMessages).toBe(0);
});

test('no more than its bound waits, and a neighbour that left is forgotten', () => {
	const clock = new FakeClock();
	const [link] = linkPair({ clock });
	const from = newNeighbour(link, 0, 0);
	const taken: number[] = [];
	const early = new EarlyMessages({
		take: (_, message) => void (message.type === 'piece' && taken.push(message.index)),
		knowsPiece: () => false,
		knowsManifest: () => false,
	});
	const piece = (index: number) =>
		({ type: 'piece', index, begin: 0, block: new Uint8Array(16_384) }) as const;
	expect(early.hold(from, piece(0))).toBe(false);
	early.begin(from);
	let held = 0;
	while (early.hold(from, piece(held))) held++;
	expect(held * 16_384).toBeLessThanOrEqual(MAX_EARLY_BYTES);
	expect(held).toBeGreaterThan(32);
	early.end(from);
	expect(taken).toEqual(Array.from({ length: held }, (_, i) => i));
	early.begin(from);
	early.hold(from, piece(99));
	early.forget(from);
	early.end(from);
	expect(taken).not.toContain(99);
});
