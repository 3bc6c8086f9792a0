import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from '../util/bytes.ts';
import { writeFragment } from './fragment.ts';
import type { Packet } from './packet.ts';

const video = { trackId: 1, timescale: 57_600 };
const audio = { trackId: 2, timescale: 48_000 };

function packet(startUs: number, durationUs: number, data: number[], isKey = true): Packet {
	return { startUs, durationUs, data: new Uint8Array(data), isKey };
}

test('a fragment of two tracks has exactly the bytes of ISO 14496-12', () => {
	const bytes = writeFragment(7, [
		{
			track: video,
			packets: [packet(500_000, 33_333, [1, 2, 3]), packet(533_333, 33_334, [4], false)],
		},
		{ track: audio, packets: [packet(500_000, 20_000, [5, 6])] },
	]);
	const expected = [
		'000000bc 6d6f6f66', // moof: 8 + 16 + 88 + 76 bytes
		'00000010 6d666864 00000000 00000007', // mfhd: sequence 7
		'00000058 74726166', // traf
		'00000010 74666864 00020000 00000001', // tfhd: default-base-is-moof, track 1
		'00000014 74666474 01000000 00000000 00007080', // tfdt v1: 0.5 s of 57600
		'0000002c 7472756e 00000701 00000002 000000c4', // trun: 2 samples, data 188 + 8 bytes behind moof
		'00000780 00000003 02000000', // 1920 ticks, 3 bytes, depends on no other
		'00000780 00000001 01010000', // 1920 ticks, 1 byte, depends on others and is no sync sample
		'0000004c 74726166', // traf
		'00000010 74666864 00020000 00000002', // tfhd: track 2
		'00000014 74666474 01000000 00000000 00005dc0', // tfdt v1: 0.5 s of 48000
		'00000020 7472756e 00000701 00000001 000000c8', // trun: 1 sample, data behind track 1's 4 bytes
		'000003c0 00000002 02000000', // 960 ticks
		'0000000e 6d646174', // mdat
		'010203 04 0506',
	];
	expect(toHex(bytes)).toBe(expected.join('').replaceAll(' ', ''));
});

test('a track without packets is left out', () => {
	const runs = [{ track: audio, packets: [packet(0, 20_000, [9])] }];
	const both = [{ track: video, packets: [] }, ...runs];
	expect(writeFragment(1, both)).toEqual(writeFragment(1, runs));
});

test('start times beyond 32 bits are kept: a day at 57600 ticks', () => {
	const bytes = writeFragment(1, [
		{ track: video, packets: [packet(86_400_000_000, 33_333, [1])] },
	]);
	const tfdt = toHex(bytes).indexOf('74666474') / 2;
	expect(new DataView(bytes.buffer).getBigUint64(tfdt + 8)).toBe(86_400n * 57_600n);
});

test('samples end where the next begins and the fragment where the next fragment begins, whatever the rounding', () => {
	fc.assert(
		fc.property(
			fc.array(fc.integer({ min: 1000, max: 200_000 }), { minLength: 1, maxLength: 40 }),
			fc.integer({ min: 0, max: 100_000_000_000 }),
			(durations, startUs) => {
				let atUs = startUs;
				const packets = durations.map((durationUs) => {
					const made = packet(atUs, durationUs, [0]);
					atUs += durationUs;
					return made;
				});
				const bytes = writeFragment(1, [{ track: video, packets }]);
				const trun = toHex(bytes).indexOf('7472756e') / 2;
				const view = new DataView(bytes.buffer);
				let ticks = Math.round((startUs / 1e6) * 57_600);
				packets.forEach((_, i) => (ticks += view.getUint32(trun + 16 + i * 12)));
				expect(ticks).toBe(Math.round((atUs / 1e6) * 57_600));
			},
		),
	);
});

test('a first frame that comes late is decoded from where the fragment before ended, and shown in its time', () => {
	const packets = [packet(568_000, 32_000, [1], false), packet(600_000, 33_000, [2], false)];
	const bytes = writeFragment(1, [{ track: video, packets, decodeFromUs: 500_000 }]);
	const view = new DataView(bytes.buffer);
	const tfdt = toHex(bytes).indexOf('74666474') / 2;
	expect(view.getBigUint64(tfdt + 8)).toBe(28_800n); // 0.5 s of 57600
	const trun = toHex(bytes).indexOf('7472756e') / 2;
	expect(view.getUint32(trun + 4)).toBe(0xf01); // with composition time offsets
	const samples = [0, 1].map((i) => {
		const at = trun + 16 + i * 16;
		return { ticks: view.getUint32(at), shiftTicks: view.getUint32(at + 12) };
	});
	expect(samples).toEqual([
		{ ticks: 5760, shiftTicks: 3917 }, // decoded for 100 ms, shown 68 ms later
		{ ticks: 1901, shiftTicks: 0 },
	]);
	expect(bytes.slice(-2)).toEqual(new Uint8Array([1, 2]));
});
