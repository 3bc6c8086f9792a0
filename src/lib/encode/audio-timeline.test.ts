import { expect, test } from 'vitest';
import { AudioTimeline, BLOCK_SAMPLES } from './audio-timeline.ts';

const CHUNK_US = 10_000;

function chunk(length = 480, value = 0.5): Float32Array[] {
	return [new Float32Array(length).fill(value)];
}

function takeAll(timeline: AudioTimeline): { startUs: number; samples: Float32Array }[] {
	const blocks = [];
	for (let block = timeline.take(); block; block = timeline.take()) blocks.push(block);
	return blocks;
}

test('blocks follow each other every 20 ms from 0, whatever the chunks', () => {
	const timeline = new AudioTimeline();
	let us = 0;
	for (const length of [480, 1, 1000, 37, 2400, 480, 480]) {
		us += (length / 48_000) * 1e6;
		timeline.push(chunk(length), 48_000, us);
	}
	const starts = takeAll(timeline).map((block) => block.startUs);
	expect(starts).toEqual([0, 20_000, 40_000, 60_000, 80_000]);
});

test('a source that starts late has silence in front of it and fades in', () => {
	const timeline = new AudioTimeline();
	for (let i = 1; i <= 10; i++) timeline.push(chunk(), 48_000, 60_000 + i * CHUNK_US);
	const blocks = takeAll(timeline);
	expect(Math.max(...blocks.slice(0, 3).flatMap((block) => [...block.samples]))).toBe(0);
	expect(blocks[3]?.samples[BLOCK_SAMPLES - 1]).toBeCloseTo(0.5, 3);
	expect(timeline.silentMs).toBe(60);
});

test('one channel is heard on both sides', () => {
	const timeline = new AudioTimeline();
	for (let i = 1; i <= 10; i++) timeline.push(chunk(), 48_000, i * CHUNK_US);
	const block = takeAll(timeline)[2];
	expect(block?.samples[500]).toBeCloseTo(0.5, 3);
	expect(block?.samples[BLOCK_SAMPLES + 500]).toBeCloseTo(0.5, 3);
});

test.each([
	['a buffer that a source plays out at its start', 10],
	['a buffer of a second', 100],
])('%s does not push sound ahead of the clock', (_, chunks) => {
	const timeline = new AudioTimeline();
	for (let i = 0; i < chunks; i++) timeline.push(chunk(), 48_000, CHUNK_US);
	expect(timeline.endUs).toBeLessThanOrEqual(CHUNK_US + 20_100);
});

test('chunks that are held up and come in one burst are all kept', () => {
	const timeline = new AudioTimeline();
	for (let i = 1; i <= 50; i++) timeline.push(chunk(), 48_000, i * CHUNK_US);
	for (let i = 51; i <= 80; i++) timeline.push(chunk(), 48_000, 800_000);
	for (let i = 81; i <= 300; i++) timeline.push(chunk(), 48_000, i * CHUNK_US);
	expect(timeline.silentMs).toBe(0);
	expect(Math.abs(timeline.endUs - 3_000_000)).toBeLessThan(2000);
});

test('a hole is filled with silence in time, and sound behind it keeps its place', () => {
	const timeline = new AudioTimeline();
	for (let i = 1; i <= 50; i++) timeline.push(chunk(), 48_000, i * CHUNK_US);
	timeline.fillTo(1_000_000);
	expect(Math.abs(timeline.silentMs - 500)).toBeLessThan(1);
	for (let i = 101; i <= 400; i++) timeline.push(chunk(), 48_000, i * CHUNK_US);
	expect(Math.abs(timeline.endUs - 4_000_000)).toBeLessThan(3000);
});

test('samples that were lost unseen leave no lasting shift', () => {
	const timeline = new AudioTimeline();
	for (let i = 1; i <= 100; i++) timeline.push(chunk(), 48_000, i * CHUNK_US);
	for (let i = 121; i <= 600; i++) timeline.push(chunk(), 48_000, i * CHUNK_US);
	expect(Math.abs(timeline.endUs - 6_000_000)).toBeLessThan(3000);
	expect(timeline.silentMs).toBeGreaterThan(150);
});

test.each([-500, -100, 100, 500])(
	'a clock that is %d parts per million off is followed without silence',
	(ppm) => {
		const timeline = new AudioTimeline();
		const twoMinutes = 120 * 10;
		let worstUs = 0;
		for (let i = 1; i <= twoMinutes; i++) {
			const us = i * 100_000 * (1 + ppm / 1e6);
			timeline.push(chunk(4800), 48_000, us);
			if (i > 100) worstUs = Math.max(worstUs, Math.abs(us - timeline.endUs));
			takeAll(timeline);
		}
		expect(worstUs).toBeLessThan(5000);
		expect(timeline.silentMs).toBeLessThan(1);
	},
);

test('44.1 kHz keeps time', () => {
	const timeline = new AudioTimeline();
	for (let i = 1; i <= 1000; i++) timeline.push(chunk(441), 44_100, i * CHUNK_US);
	expect(Math.abs(timeline.endUs - 10_000_000)).toBeLessThan(2000);
	expect(timeline.silentMs).toBe(0);
});

test('another source with another rate continues the same time', () => {
	const timeline = new AudioTimeline();
	for (let i = 1; i <= 100; i++) timeline.push(chunk(), 48_000, i * CHUNK_US);
	timeline.startSource();
	for (let i = 131; i <= 300; i++) timeline.push(chunk(160), 16_000, i * CHUNK_US);
	expect(Math.abs(timeline.endUs - 3_000_000)).toBeLessThan(2000);
	expect(Math.abs(timeline.silentMs - 300)).toBeLessThan(1);
});

test('after a skip, blocks begin at its time', () => {
	const timeline = new AudioTimeline();
	for (let i = 1; i <= 10; i++) timeline.push(chunk(), 48_000, i * CHUNK_US);
	timeline.skipTo(60_000_000);
	timeline.fillTo(60_020_000);
	expect(takeAll(timeline).map((block) => block.startUs)).toEqual([60_000_000]);
});
