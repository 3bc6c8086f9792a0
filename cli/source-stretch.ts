/** A file that is read where it is needed. */
export interface SeekableFile {
	readonly lengthBytes: number;
	/** Bytes from `start` up to, and without, `end`, which lie in the file. */
	read(start: number, end: number): Promise<Uint8Array>;
}

/** One stretch of media: it ends with the file, the connection, or the signal. */
export interface MediaStretch {
	readonly bytes: ReadableStream<Uint8Array> | SeekableFile;
	/** How far it may run ahead of its own pace, milliseconds: what is no live source comes as fast as it can be read. */
	readonly leadMs: number;
}

/** How far live sources run ahead: what stations send at once on connecting, and no more. */
export const LIVE_LEAD_MS = 3_000;

/** Where media comes from. */
export interface MediaSource {
	/** For messages. */
	readonly name: string;
	/** Whether another stretch may follow an unusable one: never, if one before it was good, or always. */
	readonly comesAgain: 'never' | 'if-good' | 'always';
	/** What comes next; `undefined` when there is no more. Waits for a connection where it listens for one. */
	next(): Promise<MediaStretch | undefined>;
	/** Lets go of sockets; idempotent. */
	close(): void;
}

/** What a source tells on the way. */
export interface SourceEvents {
	/** A station named what it plays. */
	onTitle(title: string): void;
	onMessage(text: string): void;
	/** Something that keeps the broadcast from going on, or lets it: told also where little is. */
	onFault(text: string): void;
	readonly signal: AbortSignal;
}

/**
 * The bytes of a stream that may break off: then they end, so that what came before is sent to its last frame, and the
 * break is said. A stream that is silent for `silentMs` counts as broken; 0 waits for ever.
 */
export function untilBroken(
	stream: ReadableStream<Uint8Array>,
	name: string,
	{ onMessage, signal }: Pick<SourceEvents, 'onMessage' | 'signal'>,
	silentMs = 0,
): ReadableStream<Uint8Array> {
	const reader = stream.getReader();
	const read = () => {
		if (silentMs === 0) return reader.read();
		let timer: NodeJS.Timeout | undefined;
		const silence = new Promise<never>((_, reject) => {
			timer = setTimeout(() => reject(new Error(`silent for ${silentMs / 1000} s`)), silentMs);
		});
		return Promise.race([reader.read(), silence]).finally(() => clearTimeout(timer));
	};
	return new ReadableStream<Uint8Array>({
		async pull(controller) {
			try {
				const { value, done } = await read();
				if (done) controller.close();
				else controller.enqueue(value);
			} catch (error) {
				if (!signal.aborted) onMessage(`${name} broke off: ${(error as Error).message}`);
				void reader.cancel().catch(() => undefined);
				controller.close();
			}
		},
		cancel: (reason) => reader.cancel(reason),
	});
}
