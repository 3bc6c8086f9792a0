// Runs in the page: reads the time back from the frames that a video shows.
import { CELLS, sinceMs, stripHeight, timeOf } from './live-bars.ts';

/** What a video has shown. */
export interface Seen {
	/** Drawn to shown, of every frame that could be read, milliseconds. */
	readonly delaysMs: number[];
	/** Frames whose strip could not be read. */
	unreadable: number;
	/** Times without a new frame for `FREEZE_MS` and more, and their length together. */
	freezes: number;
	frozenMs: number;
	/** When the first frame was shown, milliseconds since the page began; stays over `reset`. */
	firstFrameMs: number | undefined;
}

/** The watch over one video. */
export interface FrameWatch {
	readonly seen: Seen;
	/** Forgets what was seen, to begin a measurement. */
	reset(): void;
	stop(): void;
}

/** No new picture for so long is seen as a stop: five frames at 30 a second. */
const FREEZE_MS = 170;

/** Reads every frame that a video shows from now on. */
export function watchFrames(video: HTMLVideoElement): FrameWatch {
	const seen: Seen = {
		delaysMs: [],
		unreadable: 0,
		freezes: 0,
		frozenMs: 0,
		firstFrameMs: undefined,
	};
	let stopped = false;
	let lastShownMs: number | undefined;

	function onFrame(nowMs: number, { expectedDisplayTime }: VideoFrameCallbackMetadata): void {
		if (stopped) return;
		video.requestVideoFrameCallback(onFrame);
		seen.firstFrameMs ??= nowMs;
		const gapMs = lastShownMs === undefined ? 0 : nowMs - lastShownMs;
		lastShownMs = nowMs;
		if (gapMs >= FREEZE_MS) {
			seen.freezes++;
			seen.frozenMs += gapMs;
		}
		const shownAtMs = Date.now() - performance.now() + expectedDisplayTime;
		let frame: VideoFrame;
		try {
			frame = new VideoFrame(video, { timestamp: 0 });
		} catch {
			seen.unreadable++;
			return;
		}
		void readTime(frame)
			.then((code) => {
				if (code === undefined) seen.unreadable++;
				else seen.delaysMs.push(sinceMs(code, shownAtMs));
			})
			.catch(() => seen.unreadable++)
			.finally(() => frame.close());
	}

	video.requestVideoFrameCallback(onFrame);
	return {
		seen,
		reset() {
			seen.delaysMs.length = 0;
			seen.unreadable = seen.freezes = seen.frozenMs = 0;
		},
		stop() {
			stopped = true;
		},
	};
}

/** The time in a frame's strip. Two rows of it are copied, and nothing is converted. */
async function readTime(frame: VideoFrame): Promise<number | undefined> {
	const { visibleRect, format } = frame;
	if (!visibleRect || !format) return undefined;
	const y = visibleRect.y + 2 * Math.floor(stripHeight(visibleRect.height) / 4);
	const rect = { x: visibleRect.x, y, width: visibleRect.width, height: 2 };
	const bytes = new Uint8Array(frame.allocationSize({ rect }));
	const [plane] = await frame.copyTo(bytes, { rect });
	const step = /^(RGB|BGR)/.test(format) ? 4 : 1;
	const cell = visibleRect.width / CELLS;
	const bars = Array.from({ length: CELLS }, (_, i) => {
		// The middle of the cell: its edges are blurred by the codec.
		let sum = 0;
		for (let part = 3; part <= 7; part++) {
			const x = Math.floor((i + part / 10) * cell);
			sum += bytes[(plane?.offset ?? 0) + x * step + (step === 4 ? 1 : 0)] ?? 0;
		}
		return sum / 5 > 128;
	});
	return timeOf(bars);
}
