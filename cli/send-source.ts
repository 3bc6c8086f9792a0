import type { EncodedSegment, Publisher } from '../src/lib/node.ts';
import { ShoalError } from '../src/lib/index.ts';
import { CliError, EXIT, explain } from './cli-error.ts';
import type { Output } from './output.ts';
import { pause } from './pause.ts';
import type { Recording } from './recording.ts';
import { remux } from './remux.ts';
import type { MediaSource } from './source-stretch.ts';

/** A source that brings nothing for so long is said to be silent. */
const SILENT_MS = 5_000;

/** How a source is sent. */
export interface SendOptions {
	/** Shortest segment, milliseconds. */
	readonly segmentMs: number;
	readonly output: Output;
	/** Where what is sent is kept too. */
	readonly recording: Recording | undefined;
	readonly signal: AbortSignal;
}

/**
 * Sends stretch after stretch of a source on one timeline, until there is no more. Throws when a stretch can't be sent
 * and no better one can follow, or when there was nothing. Gives how many segments were sent, and what broke the
 * recording, if anything did: the broadcast goes on without it.
 */
export async function sendSource(
	source: MediaSource,
	publisher: Pick<Publisher, 'publish'>,
	{ segmentMs, output, recording, signal }: SendOptions,
): Promise<{ recordingFault: unknown; segments: number }> {
	const warned = new Set<string>();
	const warnOnce = (text: string) => {
		if (warned.has(text)) return;
		warned.add(text);
		output.warn(text);
	};
	let endUs = 0;
	let endDueMs = 0;
	let sent = 0;
	let init: EncodedSegment['init'] | undefined;
	let recordingFault: unknown;
	const keep = async (segment: EncodedSegment) => {
		if (!recording || recordingFault !== undefined) return;
		try {
			await recording.write(segment);
		} catch (error) {
			recordingFault = error;
			output.warn(`${explain(error).message}. The broadcast goes on without being kept.`);
		}
	};
	while (!signal.aborted) {
		const stretch = await source.next();
		if (!stretch) break;
		const beganMs = performance.now() - endUs / 1000;
		const silence = watchSilence(output);
		try {
			const remuxing = { segmentMs, startUs: endUs, onWarning: warnOnce, signal };
			for await (const segment of remux(stretch.bytes, remuxing)) {
				silence.heard();
				const aheadMs = segment.startUs / 1000 - (performance.now() - beganMs);
				if (aheadMs > stretch.leadMs) await pause(aheadMs - stretch.leadMs, signal);
				silence.heard();
				if (signal.aborted) break;
				endUs = segment.startUs + segment.durationUs;
				endDueMs = beganMs + endUs / 1000;
				if (init && !Buffer.from(init.bytes).equals(segment.init.bytes)) {
					output.event('The source’s format has changed; players take it up.', { type: 'format' });
				}
				init = segment.init;
				await keep(segment); // before it is the publisher's
				await publisher.publish(segment);
				sent++;
			}
		} catch (error) {
			const { comesAgain } = source;
			const more = comesAgain === 'always' || (comesAgain === 'if-good' && sent > 0);
			if (!more || error instanceof ShoalError) throw error;
			output.warn(explain(error).message);
		} finally {
			silence.stop();
		}
	}
	if (sent === 0 && !signal.aborted) {
		throw new CliError(EXIT.input, `${source.name} ended before anything could be sent`);
	}
	// Viewers are still fetching what was sent last.
	await pause(endDueMs - performance.now(), signal);
	return { recordingFault, segments: sent };
}

/** Says when nothing comes, and when it comes again. */
function watchSilence(output: Output): { heard(): void; stop(): void } {
	let silent = false;
	const timer = setInterval(() => {
		if (silent) return;
		silent = true;
		output.warn('Nothing comes from the source; viewers wait. It goes on when the source does.');
	}, SILENT_MS);
	return {
		heard() {
			timer.refresh();
			if (silent) output.warn('The source is back.');
			silent = false;
		},
		stop: () => clearInterval(timer),
	};
}
