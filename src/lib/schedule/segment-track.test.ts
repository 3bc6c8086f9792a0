import { expect, test } from 'vitest';
import {
	forBlocks,
	forgetSlot,
	HELD,
	heldBits,
	trackedPieceBytes,
	trackSegment,
} from './segment-track.ts';
import { Tracks } from './tracks.ts';

const segment = (firstPiece: number, count = 10) => ({
	firstPiece,
	count,
	pieceLength: 32_768,
	length: count * 32_768 - 20_000,
	wanted: true,
});

test('knows how long each piece is and where its blocks lie', () => {
	const track = trackSegment(segment(0), 0);
	expect(trackedPieceBytes(track, 0)).toBe(32_768);
	expect(trackedPieceBytes(track, 9)).toBe(12_768);
	const blocks: [number, number][] = [];
	forBlocks(track, 0, (begin, length) => blocks.push([begin, length]));
	forBlocks(track, 9, (begin, length) => blocks.push([begin, length]));
	expect(blocks).toEqual([
		[0, 16_384],
		[16_384, 16_384],
		[0, 12_768],
	]);
});

test('gives what is held as a bitmap', () => {
	const track = trackSegment(segment(0), 0);
	track.states[0] = HELD;
	track.states[9] = HELD;
	expect(heldBits(track)).toEqual({ bits: Uint8Array.of(0b1000_0000, 0b0100_0000), held: 2 });
});

test('forgets all of who had a slot, and nothing of the others', () => {
	const track = trackSegment(segment(0, 2), 0);
	track.informed = 0b11;
	const noted = [track.holders, track.pushed, track.elsewhere];
	for (const slots of noted) slots.fill(0b11);
	forgetSlot(track, 1);
	expect(track.informed).toBe(0b01);
	expect(noted.map((slots) => [...slots])).toEqual([
		[0b01, 0b01],
		[0b01, 0b01],
		[0b01, 0b01],
	]);
});

test('finds the segment of a piece, whatever order they came in', () => {
	const tracks = new Tracks();
	const [late, early] = [trackSegment(segment(20), 0), trackSegment(segment(0), 0)];
	tracks.add(late);
	tracks.add(early);
	expect(tracks.of(0)).toBe(early);
	expect(tracks.of(9)).toBe(early);
	expect(tracks.of(10)).toBeUndefined();
	expect(tracks.of(29)).toBe(late);
	expect(tracks.newestPiece).toBe(29);
	expect(tracks.remove(0)).toBe(early);
	expect(tracks.remove(0)).toBeUndefined();
	expect(tracks.of(5)).toBeUndefined();
});

test('seeks only what is wanted and not whole', () => {
	const tracks = new Tracks();
	const wanted = trackSegment(segment(0), 0);
	const unwanted = trackSegment({ ...segment(10), wanted: false }, 0);
	tracks.add(wanted);
	tracks.add(unwanted);
	expect([...tracks.sought]).toEqual([wanted]);
	tracks.settle(wanted);
	unwanted.wanted = true;
	tracks.seek(unwanted);
	expect([...tracks.sought]).toEqual([unwanted]);
});
