/**
 * What npm `mediasource`'s streams ask of Node's `buffer` in a browser: plain byte arrays will do. The bundler puts it in
 * that module's place.
 */
export const Buffer = {
	isBuffer: (value: unknown): boolean => value instanceof Uint8Array,
	from: (bytes: Uint8Array): Uint8Array => bytes,
};
