import { expect, test } from 'vitest';
import { RecordingCutter, type RecordedSegment } from './recording-cutter.ts';
import type { WebmBlock } from './webm-reader.ts';

function picture(timeMs: number, isKey = false): WebmBlock {
	return { track: 1, isVideo: true, isKey, timeMs, data: new Uint8Array([1]) };
}

function sound(timeMs: number): WebmBlock {
	return { track: 2, isVideo: false, isKey: true, timeMs, data: new Uint8Array([2]) };
}

function cut(blocks: WebmBlock[], segmentMs: number, offsetMs = 0): RecordedSegment[] {
	const cutter = new RecordingCutter(segmentMs, offsetMs);
	return blocks.flatMap((block) => cutter.push(block) ?? []);
}

test('a segment begins with each key frame, and each continues the one before', () => {
	const blocks = Array.from({ length: 61 }, (_, i) => picture(i * 33, i % 15 === 0));
	const segments = cut(blocks, 500, 7000);
	expect(segments.map((segment) => segment.sinceKeyFrame)).toEqual([0, 0, 0, 0]);
	expect(segments.map((segment) => segment.startUs)).toEqual([
		7_000_000, 7_495_000, 7_990_000, 8_485_000,
	]);
	expect(segments.every((segment) => segment.durationUs === 495_000)).toBe(true);
});

test('between rare key frames it is cut by length', () => {
	const blocks = Array.from({ length: 101 }, (_, i) => picture(i * 20, i % 50 === 0));
	expect(cut(blocks, 200).map((segment) => segment.sinceKeyFrame)).toEqual([
		0, 1, 2, 3, 4, 0, 1, 2, 3, 4,
	]);
});

test('sound alone goes on', () => {
	const blocks = Array.from({ length: 101 }, (_, i) => sound(i * 20));
	const segments = cut(blocks, 500);
	expect(segments.map((segment) => segment.durationUs)).toEqual([1_000_000, 1_000_000]);
	expect(segments.every((segment) => segment.sinceKeyFrame === 0)).toBe(true);
});
