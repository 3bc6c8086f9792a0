import { expect, it } from 'vitest';
import { channelOf } from './model/channel.ts';
import type { PeerRole } from './model/message.ts';
import { ChannelPeer } from './peer.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { linkPair } from './testing/link-pair.ts';
import { SimMedia } from './testing/sim-media.ts';

const DELAY_MS = 25;

/** A broadcaster with one segment out, and a viewer whose link to it is ready this moment. */
function setUp() {
	const clock = new FakeClock();
	const media = new SimMedia({ streamBps: 500_000, segmentMs: 500 });
	const make = (role: PeerRole, id: number) =>
		new ChannelPeer({
			channel: channelOf(media.channelKey),
			role,
			peerId: new Uint8Array(20).fill(id),
			clock,
			random: () => id / 256,
			proofs: media.proofs,
			assemble: media.assemble,
		});
	const broadcaster = make('broadcaster', 0xaa);
	const viewer = make('viewer', 0xbb);
	const init = new Uint8Array(media.init);
	broadcaster.publish(media.next(clock.wallNow()), media.segmentBytes, init);
	const [toViewer, toBroadcaster] = linkPair({
		clock,
		delayMs: DELAY_MS,
		peerIds: ['aa'.repeat(20), 'bb'.repeat(20)],
	});
	const seen: string[] = [];
	viewer.on('manifest', () => seen.push(`manifest ${clock.now()}`));
	viewer.on('init', ({ sha256, bytes }) => {
		expect([sha256, bytes]).toEqual([media.initSha256, init]);
		seen.push(`init ${clock.now()}`);
	});
	viewer.on('segment', () => seen.push(`segment ${clock.now()}`));
	broadcaster.addLink(toViewer);
	viewer.addLink(toBroadcaster);
	return { clock, seen };
}

it('a joiner is told the newest manifest without asking', () => {
	const { clock, seen } = setUp();
	clock.advance(DELAY_MS);
	expect(seen).toEqual([`manifest ${DELAY_MS}`]);
});

it('a joiner has the init segment before the first segment is whole', () => {
	const { clock, seen } = setUp();
	clock.advance(1000);
	expect(seen.slice(0, 3)).toEqual([
		`manifest ${DELAY_MS}`,
		`init ${3 * DELAY_MS}`,
		expect.stringContaining('segment'),
	]);
});
