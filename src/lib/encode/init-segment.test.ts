import { expect, test } from 'vitest';
import { fromHex, toHex } from '../util/bytes.ts';
import { makeInit } from './init-segment.ts';

const avc: VideoDecoderConfig = {
	codec: 'avc1.64001f',
	codedWidth: 1280,
	codedHeight: 720,
	description: fromHex('0164001fffe1000467640 01f01000268ee'.replace(' ', ''))!,
};
const vp9: VideoDecoderConfig = { codec: 'vp09.00.31.08', codedWidth: 640, codedHeight: 360 };
const opus: AudioDecoderConfig = { codec: 'opus', numberOfChannels: 2, sampleRate: 48_000 };

test('a header names its codecs, its tracks and their ticks', async () => {
	const made = await makeInit(avc, opus);
	expect(made.init.mime).toBe('video/mp4; codecs="avc1.64001f,opus"');
	expect(made.video).toEqual({ trackId: 1, timescale: 57_600 });
	expect(made.audio).toEqual({ trackId: 2, timescale: 48_000 });
	const text = String.fromCharCode(...made.init.bytes);
	expect(text.slice(4, 8)).toBe('ftyp');
	for (const box of ['moov', 'avc1', 'avcC', 'Opus', 'dOps', 'mvex']) expect(text).toContain(box);
	expect(toHex(made.init.bytes)).toContain(toHex(avc.description as Uint8Array));
});

test('one configuration always gives the same bytes', async () => {
	const first = await makeInit(avc, opus);
	await new Promise((resolve) => setTimeout(resolve, 1100));
	const second = await makeInit(avc, opus);
	expect(toHex(second.init.bytes)).toBe(toHex(first.init.bytes));
});

test('VP9 can stand in for H.264', async () => {
	const made = await makeInit(vp9, opus);
	expect(made.init.mime).toBe('video/mp4; codecs="vp09.00.31.08,opus"');
	expect(String.fromCharCode(...made.init.bytes)).toContain('vpcC');
});
