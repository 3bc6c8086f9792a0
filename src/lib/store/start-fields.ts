import { boxes, boxesIn, find, viewOf } from './mp4-box.ts';
import type { StartField } from './start-field.ts';
import { webmStartFields } from './webm-start-fields.ts';

/**
 * Reads an init segment once; gives what finds the start fields of the segments that follow it: `tfdt` of each track of
 * each fragment (ISO 14496-12 §8.8.12), or the timestamp of each WebM cluster. None where it finds its way no more.
 */
export function startFieldsOf(init: Uint8Array): (segment: Uint8Array) => StartField[] {
	const timescales = mp4Timescales(init);
	const read =
		timescales.size > 0
			? (segment: Uint8Array) => mp4StartFields(segment, timescales)
			: webmStartFields(init);
	return (segment) => {
		try {
			return read(segment);
		} catch (error) {
			if (error instanceof RangeError) return []; // it ends within a box
			throw error;
		}
	};
}

/** Ticks a second of each track (`moov/trak`: `tkhd`, `mdia/mdhd`; §8.3.2, §8.4.2). */
function mp4Timescales(init: Uint8Array): Map<number, number> {
	const timescales = new Map<number, number>();
	for (const trak of boxesIn(find(boxes(viewOf(init)), 'moov'))) {
		if (trak.type !== 'trak') continue;
		const parts = boxesIn(trak);
		const tkhd = find(parts, 'tkhd')?.body;
		const mdhd = find(boxesIn(find(parts, 'mdia')), 'mdhd')?.body;
		if (!tkhd || !mdhd) continue;
		const timescale = mdhd.getUint32(behindTimes(mdhd));
		if (timescale > 0) timescales.set(tkhd.getUint32(behindTimes(tkhd)), timescale);
	}
	return timescales;
}

/** Version 1 has 64-bit times before what is looked for. */
function behindTimes(body: DataView): number {
	return body.getUint8(0) === 1 ? 20 : 12;
}

function mp4StartFields(segment: Uint8Array, timescales: Map<number, number>): StartField[] {
	const fields: StartField[] = [];
	for (const moof of boxes(viewOf(segment))) {
		if (moof.type !== 'moof') continue;
		for (const traf of boxesIn(moof)) {
			const parts = traf.type === 'traf' ? boxesIn(traf) : [];
			const track = find(parts, 'tfhd')?.body.getUint32(4);
			const tfdt = find(parts, 'tfdt')?.body;
			const timescale = track === undefined ? undefined : timescales.get(track);
			if (tfdt && timescale) fields.push(tfdtField(tfdt, timescale));
		}
	}
	return fields;
}

function tfdtField(tfdt: DataView, timescale: number): StartField {
	const isLong = tfdt.getUint8(0) === 1;
	const ticks = isLong ? Number(tfdt.getBigUint64(4)) : tfdt.getUint32(4);
	return {
		startUs: (ticks / timescale) * 1e6,
		move(byUs) {
			const moved = Math.max(0, ticks + Math.round((byUs / 1e6) * timescale));
			if (isLong) tfdt.setBigUint64(4, BigInt(moved));
			else if (moved < 2 ** 32) tfdt.setUint32(4, moved);
			else return false;
			return true;
		},
	};
}
