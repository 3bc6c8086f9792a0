import { boxes, boxesIn, find, viewOf } from '../src/lib/node.ts';
import type { Box } from '../src/lib/node.ts';

/**
 * Sets the times of making in a `moov` box to zero (`mvhd`, `tkhd`, `mdhd`; ISO 14496-12 §8.2.2, §8.3.2, §8.4.2), in
 * place: so the same codecs always give the same init segment, and players need not begin anew after a source's pause.
 */
export function clearTimes(moov: Uint8Array): void {
	const parts = boxesIn(find(boxes(viewOf(moov)), 'moov'));
	clear(find(parts, 'mvhd'));
	for (const trak of parts) {
		if (trak.type !== 'trak') continue;
		const inTrak = boxesIn(trak);
		clear(find(inTrak, 'tkhd'));
		clear(find(boxesIn(find(inTrak, 'mdia')), 'mdhd'));
	}
}

/** Creation and modification time follow version and flags: 32 bits each, 64 in version 1. */
function clear(header: Box | undefined): void {
	if (!header) return;
	const { body } = header;
	const length = body.getUint8(0) === 1 ? 16 : 8;
	for (let at = 4; at < 4 + length; at++) body.setUint8(at, 0);
}
