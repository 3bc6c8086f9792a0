/** A box of an MP4 file. */
export interface Box {
	/** Four letters. */
	readonly type: string;
	/** What is in it, without its header. */
	readonly body: DataView;
}

/** The first box of a type. */
export function find(list: readonly Box[], type: string): Box | undefined {
	return list.find((box) => box.type === type);
}

/** The boxes in a box; none in none. */
export function boxesIn(box: Box | undefined): Box[] {
	return box ? boxes(box.body) : [];
}

/** The boxes that follow each other in these bytes (ISO 14496-12 §4.2); stops at what isn't one. */
export function boxes(view: DataView): Box[] {
	const found: Box[] = [];
	for (let at = 0; at + 8 <= view.byteLength;) {
		const size = view.getUint32(at);
		if (size < 8 || at + size > view.byteLength) break;
		const letters = [4, 5, 6, 7].map((offset) => view.getUint8(at + offset));
		const body = new DataView(view.buffer, view.byteOffset + at + 8, size - 8);
		found.push({ type: String.fromCharCode(...letters), body });
		at += size;
	}
	return found;
}

/** A view of exactly these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
