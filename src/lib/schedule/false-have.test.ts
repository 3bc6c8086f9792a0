import { expect, test } from 'vitest';
import type { LinkEnd } from '../model/link.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { SimMedia } from '../testing/sim-media.ts';
import { Scheduler } from './scheduler.ts';

/** A broadcaster that has sent one piece of its newest segment to its first neighbour and nothing else yet. */
function broadcaster() {
	const ends: [peerId: string, why: LinkEnd][] = [];
	const clock = new FakeClock();
	const media = new SimMedia({ streamBps: 2_500_000, segmentMs: 500 });
	const scheduler = new Scheduler({
		role: 'broadcaster',
		clock,
		random: () => 0.5,
		// A burst of one block, then a trickle.
		uplinkCapBps: 1000,
		port: {
			block: (_, __, length) => new Uint8Array(length),
			check: () => undefined,
			inform: () => undefined,
			wantManifest: () => undefined,
			lost: () => undefined,
			end: ({ peerId }, why) => ends.push([peerId, why]),
		},
	});
	clock.advance(60_000);
	const neighbours = [1, 2].map((id) => {
		const neighbour = scheduler.add(fakeNeighbour(id).link)!;
		scheduler.onHello(neighbour, {
			type: 'hello',
			role: 'viewer',
			uplinkBps: 1e6,
			instance: new Uint8Array(8),
		});
		scheduler.onSubscribe(neighbour, { type: 'subscribe', substreams: 0xff });
		return neighbour;
	});
	const { manifest } = media.next(0);
	scheduler.addSegment(manifest, { wanted: false, held: true, from: undefined });
	return { scheduler, neighbours, ends, first: manifest.firstPiece };
}

test('who announces a piece that never left the broadcaster is left', () => {
	const { scheduler, neighbours, ends, first } = broadcaster();
	expect(scheduler.stats.bytesSent).toBe(16_384);
	const bits = new Uint8Array([0b1111_1111, 0b1100_0000]);
	scheduler.onHave(neighbours[0]!, { type: 'have', first, bits });
	expect(ends).toEqual([[neighbours[0]!.link.peerId, 'bad-have']]);
});

test('who announces a piece that did is not', () => {
	const { scheduler, neighbours, ends, first } = broadcaster();
	const bits = new Uint8Array([0b1000_0000]);
	for (const neighbour of neighbours) scheduler.onHave(neighbour, { type: 'have', first, bits });
	expect(ends).toEqual([]);
});
