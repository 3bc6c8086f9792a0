/** The part of one file that some bytes of a torrent fall on. */
export interface FileRange {
	/** Which file. */
	readonly index: number;
	/** First byte in the file. */
	readonly at: number;
	readonly length: number;
	/** First byte in what was asked for. */
	readonly from: number;
}

/** The files that `length` bytes from `start` on lie in; files without bytes are passed over. */
export function fileRanges(
	files: readonly { readonly offset: number; readonly length: number }[],
	start: number,
	length: number,
): FileRange[] {
	const end = start + length;
	const ranges: FileRange[] = [];
	for (let index = firstFile(files, start); index < files.length; index++) {
		const file = files[index];
		if (!file || file.offset >= end) break;
		const from = Math.max(start, file.offset);
		const to = Math.min(end, file.offset + file.length);
		if (to > from)
			ranges.push({ index, at: from - file.offset, length: to - from, from: from - start });
	}
	return ranges;
}

/** The last file that begins at or before `start`, by halving; an earlier one that ends after it is found all the same. */
function firstFile(files: readonly { readonly offset: number }[], start: number): number {
	let low = 0;
	let high = files.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if ((files[middle]?.offset ?? 0) <= start) low = middle;
		else high = middle - 1;
	}
	// Empty files share an offset with the one that follows.
	while (low > 0 && files[low]?.offset === files[low - 1]?.offset) low--;
	return low;
}
