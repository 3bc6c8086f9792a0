import { expect, test } from 'vitest';
import type { LinkEnd } from '../model/link.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { MAX_WASTED_BLOCKS } from './bounds.ts';
import { Receiver } from './receiver.ts';
import { RequestBook } from './request-book.ts';
import { Roster } from './roster.ts';
import { Tracks } from './tracks.ts';

const block = new Uint8Array(16_384);

function receiver() {
	const ends: LinkEnd[] = [];
	const book = new RequestBook(new Roster());
	return { ends, receiver: new Receiver(new Tracks(), book, (_, why) => ends.push(why)) };
}

test('a parent that floods pieces of no known segment is left', () => {
	const { ends, receiver: taking } = receiver();
	const parent = fakeNeighbour(0, { asked: 0xff });
	let sent = 0;
	while (ends.length === 0 && sent < 10_000) {
		taking.take(
			parent,
			{ type: 'piece', index: 1_000_000 + sent, begin: 0, block },
			1 + sent++ / 100,
		);
	}
	expect(ends[0]).toBe('protocol');
	expect(sent).toBeLessThan(MAX_WASTED_BLOCKS * 1.1);
	expect(taking.stats.duplicateBytes).toBe(sent * block.length);
});

test('a parent whose pieces now and then come in vain is not', () => {
	const { ends, receiver: taking } = receiver();
	const parent = fakeNeighbour(0, { asked: 0xff });
	// Fifty a second for a minute.
	for (let i = 0; i < 3000; i++)
		taking.take(parent, { type: 'piece', index: i, begin: 0, block }, i * 20);
	expect(ends).toEqual([]);
});
