import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Packet } from './packet.ts';
import { SegmentCutter, type CutSegment } from './segment-cutter.ts';

const SEGMENT_US = 500_000;
const FRAME_US = 33_333;
const SOUND_US = 20_000;

function frame(startUs: number, durationUs = FRAME_US): Packet {
	return { startUs, durationUs, data: new Uint8Array([1]), isKey: false };
}

function addSound(cutter: SegmentCutter, fromUs: number, toUs: number): void {
	for (let atUs = fromUs; atUs < toUs; atUs += SOUND_US) cutter.addAudio(frame(atUs, SOUND_US));
}

function takeAll(cutter: SegmentCutter): CutSegment[] {
	const segments: CutSegment[] = [];
	for (let cut = cutter.take(); cut; cut = cutter.take()) segments.push(cut);
	return segments;
}

test('a segment is whole as soon as the next frame is foreseen behind its end', () => {
	const cutter = new SegmentCutter(SEGMENT_US);
	addSound(cutter, 0, SEGMENT_US);
	for (let atUs = 0; atUs < 450_000; atUs += FRAME_US) {
		cutter.addVideo(frame(cutter.submit(atUs, FRAME_US).startUs));
		expect(cutter.take()).toBeUndefined();
	}
	const last = cutter.submit(480_000, FRAME_US);
	expect(cutter.take()).toBeUndefined();
	cutter.addVideo(frame(last.startUs));
	const cut = cutter.take();
	expect(cut).toMatchObject({ index: 0, startUs: 0, durationUs: SEGMENT_US, isAfterGap: false });
	expect(cut?.video).toHaveLength(15);
	expect(cut?.audio).toHaveLength(25);
});

test('it waits for its sound', () => {
	const cutter = new SegmentCutter(SEGMENT_US);
	cutter.addVideo(frame(cutter.submit(0, FRAME_US).startUs));
	cutter.closeVideo(0);
	addSound(cutter, 0, SEGMENT_US - SOUND_US);
	expect(cutter.take()).toBeUndefined();
	addSound(cutter, SEGMENT_US - SOUND_US, SEGMENT_US);
	expect(cutter.take()?.audio).toHaveLength(25);
});

test('a frame that comes after its segment was closed moves to the next one', () => {
	const cutter = new SegmentCutter(SEGMENT_US);
	cutter.submit(480_000, FRAME_US);
	expect(cutter.submit(498_000, FRAME_US)).toEqual({ startUs: SEGMENT_US, segment: 1 });
});

test('frames that the encoder drops do not hold a segment up', () => {
	const cutter = new SegmentCutter(SEGMENT_US);
	addSound(cutter, 0, 2 * SEGMENT_US);
	cutter.submit(100_000, FRAME_US);
	cutter.submit(480_000, FRAME_US);
	const later = cutter.submit(510_000, FRAME_US);
	cutter.addVideo(frame(later.startUs));
	expect(cutter.take()?.video).toHaveLength(0);
});

test('an encoder that died gives its segment up', () => {
	const cutter = new SegmentCutter(SEGMENT_US);
	addSound(cutter, 0, SEGMENT_US);
	cutter.addVideo(frame(cutter.submit(0, FRAME_US).startUs));
	cutter.submit(100_000, FRAME_US);
	cutter.closeVideo(0);
	expect(cutter.take()).toBeUndefined();
	cutter.forgetPending();
	expect(cutter.take()?.video).toHaveLength(1);
});

test('the last frame is shown to the end of the segment', () => {
	const cutter = new SegmentCutter(SEGMENT_US);
	addSound(cutter, 0, SEGMENT_US);
	cutter.addVideo(frame(cutter.submit(0, FRAME_US).startUs));
	cutter.addVideo(frame(cutter.submit(100_000, FRAME_US).startUs));
	cutter.closeVideo(0);
	const video = cutter.take()?.video;
	expect(video?.map((packet) => packet.durationUs)).toEqual([FRAME_US, 400_000]);
});

test('a gap is told by the segment behind it, once', () => {
	const cutter = new SegmentCutter(SEGMENT_US);
	cutter.submit(100_000, FRAME_US);
	cutter.skipTo(10);
	cutter.forgetPending();
	expect(cutter.submit(200_000, FRAME_US)).toEqual({ startUs: 5_000_000, segment: 10 });
	cutter.addVideo(frame(5_000_000));
	cutter.closeVideo(11);
	addSound(cutter, 5_000_000, 6_000_000);
	expect(takeAll(cutter).map((cut) => [cut.index, cut.isAfterGap])).toEqual([
		[10, true],
		[11, false],
	]);
});

test('whatever the frames do, segments come in order, none is missing, and each packet is in its own', () => {
	fc.assert(
		fc.property(
			fc.array(
				fc.record({ stepUs: fc.integer({ min: -50_000, max: 400_000 }), isDropped: fc.boolean() }),
				{ maxLength: 200 },
			),
			(frames) => {
				const cutter = new SegmentCutter(SEGMENT_US);
				const segments: CutSegment[] = [];
				let nowUs = 0;
				let heardUs = 0;
				let kept = 0;
				for (const { stepUs, isDropped } of frames) {
					nowUs += stepUs;
					const { startUs } = cutter.submit(nowUs, FRAME_US);
					if (!isDropped) {
						cutter.addVideo(frame(startUs));
						kept++;
					}
					for (; heardUs < startUs; heardUs += SOUND_US) cutter.addAudio(frame(heardUs, SOUND_US));
					segments.push(...takeAll(cutter));
				}
				cutter.forgetPending();
				cutter.closeVideo(1000);
				addSound(cutter, heardUs, heardUs + 100 * SEGMENT_US);
				segments.push(...takeAll(cutter));

				let lastUs = -1;
				segments.forEach((cut, i) => {
					expect(cut.index).toBe(i);
					expect(cut.audio).toHaveLength(25);
					for (const packet of cut.video) {
						expect(Math.floor(packet.startUs / SEGMENT_US)).toBe(i);
						expect(packet.startUs).toBeGreaterThan(lastUs);
						lastUs = packet.startUs;
					}
				});
				expect(segments.flatMap((cut) => cut.video)).toHaveLength(kept);
			},
		),
	);
});

test('decoding goes on where the picture before ended, however late the next frame is', () => {
	const cutter = new SegmentCutter(100_000);
	addSound(cutter, 0, 400_000);
	cutter.addVideo(frame(cutter.submit(60_000, FRAME_US).startUs));
	cutter.closeVideo(1); // a segment without any picture
	cutter.addVideo(frame(cutter.submit(268_000, FRAME_US).startUs));
	cutter.closeVideo(3);
	const cuts = takeAll(cutter);
	expect(cuts.map(({ videoFromUs }) => videoFromUs)).toEqual([0, 100_000, 100_000, 300_000]);
	// What a source buffer judges by (W3C MSE): a step of decoding time of more than two frames is a break.
	const last = cuts[0]?.video.at(-1);
	const stepUs = (cuts[2]?.videoFromUs ?? Infinity) - (last?.startUs ?? 0);
	expect(stepUs).toBeLessThanOrEqual(2 * (last?.durationUs ?? 0));
});

test('behind a gap decoding begins anew', () => {
	const cutter = new SegmentCutter(SEGMENT_US);
	cutter.skipTo(10);
	cutter.addVideo(frame(cutter.submit(5_100_000, FRAME_US).startUs));
	cutter.closeVideo(10);
	addSound(cutter, 5_000_000, 5_500_000);
	expect(cutter.take()?.videoFromUs).toBe(5_000_000);
});
