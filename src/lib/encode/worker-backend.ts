import { ShoalError } from '../model/error.ts';
import type { EncoderBackend } from './encoder-backend.ts';
import type { EncoderCommand, EncoderReport } from './encoder-message.ts';
import type { Profile } from './profile.ts';
import { openTrackFeed, type Encodable, type TrackFeed } from './track-feed.ts';
import { within } from './within.ts';

const CLOSE_TIMEOUT_MS = 1000;

/** WebCodecs in a worker, which no hidden tab slows down. */
export class WorkerBackend implements EncoderBackend {
	onReport: (report: EncoderReport) => void = () => undefined;
	// In one expression: that is how bundlers find a worker.
	readonly #worker = new Worker(new URL('./encode-worker.ts', import.meta.url), { type: 'module' });
	#feed: TrackFeed | undefined;
	#isClosed = false;
	#onClosed: () => void = () => undefined;

	async open(source: Encodable | undefined, profile: Profile): Promise<void> {
		addEventListener('pagehide', this.#leave);
		const opened = new Promise<void>((resolve, reject) => {
			this.#worker.onmessage = ({ data: report }: MessageEvent<EncoderReport>) => {
				if (report.type === 'opened') resolve();
				else if (report.type === 'failed') reject(new ShoalError(report.code, report.message));
				this.#onMessage(report);
			};
			this.#worker.onerror = (event) => {
				const message = event.message || 'the worker broke';
				reject(new ShoalError('encoder-failed', message));
				this.onReport({ type: 'failed', code: 'encoder-failed', message });
			};
		});
		this.#feed = source && (await openTrackFeed(source));
		this.#send({ type: 'open', profile, source: this.#feed?.tracks }, this.#feed?.transfer);
		await opened;
	}

	async setSource(source: Encodable | undefined): Promise<void> {
		const feed = source && (await openTrackFeed(source));
		if (this.#isClosed) return feed?.close();
		this.#feed?.close();
		this.#feed = feed;
		this.#send({ type: 'source', source: feed?.tracks }, feed?.transfer);
	}

	setVideoBps(bps: number): void {
		this.#send({ type: 'bitrate', bps });
	}

	async close(): Promise<void> {
		const closed = new Promise<void>((resolve) => (this.#onClosed = resolve));
		removeEventListener('pagehide', this.#leave);
		this.#send({ type: 'close' });
		this.#isClosed = true;
		this.#feed?.close();
		await within(closed, CLOSE_TIMEOUT_MS);
		this.#worker.terminate();
	}

	/** Gives the source's frames back: a browser counts those of a page that has gone as if they were in use, until it cleans up. */
	#leave = (): void => this.#send({ type: 'close' });

	#send(command: EncoderCommand, transfer: Transferable[] = []): void {
		if (!this.#isClosed) this.#worker.postMessage(command, transfer);
	}

	#onMessage(report: EncoderReport): void {
		if (report.type === 'closed') {
			this.#onClosed();
		} else if (report.type === 'want-frame') {
			const frame = this.#feed?.takeFrame();
			if (frame) this.#send({ type: 'frame', frame }, frame === 'ended' ? [] : [frame]);
		} else {
			this.onReport(report);
		}
	}
}
