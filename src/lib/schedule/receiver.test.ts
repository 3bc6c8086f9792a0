import { expect, test } from 'vitest';
import type { LinkEnd } from '../model/link.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { MAX_UNSOLICITED } from './bounds.ts';
import { Receiver } from './receiver.ts';
import { RequestBook } from './request-book.ts';
import { Roster } from './roster.ts';
import { CHECKING, HELD, trackSegment } from './segment-track.ts';
import { Tracks } from './tracks.ts';

const BLOCK = 16_384;
const piece = (index: number, begin: number, length: number) =>
	({ type: 'piece', index, begin, block: new Uint8Array(length).fill(index) }) as const;

function setup() {
	const roster = new Roster();
	const join = () => {
		const neighbour = roster.add(fakeNeighbour(0).link, 0);
		if (!neighbour) throw new Error('no slot');
		return Object.assign(neighbour, { role: 'viewer' as const });
	};
	const tracks = new Tracks();
	const track = trackSegment(
		{ firstPiece: 0, count: 2, pieceLength: 2 * BLOCK, length: 3 * BLOCK, wanted: true },
		1000,
	);
	tracks.add(track);
	const book = new RequestBook(roster);
	const ended: LinkEnd[] = [];
	const receiver = new Receiver(tracks, book, (_, why) => ended.push(why));
	return { receiver, book, track, ended, from: join(), other: join() };
}

test('a subscribed piece is whole with its last block, in whatever order they come', () => {
	const { receiver, track, from } = setup();
	from.asked = 1;
	expect(receiver.take(from, piece(0, BLOCK, BLOCK), 1050)).toBeUndefined();
	const came = receiver.take(from, piece(0, 0, BLOCK), 1080);
	expect(came?.whole.length).toBe(2 * BLOCK);
	expect(came?.lagMs).toBe(80);
	expect(track.states[0]).toBe(CHECKING);
	expect(receiver.stats.bytesFromViewers).toBe(2 * BLOCK);
	expect(from.lagMs[0]).toBe(80);
});

test('a piece is never mixed from two neighbours', () => {
	const { receiver, track, from, other } = setup();
	from.asked = other.asked = 1;
	const block = (begin: number, fill: number) =>
		({ type: 'piece', index: 0, begin, block: new Uint8Array(BLOCK).fill(fill) }) as const;
	receiver.take(from, block(0, 1), 1050);
	expect(receiver.take(other, block(BLOCK, 2), 1060)).toBeUndefined();
	const came = receiver.take(other, block(0, 2), 1061);
	expect(came?.whole).toEqual(new Uint8Array(2 * BLOCK).fill(2));
	expect(track.states[0]).toBe(CHECKING);
});

test('a neighbour that stops in the middle of a piece spoils no copy of another, whenever its block comes', () => {
	const { receiver, from, other } = setup();
	from.asked = other.asked = 1;
	receiver.take(other, piece(0, 0, BLOCK), 1050);
	receiver.take(from, piece(0, 0, BLOCK), 1055);
	expect(receiver.take(other, piece(0, BLOCK, BLOCK), 1060)?.whole.length).toBe(2 * BLOCK);
	receiver.forget(from);
	receiver.forget(other);
});

test('an answer settles the request and says how long it took', () => {
	const { receiver, book, track, from } = setup();
	book.ask(track, 1, from, 1000);
	expect(receiver.take(from, piece(1, 0, BLOCK), 1090)).toBeDefined();
	expect(from.serviceMs).toBe(90);
	expect(from.outstanding).toBe(0);
});

test('what comes twice is counted and not taken again', () => {
	const { receiver, track, from } = setup();
	from.asked = 2;
	track.states[1] = HELD;
	expect(receiver.take(from, piece(1, 0, BLOCK), 1050)).toBeUndefined();
	expect(receiver.stats.duplicateBytes).toBe(BLOCK);
	expect(track.states[1]).toBe(HELD);
});

test('pieces nobody asked for are dropped, and too many of them end the link', () => {
	const { receiver, track, from, ended } = setup();
	for (let i = 0; i < MAX_UNSOLICITED; i++) receiver.take(from, piece(1, 0, BLOCK), 1050);
	expect(ended).toEqual([]);
	receiver.take(from, piece(1, 0, BLOCK), 1060);
	expect(ended).toEqual(['protocol']);
	expect(track.states[1]).not.toBe(CHECKING);
});

test('takes what a former parent had sent for a while, and only of what it was asked for', () => {
	const { receiver, from, other } = setup();
	Object.assign(from, { former: 0b10, graceUntilMs: 1100 });
	Object.assign(other, { former: 0b01, graceUntilMs: 1100 });
	receiver.take(other, piece(1, 0, BLOCK), 1099);
	receiver.take(from, piece(1, 0, BLOCK), 1100);
	expect([from.unsolicited, other.unsolicited]).toEqual([1, 1]);
	expect(receiver.take(from, piece(1, 0, BLOCK), 1099)?.whole.length).toBe(BLOCK);
});

test('counts what came of the broadcaster apart', () => {
	const { receiver, from } = setup();
	Object.assign(from, { role: 'broadcaster', asked: 2 });
	receiver.take(from, piece(1, 0, BLOCK), 1050);
	expect(receiver.stats).toMatchObject({ bytesFromBroadcaster: BLOCK, bytesFromViewers: 0 });
});

test('who leaves takes only what it had begun to send along', () => {
	const { receiver, from, other } = setup();
	from.asked = other.asked = 1;
	receiver.take(from, piece(0, 0, BLOCK), 1050);
	receiver.take(other, piece(0, 0, BLOCK), 1055);
	receiver.forget(from);
	expect(receiver.take(from, piece(0, BLOCK, BLOCK), 1058)).toBeUndefined();
	expect(receiver.take(other, piece(0, BLOCK, BLOCK), 1060)?.whole.length).toBe(2 * BLOCK);
});

test('a late answer to a request taken back is no offence', () => {
	const { receiver, book, track, from, ended } = setup();
	book.ask(track, 1, from, 1000);
	book.withdraw(track, 1);
	expect(receiver.take(from, piece(1, 0, BLOCK), 1500)?.whole.length).toBe(BLOCK);
	expect(from.unsolicited).toBe(0);
	expect(ended).toEqual([]);
});

test('a block of a wrong length ends the link', () => {
	const { receiver, from, ended } = setup();
	from.asked = 2;
	receiver.take(from, piece(1, 0, 100), 1050);
	expect(ended).toEqual(['protocol']);
});

test('a parent that brings what was asked of another, before or after it, was worth a longer wait', () => {
	const { receiver, book, track, from: parent, other } = setup();
	parent.asked = 3;
	book.ask(track, 0, other, 1000);
	receiver.take(parent, piece(0, 0, BLOCK), 1050);
	receiver.take(parent, piece(0, BLOCK, BLOCK), 1050);
	expect(book.slackMs(1050)).toBe(210);
	book.ask(track, 1, other, 1100);
	expect(receiver.take(other, piece(1, 0, BLOCK), 1150)).toBeDefined();
	expect(book.slackMs(1150)).toBeCloseTo(204.7, 5);
	expect(receiver.take(parent, piece(1, 0, BLOCK), 1160)).toBeUndefined();
	expect(book.slackMs(1160)).toBeCloseTo(214.67, 5);
});
