/**
 * Takes the titles out of an Icecast or SHOUTcast stream: after every `interval` bytes of media comes a byte that, times
 * 16, is the length of a text such as `StreamTitle='…';`.
 */
export function stripIcyTitles(
	interval: number,
	onTitle: (title: string) => void,
): TransformStream<Uint8Array, Uint8Array> {
	let media = interval;
	let text: Uint8Array | undefined;
	let filled = 0;
	let last = '';
	return new TransformStream({
		transform(chunk, controller) {
			for (let at = 0; at < chunk.length;) {
				if (media > 0) {
					const part = chunk.subarray(at, at + media);
					controller.enqueue(part);
					media -= part.length;
					at += part.length;
				} else if (!text) {
					text = new Uint8Array((chunk[at++] ?? 0) * 16);
					filled = 0;
				} else {
					const part = chunk.subarray(at, at + text.length - filled);
					text.set(part, filled);
					filled += part.length;
					at += part.length;
				}
				if (media > 0 || !text || filled < text.length) continue;
				const title = parseTitle(text);
				if (title !== undefined && title !== last) onTitle((last = title));
				text = undefined;
				media = interval;
			}
		},
	});
}

function parseTitle(text: Uint8Array): string | undefined {
	if (text.length === 0) return undefined;
	return /StreamTitle='(.*?)';/s.exec(decode(text))?.[1]?.trim();
}

/** Stations write UTF-8 or Latin-1 and don't say which. */
function decode(bytes: Uint8Array): string {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		return new TextDecoder('latin1').decode(bytes);
	}
}
