import { expect, it } from 'vitest';
import { channelOf } from './model/channel.ts';
import type { PeerRole } from './model/message.ts';
import type { PeerOptions } from './peer-options.ts';
import { ChannelPeer } from './peer.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { linkPair } from './testing/link-pair.ts';
import { SimMedia } from './testing/sim-media.ts';

const DELAY_MS = 25;

/** Peers of one channel, and what they publish. */
function channel() {
	const clock = new FakeClock();
	const media = new SimMedia({ streamBps: 500_000, segmentMs: 500 });
	const init = new Uint8Array(media.init);
	return {
		clock,
		media,
		init,
		make: (role: PeerRole, id: number, options: Partial<PeerOptions> = {}) =>
			new ChannelPeer({
				channel: channelOf(media.channelKey),
				role,
				peerId: new Uint8Array(20).fill(id),
				clock,
				random: () => id / 256,
				proofs: media.proofs,
				sign: role === 'broadcaster' ? media.sign : undefined,
				assemble: media.assemble,
				...options,
			}),
		link(one: ChannelPeer, oneId: number, other: ChannelPeer, otherId: number) {
			const [toOther, toOne] = linkPair({
				clock,
				delayMs: DELAY_MS,
				peerIds: [nameOf(oneId), nameOf(otherId)],
			});
			one.addLink(toOther);
			other.addLink(toOne);
			return { toOther, toOne };
		},
		publish(broadcaster: ChannelPeer) {
			broadcaster.publish(media.next(clock.wallNow()), media.segmentBytes, init);
		},
	};
}

const nameOf = (id: number): string => id.toString(16).repeat(20);

/** A broadcaster with one segment out, and a viewer whose link to it is ready this moment. */
function setUp() {
	const { clock, media, init, make, link, publish } = channel();
	const broadcaster = make('broadcaster', 0xaa);
	const viewer = make('viewer', 0xbb);
	publish(broadcaster);
	const seen: string[] = [];
	viewer.on('manifest', () => seen.push(`manifest ${clock.now()}`));
	viewer.on('init', ({ sha256, bytes }) => {
		expect([sha256, bytes]).toEqual([media.initSha256, init]);
		seen.push(`init ${clock.now()}`);
	});
	viewer.on('segment', () => seen.push(`segment ${clock.now()}`));
	link(broadcaster, 0xaa, viewer, 0xbb);
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

it('neighbours hear of a remembered uplink, and of the usual guess where there is none', () => {
	const { clock, make, link } = channel();
	const broadcaster = make('broadcaster', 0xaa);
	link(broadcaster, 0xaa, make('viewer', 0xbb, { uplinkGuessBps: 9_000_000 }), 0xbb);
	link(broadcaster, 0xaa, make('viewer', 0xcc), 0xcc);
	clock.advance(4 * DELAY_MS);
	expect(broadcaster.neighbours.map(({ uplinkKbps }) => uplinkKbps)).toEqual([9000, 4000]);
});

it('who has switched sharing off says so to whom it meets later, with its first word', () => {
	const { clock, make, link } = channel();
	const broadcaster = make('broadcaster', 0xaa);
	const viewer = make('viewer', 0xbb);
	viewer.setUplinkCap(0);
	link(broadcaster, 0xaa, viewer, 0xbb);
	clock.advance(DELAY_MS);
	expect(broadcaster.neighbours.map(({ uplinkKbps }) => uplinkKbps)).toEqual([0]);
});

/** A viewer who followed a broadcaster that is gone, and another of the same channel, as after a reload, that it meets now. */
function comeBack({ epoch }: { epoch: 'later' | 'earlier' }) {
	const { clock, media, make, link, publish } = channel();
	const [first, viewer, second] = [
		make('broadcaster', 0xaa),
		make('viewer', 0xbb),
		make('broadcaster', 0xcc),
	];
	const seen = { blamed: 0, forks: 0, segments: 0 };
	second.on('blamed', () => seen.blamed++);
	second.on('fork', () => seen.forks++);
	link(first, 0xaa, viewer, 0xbb);
	publish(first);
	clock.advance(1000);
	first.close();
	clock.advance(1000);
	media.newEpoch(media.next(clock.wallNow()).manifest.epoch + (epoch === 'later' ? 5000 : -5000));
	viewer.on('segment', () => seen.segments++);
	link(second, 0xcc, viewer, 0xbb);
	clock.advance(500);
	for (let i = 0; i < 4; i++) {
		publish(second);
		clock.advance(500);
	}
	return { seen, second };
}

it('a broadcaster that comes back is told of its earlier run, blames nobody for it, and is followed', () => {
	const { seen, second } = comeBack({ epoch: 'later' });
	expect(seen).toEqual({ blamed: 0, forks: 0, segments: 4 });
	expect(second.neighbours).toHaveLength(1);
	expect(second.traffic.requestsSent).toBe(0);
});

it('a broadcaster whose viewers follow a later run is told that someone else signs on its channel', () => {
	const { seen, second } = comeBack({ epoch: 'earlier' });
	expect(seen).toEqual({ blamed: 0, forks: 1, segments: 0 });
	expect(second.newest?.epoch).toBeLessThan(1_800_000_000_000);
});

it('who says that it broadcasts is the broadcaster once it has shown it, and is left when it shows something else', () => {
	const { clock, media, make, link } = channel();
	const viewer = make('viewer', 0xbb);
	link(viewer, 0xbb, make('broadcaster', 0xaa), 0xaa);
	link(viewer, 0xbb, make('broadcaster', 0xcc, { sign: undefined }), 0xcc);
	const blamed: string[] = [];
	viewer.on('blamed', ({ peerId, why }) => blamed.push(`${peerId} ${why}`));
	clock.advance(4 * DELAY_MS);
	const roles = () => viewer.neighbours.map(({ link: { peerId }, role }) => [peerId, role]);
	expect(roles()).toEqual([
		[nameOf(0xaa), 'broadcaster'],
		[nameOf(0xcc), 'relay'],
	]);
	link(viewer, 0xbb, make('broadcaster', 0xdd, { sign: (_, done) => done(media.init) }), 0xdd);
	clock.advance(4 * DELAY_MS);
	expect(blamed).toEqual([`${nameOf(0xdd)} bad-signature`]);
	expect(roles()).toHaveLength(2);
	expect(viewer.refusals.badSignatures).toBe(1);
});
