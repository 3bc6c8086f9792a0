import { expect, test } from 'vitest';
import { ManifestExchange } from './manifest-exchange.ts';
import type { Scheduler } from './schedule/scheduler.ts';
import { DvrWindow } from './store/dvr-window.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { fakeNeighbour } from './testing/fake-neighbour.ts';
import { SimMedia } from './testing/sim-media.ts';

function setup(count: number) {
	const media = new SimMedia({ streamBps: 1_000_000, segmentMs: 500 });
	const signed = Array.from({ length: count }, (_, i) => media.next(i * 500));
	const window = new DvrWindow();
	const clock = new FakeClock();
	// Nobody is asked but who tells of a manifest.
	const nobody = { neighbours: [] } as unknown as Scheduler;
	const exchange = new ManifestExchange(clock, window, () => nobody);
	const first = signed[0]?.manifest;
	if (!first) throw new Error('nothing published');
	const start = { epoch: first.epoch, sequence: 0 };
	const come = (sequence: number, from: ReturnType<typeof fakeNeighbour>) => {
		const one = signed[sequence];
		if (!one) throw new Error('not published');
		window.add(one);
		exchange.fillGap(from, one.manifest, start);
	};
	const pieceBefore = (sequence: number) => (signed[sequence]?.manifest.firstPiece ?? 0) - 1;
	return { clock, come, pieceBefore };
}

test('asks for what was missed before a manifest, once', () => {
	const { come, pieceBefore } = setup(6);
	const from = fakeNeighbour(0);
	come(0, from);
	expect(from.sent).toEqual([]);
	come(4, from);
	expect(from.sent).toEqual([{ type: 'want-manifest', piece: pieceBefore(4), before: 2 }]);
	come(3, from);
	come(2, from);
	come(1, from);
	const asked = from.sent.length;
	come(5, from);
	expect(from.sent.length).toBe(asked);
});

test('a gap whose filler stays silent is asked of the next who tells of a manifest', () => {
	const { clock, come, pieceBefore } = setup(6);
	const [silent, other] = [fakeNeighbour(0), fakeNeighbour(1)];
	come(0, silent);
	come(2, silent);
	expect(silent.sent.length).toBe(1);
	clock.advance(500);
	come(3, other);
	expect(other.sent).toEqual([{ type: 'want-manifest', piece: pieceBefore(2), before: 0 }]);
});
