import { ShoalError } from '../model/error.ts';
import type { EncodedSegment, InitSegment } from '../model/segment.ts';
import { Emitter } from '../util/emitter.ts';
import type { EncoderBackend } from './encoder-backend.ts';
import type { EncoderReport, EncoderStats, EncoderWarningCode } from './encoder-message.ts';
import { findMediaCodecs } from './media-codecs.ts';
import { checkProfile, type Profile } from './profile.ts';
import { RecorderBackend } from './recorder-backend.ts';
import type { Encodable } from './track-feed.ts';
import { WorkerBackend } from './worker-backend.ts';

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
	isOverloaded: false,
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
 * Turns a source into segments: WebCodecs in a worker of its own, else the browser's recorder. The media
 * time runs from 0 at `open` to `close` without a break, whatever happens to the source.
 */
export class Encoder extends Emitter<EncoderEvents> {
	readonly #backend: EncoderBackend;
	#init: { readonly id: number; readonly segment: InitSegment } | undefined;
	#stats: EncoderStats = NO_STATS;
	#state: EncoderState = { type: 'slate' };
	#changing: Promise<void> = Promise.resolve();
	#isOpen = false;
	/** Warnings from before anybody could listen. */
	#early: EncoderWarning[] = [];
	#isClosed = false;

	private constructor(backend: EncoderBackend) {
		super();
		this.#backend = backend;
		backend.onReport = (report) => this.#onReport(report);
	}

	/**
	 * Starts encoding; the source stays the caller's. Resolves when an encoder was found, at the first frame.
	 * Rejects with `no-encoder` or `encoder-failed`, and with a `RangeError` for a profile that is none.
	 */
	static async open(source: Encodable | undefined, profile: Profile): Promise<Encoder> {
		checkProfile(profile);
		const hasWebCodecs = findMediaCodecs() !== undefined;
		const first = new Encoder(hasWebCodecs ? new WorkerBackend() : new RecorderBackend());
		try {
			return await first.#start(source, profile);
		} catch (cause) {
			await first.close();
			const isMissing = cause instanceof ShoalError && cause.code === 'no-encoder';
			if (!isMissing || !hasWebCodecs || !RecorderBackend.isSupported()) throw cause;
		}
		// WebCodecs may be there and have no codec that can be sent.
		const second = new Encoder(new RecorderBackend());
		return second.#start(source, profile);
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
		const changed = this.#changing.then(async () => {
			if (!this.#isClosed) await this.#backend.setSource(source);
		});
		this.#changing = changed.catch(() => undefined);
		return changed;
	}

	/** Bits per second that video may take, from the next key frame on. */
	setVideoBps(bps: number): void {
		if (!this.#isClosed) this.#backend.setVideoBps(Math.round(bps));
	}

	/** Stops encoding; the last, unfinished segment is dropped. Idempotent. */
	async close(): Promise<void> {
		if (this.#isClosed) return;
		this.#isClosed = true;
		await this.#backend.close();
		this.#setState({ type: 'closed' });
		this.removeAllListeners();
	}

	async #start(source: Encodable | undefined, profile: Profile): Promise<this> {
		await this.#backend.open(source, profile);
		this.#isOpen = true;
		return this;
	}

	#onReport(report: EncoderReport): void {
		if (this.#isClosed) return;
		if (!this.#isOpen && report.type === 'warning') {
			this.#early.push({ code: report.code, detail: report.detail });
			return;
		}
		if (this.#isOpen) for (const warning of this.#early.splice(0)) this.emit('warning', warning);
		switch (report.type) {
			case 'init':
				this.#init = { id: report.id, segment: { bytes: report.bytes, mime: report.mime } };
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
			case 'failed':
				this.#fail(new ShoalError(report.code, report.message));
				return;
			case 'opened':
			case 'want-frame':
			case 'closed':
				return;
		}
	}

	#onSegment(report: EncoderReport & { type: 'segment' }): void {
		if (report.init !== this.#init?.id) return;
		const { bytes, startUs, durationUs, sinceKeyFrame, discontinuity } = report;
		this.#stats = report.stats;
		const init = this.#init.segment;
		this.emit('segment', { bytes, startUs, durationUs, sinceKeyFrame, discontinuity, init });
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
