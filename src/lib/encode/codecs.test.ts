import { expect, test } from 'vitest';
import { fitInto, scaleFor, videoCandidates } from './codecs.ts';

function names(width: number, height: number, frameRate: number): string[] {
	const shape = { width, height, frameRate, bps: 1_000_000 };
	return videoCandidates(shape).map((config) => config.codec);
}

test('H.264 comes before VP9, and each names the lowest level that holds the picture', () => {
	expect(names(1280, 720, 30)).toEqual([
		'avc1.64001f',
		'avc1.4d001f',
		'avc1.42e01f',
		'vp09.00.31.08',
	]);
	expect(names(640, 360, 30)[0]).toBe('avc1.64001e');
	expect(names(1920, 1080, 30)).toContain('avc1.640028');
	expect(names(1920, 1080, 60)).toEqual([
		'avc1.64002a',
		'avc1.4d002a',
		'avc1.42e02a',
		'vp09.00.41.08',
	]);
});

test.each([
	['a picture that fits is left as it is', [1280, 720], [1280, 720]],
	['a larger one is scaled with its shape', [1920, 1080], [1280, 720]],
	['a tall one is bounded by its height', [1080, 1920], [406, 720]],
	['odd sizes become even', [641, 361], [642, 362]],
	['a small one is not enlarged', [160, 120], [160, 120]],
	['a sliver keeps two pixels', [5000, 1], [1280, 2]],
])('%s', (_, from, to) => {
	const [width = 0, height = 0] = from;
	expect(fitInto({ width, height }, { width: 1280, height: 720 })).toEqual({
		width: to[0],
		height: to[1],
	});
});

test('a picture shrinks with its bitrate and grows again with some to spare', () => {
	const scales: number[] = [];
	let scale = 1;
	for (const kbps of [2000, 1000, 900, 1000, 1300, 1400, 500, 200, 20, 2000]) {
		const rate = { bps: kbps * 1000, frameRate: 30 };
		scale = scaleFor({ width: 1280, height: 720 }, rate, scale);
		scales.push(scale);
	}
	expect(scales).toEqual([1, 1, 0.75, 0.75, 0.75, 1, 0.5, 0.25, 0.25, 1]);
});
