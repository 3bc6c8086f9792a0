import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../util/bytes.ts';
import { RecordingJoin, partName } from './recording.ts';
import { startFieldsOf } from './start-fields.ts';

const SECOND_US = 1_000_000;

/** A box with its length and four letters (ISO 14496-12 §4.2). */
function box(type: string, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
	const body = concatBytes(...parts);
	return concatBytes(u32(body.length + 8), utf8(type), body);
}

function u32(...values: number[]): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(values.length * 4);
	values.forEach((value, i) => new DataView(bytes.buffer).setUint32(i * 4, value));
	return bytes;
}

/** Two tracks: 1 counts in 90,000ths of a second, 2 in 48,000ths. */
const MP4 = concatBytes(
	box('ftyp', utf8('isom')),
	box(
		'moov',
		...[90_000, 48_000].map((timescale, i) =>
			box(
				'trak',
				box('tkhd', u32(0, 0, 0, i + 1)),
				box('mdia', box('mdhd', u32(0, 0, 0, timescale))),
			),
		),
	),
);

/** One second from `startS` on, the sound 20 ms ahead of the picture. */
function fragment(startS: number, { long = true } = {}): Uint8Array<ArrayBuffer> {
	const tfdt = (ticks: number) =>
		long ? u32(0x01000000, Math.floor(ticks / 2 ** 32), ticks) : u32(0, ticks);
	const traf = (track: number, ticks: number) =>
		box('traf', box('tfhd', u32(0, track)), box('tfdt', tfdt(ticks)));
	return concatBytes(
		box(
			'moof',
			box('mfhd', u32(0, 1)),
			traf(1, startS * 90_000),
			traf(2, (startS - 0.02) * 48_000),
		),
		box('mdat', utf8(`from ${startS}`)),
	);
}

const segment = (startS: number, init: Uint8Array = MP4, bytes = fragment(startS)) => ({
	init,
	bytes,
	startUs: startS * SECOND_US,
	durationUs: SECOND_US,
	sinceKeyFrame: 0,
});

/** When the tracks begin in each part of a recording, seconds. */
function starts(init: Uint8Array, parts: readonly Uint8Array[]): number[][] {
	return parts.map((part) =>
		startFieldsOf(init)(part).map(({ startUs }) => Math.round(startUs / 1000) / 1000),
	);
}

