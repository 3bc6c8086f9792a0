import { ShoalError } from '../model/error.ts';
import type { EncodedSegment, InitSegment } from '../model/segment.ts';
import { Emitter } from '../util/emitter.ts';
import type {
	EncoderCommand,
	EncoderReport,
	EncoderStats,
	EncoderWarningCode,
} from './encoder-message.ts';
import { findMediaCodecs } from './media-codecs.ts';
import { checkProfile, type Profile } from './profile.ts';
import { openTrackFeed, type Encodable, type TrackFeed } from './track-feed.ts';

/** What an encoder sends: the source's picture, the slate for want of one, or nothing any more. */
export type EncoderState =
	| { readonly type: 'picture' }
	| { readonly type: 'slate' }
	| { readonly type: 'closed' }
	| { readonly type: 'failed'; readonly error: ShoalError };

export interface EncoderWarning {
	readonly code: EncoderWarningCode;
	/** For logs. */
	readonly detail: string;
}

export interface EncoderEvents {
	/** A segment, in order, one each `segmentMs` of the wall clock. */
	segment: EncodedSegment;
	state: EncoderState;
	warning: EncoderWarning;
	/** No encoder works any more; nothing follows. */
	error: ShoalError;
}

const NO_STATS: EncoderStats = {
	framesIn: 0,
	framesEncoded: 0,
	framesDropped: 0,
	framesRepeated: 0,
	keyFrames: 0,
	targetBps: 0,
	videoBps: 0,
	codec: '',
	encoderQueue: 0,
	width: 0,
	height: 0,
	segments: 0,
	segmentDelayMs: 0,
	silentMs: 0,
};

/**
 * Turns a source into segments, in a worker of its own that no hidden tab slows down. The media time runs
 * from 0 at `open` to `close` without a break, whatever happens to the source.
 */
export class Encoder extends Emitter<EncoderEvents> {
	readonly #worker: Worker;
	readonly #inits = new Map<number, InitSegment>();
	#feed: TrackFeed | undefined;
	#stats: EncoderStats = NO_STATS;
	#state: EncoderState = { type: 'slate' };
	#changing: Promise<void> = Promise.resolve();
	readonly #early: (EncoderReport & { type: 'warning' })[] = [];
	#isOpen = false;
	#isClosed = false;
	#onClosed: () => void = () => undefined;

	private constructor(worker: Worker) {
		super();
		this.#worker = worker;
	}

	/**
	 * Starts encoding; the source stays the caller's. Resolves when an encoder was found, at the first frame.
	 * Rejects with `no-encoder` or `encoder-failed`, and with a `RangeError` for a profile that is none.
	 */
	static async open(source: Encodable | undefined, profile: Profile): Promise<Encoder> {
		checkProfile(profile);
		if (!findMediaCodecs()) throw new ShoalError('no-encoder', 'this browser has no WebCodecs');
		// In one expression: that is how bundlers find a worker.
		const worker = new Worker(new URL('./encode-worker.ts', import.meta.url), { type: 'module' });
		const encoder = new Encoder(worker);
		try {
			await encoder.#start(source, profile);
			return encoder;
		} catch (cause) {
			await encoder.close();
			throw cause;
		}
	}

	get state(): EncoderState {
		return this.#state;
	}

	/** As of the last segment. */
	get stats(): EncoderStats {
		return this.#stats;
	}

	/** Goes over to another source on the same timeline; `undefined` sends the slate and silence. */
	setSource(source: Encodable | undefined): Promise<void> {
		this.#changing = this.#changing.then(async () => {
			if (this.#isClosed) return;
			const feed = source && (await openTrackFeed(source));
			if (this.#isClosed) return feed?.close();
			this.#feed?.close();
			this.#feed = feed;
			this.#send({ type: 'source', source: feed?.tracks }, feed?.transfer);
		});
		return this.#changing;
	}

