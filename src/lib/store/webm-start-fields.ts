import type { StartField } from './start-field.ts';

// Element ids (Matroska, RFC 9559 §5).
const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TIMESTAMP_SCALE = 0x2ad7b1;
const CLUSTER = 0x1f43b675;
const TIMESTAMP = 0xe7;

/** Nanoseconds a tick where the header says nothing else (RFC 9559 §5.1.2.9). */
const USUAL_SCALE = 1_000_000;

interface Element {
	readonly id: number;
	/** Offset of the content. */
	readonly from: number;
	/** Offset behind it; `undefined` when its size is unknown. */
	readonly to: number | undefined;
}

/** Finds the timestamps of a WebM segment's clusters; the header tells their unit. */
export function webmStartFields(init: Uint8Array): (segment: Uint8Array) => StartField[] {
	let scale = USUAL_SCALE;
	for (const { id, from, to } of elements(init)) {
		if (id === TIMESTAMP_SCALE && isNumber(from, to)) scale = readNumber(init, from, to);
	}
	return (segment) => {
		const fields: StartField[] = [];
		for (const { id, from, to } of elements(segment)) {
			if (id === TIMESTAMP && isNumber(from, to)) {
				fields.push(timestampField(segment, from, to, scale / 1000));
			}
		}
		return fields;
	};
}

/** Every element, with those in a segment, its information and its clusters one after another; stops at what isn't one. */
function* elements(bytes: Uint8Array): Generator<Element> {
	for (let at = 0; at < bytes.length;) {
		const element = readElement(bytes, at);
		if (!element) return;
		yield element;
		const opens = element.id === SEGMENT || element.id === INFO || element.id === CLUSTER;
		if (!opens && element.to === undefined) return;
		at = opens ? element.from : (element.to ?? bytes.length);
	}
}

function readElement(bytes: Uint8Array, at: number): Element | undefined {
	const idBytes = Math.clz32(bytes[at] ?? 0) - 23;
	const sizeBytes = Math.clz32(bytes[at + idBytes] ?? 0) - 23;
	const from = at + idBytes + sizeBytes;
	if (idBytes > 4 || sizeBytes > 8 || from > bytes.length) return undefined;
	const id = readNumber(bytes, at, at + idBytes);
	const unknown = 2 ** (7 * sizeBytes) - 1;
	const size = readNumber(bytes, at + idBytes, from) - 2 ** (7 * sizeBytes);
	// Beyond 2^53 numbers are no longer exact; no element is so large.
	const isKnown = size < unknown && size < 2 ** 50;
	return { id, from, to: isKnown ? from + size : undefined };
}

function timestampField(segment: Uint8Array, from: number, to: number, tickUs: number): StartField {
	const ticks = readNumber(segment, from, to);
	return {
		startUs: ticks * tickUs,
		move(byUs) {
			let rest = Math.max(0, ticks + Math.round(byUs / tickUs));
			if (rest >= 2 ** (8 * (to - from))) return false;
			for (let at = to - 1; at >= from; at--) {
				segment[at] = rest % 256;
				rest = Math.floor(rest / 256);
			}
			return true;
		},
	};
}

/** Whether there can be a number: it has eight bytes at most (RFC 8794 §7.2), whatever size the element claims. */
function isNumber(from: number, to: number | undefined): to is number {
	return to !== undefined && to - from <= 8;
}

function readNumber(bytes: Uint8Array, from: number, to: number): number {
	let value = 0;
	for (let at = from; at < to; at++) value = value * 256 + (bytes[at] ?? 0);
	return value;
}