describe('a recording', () => {
	it('begins at 0, however long the broadcast has been on', () => {
		const join = new RecordingJoin();
		const first = join.add(segment(3600));
		expect(first.begins).toBe(true);
		expect(first.parts[0]).toEqual(MP4);
		const second = join.add(segment(3601));
		expect(second.begins).toBe(false);
		expect(starts(MP4, [...first.parts.slice(1), ...second.parts])).toEqual([
			[0.02, 0],
			[1.02, 1],
		]);
	});

	it('goes on without a hole where segments are missing, and where the broadcast began anew', () => {
		const join = new RecordingJoin();
		const parts = [10, 11, 14, 0, 1].map((startS) => join.add(segment(startS)).parts.at(-1)!);
		expect(starts(MP4, parts).map(([picture]) => picture)).toEqual([0.02, 1.02, 2.02, 3.02, 4.02]);
	});

	it('leaves out what needs frames that are missing', () => {
		const join = new RecordingJoin();
		const given = [
			{ ...segment(3), sinceKeyFrame: 1 },
			segment(4),
			{ ...segment(5), sinceKeyFrame: 1 },
			{ ...segment(7), sinceKeyFrame: 3 },
			segment(8),
		];
		const parts = given.flatMap((one) => join.add(one).parts.slice(-1));
		expect(starts(MP4, parts).map(([picture]) => picture)).toEqual([0.02, 1.02, 2.02]);
	});

	it('leaves what it was given as it was, and says the same of the same', () => {
		const given = segment(100);
		expect(new RecordingJoin().add(given)).toEqual(new RecordingJoin().add(given));
		expect(given.bytes).toEqual(fragment(100));
	});

	it('begins a file for another format', () => {
		const join = new RecordingJoin();
		const other = concatBytes(MP4, box('free', utf8('another')));
		const begun = [segment(5), segment(6), segment(7, other), segment(8, other)].map((given) => {
			const { begins, parts } = join.add(given);
			return [begins, starts(given.init, parts.slice(-1))[0]?.[1]];
		});
		expect(begun).toEqual([
			[true, 0],
			[false, 1],
			[true, 0],
			[false, 1],
		]);
	});

	it('begins a file where a 32-bit clock is full', () => {
		const join = new RecordingJoin();
		const day = 24 * 3600;
		const short = (startS: number, durationS = 1) => ({
			...segment(startS, MP4, fragment(startS, { long: false })),
			durationUs: durationS * SECOND_US,
		});
		join.add(short(0.02, day));
		const { begins, parts } = join.add(short(1));
		expect(begins).toBe(true);
		expect(starts(MP4, parts.slice(-1))).toEqual([[0.02, 0]]);
	});

	it('moves the clusters of WebM, of known and of unknown length', () => {
		const header = Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3, 0x80);
		const cluster = (ms: number, size: number[]) =>
			Uint8Array.of(0x1f, 0x43, 0xb6, 0x75, ...size, 0xe7, 0x82, ms >> 8, ms & 255, 0xa3, 0x81, 7);
		const known = [0x87];
		const unknown = [0x01, 255, 255, 255, 255, 255, 255, 255];
		for (const size of [known, unknown]) {
			const join = new RecordingJoin();
			const both = concatBytes(cluster(60_000, size), cluster(60_500, size));
			const { parts } = join.add(segment(60, header, both));
			expect(starts(header, parts.slice(1))).toEqual([[0, 0.5]]);
			expect(parts[1]).toHaveLength(both.length);
		}
	});

	it('reads no number of a size that WebM has not', () => {
		const header = Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3, 0x80);
		const scale = Uint8Array.of(0x2a, 0xd7, 0xb1, 0x01, 0x00, 0x80, 0, 0, 0, 0, 0, 1);
		const cluster = Uint8Array.of(
			...[0x1f, 0x43, 0xb6, 0x75, 0x01, 255, 255, 255, 255, 255, 255, 255],
			...[0xe7, 0x01, 0x00, 0x80, 0, 0, 0, 0, 0, 7],
		);
		const { parts } = new RecordingJoin().add(segment(9, concatBytes(header, scale), cluster));
		expect(parts.at(-1)).toEqual(cluster);
	});

	it('keeps as it is what it can’t read', () => {
		const join = new RecordingJoin();
		const moof = (...tfdt: Uint8Array<ArrayBuffer>[]) =>
			box('moof', box('traf', box('tfhd', u32(0, 1)), ...tfdt));
		for (const bytes of [
			utf8('no media'),
			fragment(9).slice(0, 90),
			new Uint8Array(),
			// Boxes of no length, of less than their headers, and longer than what is there.
			concatBytes(u32(0), utf8('moof'), fragment(9)),
			concatBytes(u32(7), utf8('moof'), fragment(9)),
			concatBytes(u32(5000), utf8('moof'), fragment(9)),
			moof(box('tfdt', u32(0))),
			moof(box('tfdt')),
			moof(),
		]) {
			expect(join.add({ ...segment(9), bytes }).parts.at(-1)).toEqual(bytes);
		}
	});

	it('reads only tracks that tell their number and their clock', () => {
		const trak = (track: number, timescale: number) =>
			box(
				'trak',
				box('tkhd', u32(0, 0, 0, track)),
				box('mdia', box('mdhd', u32(0, 0, 0, timescale))),
			);
		const moov = box('moov', box('mvhd', u32(0)), box('trak'), trak(1, 0), trak(2, 48_000));
		const { parts } = new RecordingJoin().add(segment(9, moov));
		expect(starts(moov, parts.slice(-1))).toEqual([[0]]);
	});

	it('counts the time of WebM in the unit that its header names, and begins a file where it has no room', () => {
		const scale = Uint8Array.of(0x2a, 0xd7, 0xb1, 0x83, 0x07, 0xa1, 0x20);
		const header = concatBytes(Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3, 0x80), scale);
		const cluster = (ticks: number) =>
			Uint8Array.of(0x1f, 0x43, 0xb6, 0x75, 0x83, 0xe7, 0x81, ticks);
		expect(starts(header, [cluster(200)])).toEqual([[0.1]]);
		const join = new RecordingJoin();
		join.add(segment(0, header, cluster(0)));
		expect(join.add(segment(1, header, cluster(100))).begins).toBe(false);
		join.add(segment(100, header, cluster(200)));
		// Two seconds of the file are 4,000 ticks.
		const far = join.add({ ...segment(0, header, cluster(0)), durationUs: 2 * SECOND_US });
		const next = join.add(segment(2, header, cluster(255)));
		expect([far.begins, next.begins]).toEqual([true, false]);
	});
});

it('the files of a recording are numbered before their endings', () => {
	expect(partName('all.mp4', 1)).toBe('all.mp4');
	expect(partName('a.b/all.mp4', 2)).toBe('a.b/all-2.mp4');
	expect(partName('a.b/all', 3)).toBe('a.b/all-3');
});
