import { expect, test } from 'vitest';
import { channelOf } from './model/channel.ts';
import type { PeerRole } from './model/message.ts';
import { ChannelPeer } from './peer.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { linkPair } from './testing/link-pair.ts';
import { SimMedia } from './testing/sim-media.ts';

const nameOf = (id: number) => id.toString(16).padStart(2, '0').repeat(20);

test('who hears of an earlier run first joins the live one at its last key frame all the same', () => {
	const clock = new FakeClock();
	const media = new SimMedia({ streamBps: 1_000_000, segmentMs: 500 });
	const peer = (role: PeerRole, id: number) =>
		new ChannelPeer({
			channel: channelOf(media.channelKey),
			role,
			peerId: new Uint8Array(20).fill(id),
			clock,
			random: () => id / 256,
			proofs: media.proofs,
			sign: role === 'broadcaster' ? media.sign : undefined,
			assemble: media.assemble,
		});
	media.newEpoch(1_700_000_000_000);
	const { signature, dict } = media.next(clock.wallNow());
	media.newEpoch(1_800_000_000_000);
	const broadcaster = peer('broadcaster', 1);
	const broadcast = (seconds: number) => {
		for (let i = 0; i < seconds * 2; i++) {
			const signed = media.next(clock.wallNow());
			broadcaster.publish(signed, media.segmentBytes, new Uint8Array(media.init));
			clock.advance(500);
		}
	};
	broadcast(60);
	const joiner = peer('viewer', 2);
	const had: number[] = [];
	joiner.on('segment', ({ manifest }) => had.push(manifest.sequence));
	const [late, near] = linkPair({ clock, delayMs: 10, peerIds: [nameOf(3), nameOf(2)] });
	joiner.addLink(near);
	const instance = new Uint8Array(16).fill(3);
	late.send({ type: 'hello', role: 'viewer', uplinkBps: 0, instance });
	late.send({ type: 'manifest', signature, dict });
	clock.advance(30);
	expect(joiner.newest?.epoch).toBe(1_700_000_000_000);
	const [one, other] = linkPair({ clock, delayMs: 10, peerIds: [nameOf(2), nameOf(1)] });
	joiner.addLink(one);
	broadcaster.addLink(other);
	broadcast(5);
	expect(Math.min(...had)).toBeGreaterThanOrEqual(119);
	expect(had.length).toBeGreaterThan(8);
});
