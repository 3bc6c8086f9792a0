import { concatBytes } from '../util/bytes.ts';

// ISO 14496-15 §5.3.3.1: version, profile, compatibility, level, length size; then the number of sequence parameter
// sets and these, the number of picture parameter sets and these, each behind its length in two bytes.
const COUNT_AT = 5;
const FIRST_SET_AT = 8;
const MOST_SEQUENCE_SETS = 0x1f;

/**
 * An H.264 configuration record with parameter sets as every decoder takes them. Firefox (153) writes the header of each twice, which its
 * own decoder forgives and Chromium's doesn't. Anything else is given back as it is.
 */
export function mendAvcRecord(record: Uint8Array): Uint8Array {
	if (!hasDoubledHeaders(record)) return record;
	const parts = [record.subarray(0, COUNT_AT)];
	let at = COUNT_AT;
	for (const most of [MOST_SEQUENCE_SETS, 0xff]) {
		const count = (record[at] ?? 0) & most;
		parts.push(record.subarray(at, ++at));
		for (let i = 0; i < count; i++) {
			const length = ((record[at] ?? 0) << 8) | (record[at + 1] ?? 0);
			const set = record.subarray(at + 2, at + 2 + length);
			if (set.length < length) return record;
			at += 2 + length;
			const mended = set[0] === set[1] ? set.subarray(1) : set;
			parts.push(Uint8Array.of(mended.length >> 8, mended.length & 0xff), mended);
		}
	}
	return concatBytes(...parts, record.subarray(at));
}

/** A parameter set begins with its header and then repeats the record's profile, compatibility and level (ITU-T H.264 §7.3.2.1.1). */
function hasDoubledHeaders(record: Uint8Array): boolean {
	return (
		record.length > FIRST_SET_AT + 4 &&
		record[FIRST_SET_AT] === record[FIRST_SET_AT + 1] &&
		[1, 2, 3].every((i) => record[i] === record[FIRST_SET_AT + 1 + i])
	);
}

/**
 * The RFC 6381 name of what a record describes: encoders may use a lower profile than they were asked for.
 * `undefined` where it is too short to tell.
 */
export function avcNameOf(record: Uint8Array): string | undefined {
	if (record.length < 4) return undefined;
	const hex = [...record.subarray(1, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
	return `avc1.${hex}`;
}
