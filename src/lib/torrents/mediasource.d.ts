// The parts of mediasource 2.4.0 that this room uses; the package brings no types.
declare module 'mediasource' {
	export interface MediaStreamWriter {
		write(bytes: Uint8Array, done: (error?: Error | null) => void): void;
		end(): void;
		destroy(): void;
		on(name: 'error', listener: (error: Error) => void): void;
		readonly destroyed: boolean;
		readonly _sourceBuffer: SourceBuffer | null;
	}
	export default class MediaElementWrapper {
		constructor(element: HTMLMediaElement, options?: { bufferDuration?: number });
		createWriteStream(typeOrPrevious: string | MediaStreamWriter): MediaStreamWriter;
		readonly detailedError: Error | undefined;
		readonly _mediaSource: MediaSource;
	}
}
