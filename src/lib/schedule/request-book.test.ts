import { expect, test } from 'vitest';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { RequestBook } from './request-book.ts';
import { Roster } from './roster.ts';
import { trackSegment } from './segment-track.ts';

function setup() {
	const roster = new Roster();
	const join = () => {
		const { link, sent } = fakeNeighbour(0);
		const neighbour = roster.add(link, 0);
		if (!neighbour) throw new Error('no slot');
		return { neighbour, sent };
	};
	const track = trackSegment(
		{ firstPiece: 40, count: 2, pieceLength: 32_768, length: 50_000, wanted: true },
		0,
	);
	return { book: new RequestBook(roster), track, first: join(), second: join() };
}

test('asks for every block of a piece, and counts it as one', () => {
	const { book, track, first } = setup();
	book.ask(track, 1, first.neighbour, 5);
	expect(first.sent).toEqual([
		{ type: 'request', index: 41, begin: 0, length: 16_384 },
		{ type: 'request', index: 41, begin: 16_384, length: 848 },
	]);
	expect(first.neighbour.outstanding).toBe(1);
	expect(book.isAsked(track, 1, first.neighbour.slot)).toBe(true);
	expect(book.wasAsked(track, 1)).toBe(true);
	expect(book.wasAsked(track, 0)).toBe(false);
});

test('what another delivered is taken back from whom it was asked', () => {
	const { book, track, first, second } = setup();
	book.ask(track, 0, first.neighbour, 5);
	book.release(track, 0, second.neighbour.slot);
	expect(first.sent.filter(({ type }) => type === 'cancel').length).toBe(2);
	expect([first.neighbour.outstanding, second.neighbour.outstanding]).toEqual([0, 0]);
	expect(book.isAsked(track, 0, first.neighbour.slot)).toBe(false);
});

test('what was asked for and came is asked no more, and nothing is taken back', () => {
	const { book, track, first } = setup();
	book.ask(track, 0, first.neighbour, 5);
	book.release(track, 0, first.neighbour.slot);
	expect(first.sent.some(({ type }) => type === 'cancel')).toBe(false);
	expect(first.neighbour.outstanding).toBe(0);
	expect(book.isAsked(track, 0, first.neighbour.slot)).toBe(false);
});

test('what is withdrawn can be asked of another', () => {
	const { book, track, first, second } = setup();
	book.ask(track, 0, first.neighbour, 5);
	book.withdraw(track, 0);
	book.withdraw(track, 0);
	book.ask(track, 0, second.neighbour, 6);
	expect(track.asked[0]).toBe(second.neighbour.slot);
	expect(first.sent.filter(({ type }) => type === 'cancel').length).toBe(2);
	expect([first.neighbour.outstanding, second.neighbour.outstanding]).toEqual([0, 1]);
});

test('forgets who refused once, whatever it says again', () => {
	const { book, track, first } = setup();
	book.ask(track, 0, first.neighbour, 5);
	book.forget(track, 0, first.neighbour.slot);
	book.forget(track, 0, first.neighbour.slot);
	expect(first.neighbour.outstanding).toBe(0);
	expect(book.isAsked(track, 0, first.neighbour.slot)).toBe(false);
	expect(first.sent.some(({ type }) => type === 'cancel')).toBe(false);
});

test('what one says of a piece that is asked of another changes nothing', () => {
	const { book, track, first, second } = setup();
	book.ask(track, 0, first.neighbour, 5);
	book.ask(track, 1, second.neighbour, 5);
	book.forget(track, 0, second.neighbour.slot);
	expect(book.isAsked(track, 0, first.neighbour.slot)).toBe(true);
	expect(second.neighbour.outstanding).toBe(1);
});

test('waits longer for late parents when they bring what was asked elsewhere, within bounds, and forgets it again', () => {
	const { book } = setup();
	expect(book.slackMs(0)).toBe(200);
	book.noteRepair(true, 0);
	expect(book.slackMs(0)).toBe(200);
	book.noteRepair(false, 0);
	expect(book.slackMs(0)).toBe(210);
	for (let i = 0; i < 100; i++) book.noteRepair(false, 0);
	expect(book.slackMs(0)).toBe(300);
	for (let i = 0; i < 10; i++) book.noteRepair(true, 0);
	expect(book.slackMs(0)).toBe(250);
});

test('what was short long ago no longer makes it wait, though nothing was asked elsewhere since', () => {
	const { book } = setup();
	for (let i = 0; i < 100; i++) book.noteRepair(false, 1000);
	expect(book.slackMs(11_000)).toBe(270);
	expect(book.slackMs(60_000)).toBe(200);
	book.noteRepair(false, 60_000);
	expect(book.slackMs(60_000)).toBe(210);
});
