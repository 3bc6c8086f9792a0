import { boxes, boxesIn, find, viewOf } from '../src/lib/node.ts';

/** Where a fragment's first track begins, and how long it lasts, seconds. */
export interface FragmentTime {
	readonly startS: number;
	readonly durationS: number;
}

const FIRST_TRACK = 1;

/** Ticks a second of the first track, from an init segment (`moov/trak/mdia/mdhd`, ISO 14496-12 §8.4.2). */
export function readTimescale(init: Uint8Array): number | undefined {
	const moov = find(boxes(viewOf(init)), 'moov');
	for (const trak of boxesIn(moov).filter(({ type }) => type === 'trak')) {
		const tkhd = find(boxesIn(trak), 'tkhd');
		// Version 1 has 64-bit times before the track's number.
		const id = tkhd?.body.getUint32(tkhd.body.getUint8(0) === 1 ? 20 : 12);
		if (id !== FIRST_TRACK) continue;
		const mdhd = find(boxesIn(find(boxesIn(trak), 'mdia')), 'mdhd');
		return mdhd?.body.getUint32(mdhd.body.getUint8(0) === 1 ? 20 : 12);
	}
	return undefined;
}

/** When a fragment plays, by its first track's `tfdt` and `trun` (§8.8.8, §8.8.12). */
export function readFragmentTime(moof: Uint8Array, timescale: number): FragmentTime | undefined {
	for (const traf of boxesIn(find(boxes(viewOf(moof)), 'moof'))) {
		if (traf.type !== 'traf') continue;
		const parts = boxesIn(traf);
		const tfhd = find(parts, 'tfhd')?.body;
		const tfdt = find(parts, 'tfdt')?.body;
		if (!tfhd || !tfdt || tfhd.getUint32(4) !== FIRST_TRACK) continue;
		const start = tfdt.getUint8(0) === 1 ? Number(tfdt.getBigUint64(4)) : tfdt.getUint32(4);
		const fallback = defaultDuration(tfhd);
		let ticks = 0;
		for (const { type, body } of parts) if (type === 'trun') ticks += runTicks(body, fallback);
		return { startS: start / timescale, durationS: ticks / timescale };
	}
	return undefined;
}

/** `default_sample_duration` of a `tfhd` (§8.8.7), 0 when it has none. */
function defaultDuration(tfhd: DataView): number {
	const flags = tfhd.getUint32(0) & 0xffffff;
	if (!(flags & 0x8)) return 0;
	return tfhd.getUint32(8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0));
}

function runTicks(trun: DataView, fallback: number): number {
	const flags = trun.getUint32(0) & 0xffffff;
	const count = trun.getUint32(4);
	if (!(flags & 0x100)) return count * fallback;
	const first = 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
	const fields = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length;
	let ticks = 0;
	for (let index = 0; index < count; index++) ticks += trun.getUint32(first + index * fields * 4);
	return ticks;
}
