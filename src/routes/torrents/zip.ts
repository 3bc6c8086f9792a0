import { crc32 } from './crc32.ts';

/** A file for a ZIP archive. */
export interface ZipFile {
	/** Path with `/`. */
	readonly path: string;
	readonly blob: Blob;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
/** What a 16- or 32-bit field holds when the truth is in the ZIP64 part. */
const FULL_16 = 0xffff;
const FULL_32 = 0xffffffff;
/** Names are UTF-8. */
const FLAGS = 0x0800;
/** 1980-01-01, the earliest there is: a torrent knows no times. */
const DOS_DATE = 0x21;

/**
 * A ZIP archive without compression (media doesn't shrink). The files are read once for their checksums and then only
 * pointed at, so that the archive may be larger than memory. ZIP64 where sizes need it.
 */
export async function zip(
	files: readonly ZipFile[],
	onProgress: (doneBytes: number) => void = () => undefined,
): Promise<Blob> {
	const parts: BlobPart[] = [];
	const central: BlobPart[] = [];
	let offset = 0;
	let centralBytes = 0;
	let doneBytes = 0;
	for (const { path, blob } of files) {
		const crc = await checksum(blob, (bytes) => onProgress((doneBytes += bytes)));
		const entry = { name: new TextEncoder().encode(path), crc, size: blob.size, offset };
		const header = localHeader(entry);
		parts.push(header, blob);
		const record = centralRecord(entry);
		central.push(record);
		centralBytes += record.length;
		offset += header.length + blob.size;
	}
	return new Blob([...parts, ...central, endRecord(files.length, centralBytes, offset)], {
		type: 'application/zip',
	});
}

interface Entry {
	readonly name: Uint8Array;
	readonly crc: number;
	readonly size: number;
	readonly offset: number;
}

async function checksum(blob: Blob, onBytes: (count: number) => void): Promise<number> {
	let crc = 0;
	const reader = blob.stream().getReader();
	for (;;) {
		const { value, done } = await reader.read();
		if (done) return crc;
		crc = crc32(value, crc);
		onBytes(value.length);
	}
}

function localHeader({ name, crc, size }: Entry): Uint8Array<ArrayBuffer> {
	const large = size >= FULL_32;
	const bytes = new Uint8Array(30 + name.length + (large ? 20 : 0));
	const view = new DataView(bytes.buffer);
	view.setUint32(0, LOCAL, true);
	view.setUint16(4, large ? 45 : 20, true);
	common(view, 6, { crc, size, name, extra: large ? 20 : 0 });
	bytes.set(name, 30);
	if (large) sizes64(view, 30 + name.length, [size, size]);
	return bytes;
}

function centralRecord({ name, crc, size, offset }: Entry): Uint8Array<ArrayBuffer> {
	const large = size >= FULL_32 || offset >= FULL_32;
	const extra = large ? 28 : 0;
	const bytes = new Uint8Array(46 + name.length + extra);
	const view = new DataView(bytes.buffer);
	view.setUint32(0, CENTRAL, true);
	view.setUint16(4, 45, true);
	view.setUint16(6, large ? 45 : 20, true);
	common(view, 8, { crc, size: large ? FULL_32 : size, name, extra });
	view.setUint32(42, large ? FULL_32 : offset, true);
	bytes.set(name, 46);
	if (large) sizes64(view, 46 + name.length, [size, size, offset]);
	return bytes;
}

/** From the flags to the length of the extra field, the same in both records. */
function common(
	view: DataView,
	at: number,
	{ crc, size, name, extra }: { crc: number; size: number; name: Uint8Array; extra: number },
): void {
	view.setUint16(at, FLAGS, true);
	view.setUint16(at + 6, DOS_DATE, true);
	view.setUint32(at + 8, crc, true);
	view.setUint32(at + 12, Math.min(size, FULL_32), true);
	view.setUint32(at + 16, Math.min(size, FULL_32), true);
	view.setUint16(at + 20, name.length, true);
	view.setUint16(at + 22, extra, true);
}

function sizes64(view: DataView, at: number, values: readonly number[]): void {
	view.setUint16(at, 1, true);
	view.setUint16(at + 2, values.length * 8, true);
	values.forEach((value, index) => view.setBigUint64(at + 4 + index * 8, BigInt(value), true));
}

function endRecord(count: number, centralBytes: number, offset: number): Uint8Array<ArrayBuffer> {
	const large = count >= FULL_16 || offset >= FULL_32 || centralBytes >= FULL_32;
	const bytes = new Uint8Array((large ? 76 : 0) + 22);
	const view = new DataView(bytes.buffer);
	if (large) {
		view.setUint32(0, END_64, true);
		view.setBigUint64(4, 44n, true);
		view.setUint16(12, 45, true);
		view.setUint16(14, 45, true);
		view.setBigUint64(24, BigInt(count), true);
		view.setBigUint64(32, BigInt(count), true);
		view.setBigUint64(40, BigInt(centralBytes), true);
		view.setBigUint64(48, BigInt(offset), true);
		view.setUint32(56, LOCATOR_64, true);
		view.setBigUint64(64, BigInt(offset + centralBytes), true);
		view.setUint32(72, 1, true);
	}
	const at = large ? 76 : 0;
	view.setUint32(at, END, true);
	view.setUint16(at + 8, Math.min(count, FULL_16), true);
	view.setUint16(at + 10, Math.min(count, FULL_16), true);
	view.setUint32(at + 12, Math.min(centralBytes, FULL_32), true);
	view.setUint32(at + 16, Math.min(offset, FULL_32), true);
	return bytes;
}
