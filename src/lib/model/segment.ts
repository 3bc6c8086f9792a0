/** What a decoder needs before any segment: `ftyp`+`moov`, or a WebM header. */
export interface InitSegment {
	/** At most `MAX_INIT_BYTES`. Owned by the receiver of the event. */
	readonly bytes: Uint8Array<ArrayBuffer>;
	/** MIME type with codecs as MediaSource takes it (RFC 6381), at most 80 characters. */
	readonly mime: string;
}

/** One piece of live media that leaves the encoder: `moof`+`mdat` (ISO 14496-12 §8.8) or WebM clusters. */
export interface EncodedSegment {
	/** Owned by the receiver of the event. */
	readonly bytes: Uint8Array<ArrayBuffer>;
	/** Media time of the first sample, microseconds since the broadcast began. */
	readonly startUs: number;
	/** Media length, microseconds, above 0 and at most `MAX_SEGMENT_DURATION_US`. */
	readonly durationUs: number;
	/** Segments since the last one that starts with a key frame; 0 when this one does. */
	readonly sinceKeyFrame: number;
	/** Whether the media time doesn't continue the segment before. */
	readonly discontinuity: boolean;
	/** The init segment that these bytes follow. */
	readonly init: InitSegment;
}

/** Largest init segment that is sent or taken, bytes. */
export const MAX_INIT_BYTES = 60 * 1024;
/** Largest segment, bytes. */
export const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;
/** Longest segment, microseconds. */
export const MAX_SEGMENT_DURATION_US = 10_000_000;
/** The wire's unit: one request asks for at most this many bytes (BEP 3). */
export const BLOCK_BYTES = 16 * 1024;
/** Allowed piece lengths, bytes, smallest first. */
export const PIECE_LENGTHS = [16, 32, 64, 128, 256].map((kib) => kib * 1024);
/** Most pieces a segment may have; keeps its manifest under the cap. */
export const MAX_PIECES_PER_SEGMENT = 64;

/** The piece length for a segment: the smallest allowed that keeps to `MAX_PIECES_PER_SEGMENT`. */
export function pieceLengthFor(segmentBytes: number): number {
	for (const length of PIECE_LENGTHS) {
		if (Math.ceil(segmentBytes / length) <= MAX_PIECES_PER_SEGMENT) return length;
	}
	throw new RangeError(`a segment of ${segmentBytes} bytes is too large`);
}
