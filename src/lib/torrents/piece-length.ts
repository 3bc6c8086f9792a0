/** About how many pieces a torrent gets: few enough to list, enough to share early. */
const WANTED_PIECES = 1200;
/** Smallest piece, bytes: one block (BEP 3). */
export const LEAST_PIECE_LENGTH = 16 * 1024;
/** Largest piece, bytes: a peer can pass on nothing smaller. */
export const MOST_PIECE_LENGTH = 16 * 1024 * 1024;

/** The piece length for a torrent of so many bytes: a power of two, 16 KiB to 16 MiB. */
export function choosePieceLength(totalBytes: number): number {
	let length = LEAST_PIECE_LENGTH;
	while (length < MOST_PIECE_LENGTH && totalBytes / length > WANTED_PIECES) length *= 2;
	return length;
}
