import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the heap for new objects from growing. A program that passes media through makes megabytes of buffers a second,
 * and few small objects: in a large heap for these, buffers that nobody needs any more wait long for its collector.
 */
export function keepHeapSmall(): void {
	setFlagsFromString('--semi-space-growth-factor=1');
}
