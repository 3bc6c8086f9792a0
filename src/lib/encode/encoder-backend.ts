import type { EncoderReport } from './encoder-message.ts';
import type { Profile } from './profile.ts';
import type { Encodable } from './track-feed.ts';

/** What an `Encoder` encodes with: a worker with WebCodecs, or the browser's recorder. */
export interface EncoderBackend {
	/** Set by the owner before `open`. */
	onReport: (report: EncoderReport) => void;
	/** Resolves when encoding has begun; rejects with `no-encoder` or `encoder-failed`. */
	open(source: Encodable | undefined, profile: Profile): Promise<void>;
	setSource(source: Encodable | undefined): Promise<void>;
	setVideoBps(bps: number): void;
	close(): Promise<void>;
}
