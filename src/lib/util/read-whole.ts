import { concatBytes } from './bytes.ts';

/** As much of a `ReadableStream<Uint8Array>` (WHATWG Streams) as reading it takes. */
export interface ByteStream {
	getReader(): {
		read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
		cancel(): Promise<unknown>;
	};
}

/** Reads a stream to its end; `undefined`, and the rest is called off, when it holds more than `mostBytes`. Rejects as the stream does. */
export async function readWhole(
	stream: ByteStream,
	mostBytes: number,
): Promise<Uint8Array | undefined> {
	const parts: Uint8Array[] = [];
	let length = 0;
	const reader = stream.getReader();
	for (;;) {
		const { value, done } = await reader.read();
		if (done || !value) return concatBytes(...parts);
		length += value.length;
		if (length > mostBytes) {
			void reader.cancel().catch(() => undefined);
			return undefined;
		}
		parts.push(value);
	}
}