	/** Bits per second that video may take, from the next key frame on. */
	setVideoBps(bps: number): void {
		this.#send({ type: 'bitrate', bps: Math.round(bps) });
	}

	/** Stops encoding; the last, unfinished segment is dropped. Idempotent. */
	async close(): Promise<void> {
		if (this.#isClosed) return;
		const closed = new Promise<void>((resolve) => (this.#onClosed = resolve));
		this.#send({ type: 'close' });
		this.#isClosed = true;
		this.#feed?.close();
		let timer: ReturnType<typeof setTimeout> | undefined;
		const tooLate = new Promise((resolve) => (timer = setTimeout(resolve, 1000)));
		await Promise.race([closed, tooLate]);
		clearTimeout(timer);
		this.#worker.terminate();
		if (this.#state.type !== 'failed') this.#setState({ type: 'closed' });
		this.removeAllListeners();
	}

	async #start(source: Encodable | undefined, profile: Profile): Promise<void> {
		const opened = new Promise<void>((resolve, reject) => {
			this.#worker.onmessage = ({ data: report }: MessageEvent<EncoderReport>) => {
				if (report.type === 'opened') resolve();
				else if (report.type === 'failed') reject(new ShoalError(report.code, report.message));
				this.#onReport(report);
			};
			this.#worker.onerror = (event) => {
				const error = new ShoalError('encoder-failed', event.message || 'the worker broke');
				reject(error);
				this.#fail(error);
			};
		});
		const feed = source && (await openTrackFeed(source));
		this.#feed = feed;
		this.#send({ type: 'open', profile, source: feed?.tracks }, feed?.transfer);
		await opened;
	}

	#send(command: EncoderCommand, transfer: Transferable[] = []): void {
		if (!this.#isClosed) this.#worker.postMessage(command, transfer);
	}

	#onReport(report: EncoderReport): void {
		// Nobody listens before `open` has resolved; what was told until then is told with the next report.
		if (!this.#isOpen) {
			this.#isOpen = report.type === 'opened';
			if (report.type === 'warning') this.#early.push(report);
			if (report.type === 'warning' || report.type === 'opened') return;
		}
		for (const { code, detail } of this.#early.splice(0)) this.emit('warning', { code, detail });
		switch (report.type) {
			case 'opened':
				return;
			case 'init':
				// Segments behind it follow the newest; older ones are never named again.
				this.#inits.clear();
				this.#inits.set(report.id, { bytes: report.bytes, mime: report.mime });
				return;
			case 'segment':
				this.#onSegment(report);
				return;
			case 'warning':
				this.emit('warning', { code: report.code, detail: report.detail });
				return;
			case 'picture':
				this.#setState({ type: report.isSlate ? 'slate' : 'picture' });
				return;
			case 'want-frame':
				this.#sendFrame();
				return;
			case 'failed':
				this.#fail(new ShoalError(report.code, report.message));
				return;
			case 'closed':
				this.#onClosed();
				return;
		}
	}

	#onSegment(report: EncoderReport & { type: 'segment' }): void {
		const init = this.#inits.get(report.init);
		if (!init || this.#isClosed) return;
		const { bytes, startUs, durationUs, sinceKeyFrame, discontinuity } = report;
		this.#stats = report.stats;
		this.emit('segment', { bytes, startUs, durationUs, sinceKeyFrame, discontinuity, init });
	}

	#sendFrame(): void {
		const frame = this.#feed?.takeFrame();
		if (frame) this.#send({ type: 'frame', frame }, frame === 'ended' ? [] : [frame]);
	}

	#setState(state: EncoderState): void {
		if (this.#state.type === state.type || this.#state.type === 'failed') return;
		this.#state = state;
		this.emit('state', state);
	}

	#fail(error: ShoalError): void {
		if (this.#state.type === 'failed') return;
		this.#setState({ type: 'failed', error });
		this.emit('error', error);
	}
}
