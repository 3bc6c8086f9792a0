import { CliError, EXIT } from './cli-error.ts';
import { stripIcyTitles } from './icy.ts';
import { networkReason } from './network-reason.ts';
import { pause } from './pause.ts';
import type { MediaSource, SourceEvents } from './source-stretch.ts';
import { LIVE_LEAD_MS, untilBroken } from './source-stretch.ts';

const RETRY_MOST_MS = 10_000;
/** A station that sends nothing for so long is called anew. */
const SILENT_MS = 15_000;

/** A file or a station on the web. A station that breaks off is called again. */
export function httpSource(url: string, events: SourceEvents): MediaSource {
	const { onTitle, onMessage, signal } = events;
	let connections = 0;
	let isFile = false;
	return {
		name: url,
		comesAgain: 'if-good',
		async next() {
			for (let failures = 0; !signal.aborted && !isFile; failures++) {
				if (connections > 0 || failures > 0) {
					const waitMs = Math.min(500 * 2 ** failures, RETRY_MOST_MS);
					onMessage(`Calling ${url} again in ${waitMs / 1000} s`);
					await pause(waitMs, signal);
					if (signal.aborted) return undefined;
				}
				try {
					const response = await fetch(url, { signal, headers: { 'icy-metadata': '1' } });
					if (!response.ok || !response.body) throw new Error(`it answers ${response.status}`);
					connections++;
					// A length means a file, which comes once, and as fast as the line allows.
					isFile = response.headers.has('content-length');
					const interval = Number(response.headers.get('icy-metaint'));
					const body = response.body as ReadableStream<Uint8Array>;
					const media = interval > 0 ? body.pipeThrough(stripIcyTitles(interval, onTitle)) : body;
					const silentMs = isFile ? 0 : SILENT_MS;
					return {
						bytes: untilBroken(media, url, events, silentMs),
						leadMs: isFile ? 0 : LIVE_LEAD_MS,
					};
				} catch (cause) {
					if (signal.aborted) return undefined;
					if (connections > 0) continue;
					const sentence = `${url} can't be read: ${networkReason(cause)}`;
					throw new CliError(EXIT.network, sentence, { cause });
				}
			}
			return undefined;
		},
		close: () => undefined,
	};
}
