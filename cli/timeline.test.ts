import { expect, it } from 'vitest';
import { Timeline } from './timeline.ts';

const FRAME_S = 0.04;
const frame = (timestamp: number, type: 'key' | 'delta' = 'delta', duration = FRAME_S) => ({
	timestamp,
	duration,
	type,
});

/** Frames `from` to `to` of a source whose clock stands at `startS`, a key frame every 25. */
function frames(startS: number, from: number, to: number) {
	return Array.from({ length: to - from }, (_, i) =>
		frame(startS + (from + i) * FRAME_S, (from + i) % 25 === 0 ? 'key' : 'delta'),
	);
}

it('begins where the channel stands, whatever the source’s clock says', () => {
	const lane = new Timeline(7).lane('video');
	const [first, second] = frames(5000, 0, 2).map((one) => lane.place(one));
	expect(first).toMatchObject({ timestamp: 7, leapt: false });
	expect(second?.timestamp).toBeCloseTo(7.04, 6);
});

it.each([500, -500, -1])('takes a leap of %d s out, for picture and sound alike', (leapS) => {
	const timeline = new Timeline(0);
	const [video, audio] = [timeline.lane('video'), timeline.lane('audio')];
	for (const one of frames(1000, 0, 50)) video.place(one);
	for (const one of frames(1000, 0, 50)) audio.place({ ...one, type: 'key' });
	const after = frames(1000 + leapS, 50, 75);
	const seen = after.map((one) => video.place(one));
	expect(seen.filter(({ leapt }) => leapt)).toHaveLength(1);
	expect(seen[0]?.timestamp).toBeCloseTo(2, 6);
	const heard = after.map((one) => audio.place({ ...one, type: 'key' }));
	expect(heard.filter(({ leapt }) => leapt)).toHaveLength(0);
	expect(heard[24]?.timestamp).toBeCloseTo(2.96, 6);
});

it('doesn’t take the leap for the length of the frame before it', () => {
	const lane = new Timeline(0).lane('video');
	for (const one of frames(0, 0, 24)) lane.place(one);
	expect(lane.place(frame(0.96, 'delta', 499.04)).duration).toBeCloseTo(FRAME_S, 6);
	const { timestamp, leapt } = lane.place(frame(500, 'key'));
	expect(leapt).toBe(true);
	expect(timestamp).toBeCloseTo(1, 6);
});

it('knows frames that are shown out of order from a clock that runs back', () => {
	const lane = new Timeline(0).lane('video');
	lane.place(frame(0, 'key'));
	expect(lane.place(frame(0.12)).reordered).toBe(false);
	expect(lane.place(frame(0.04))).toMatchObject({ reordered: true, leapt: false });
	lane.place(frame(0.08));
	// A new stretch that overlaps by two frames: no time before the key frame may come again.
	const squeezed = [frame(0.06, 'key'), frame(0.1), frame(0.14)].map((one) => lane.place(one));
	const times = squeezed.map(({ timestamp }) => timestamp ?? NaN);
	expect(times[0]).toBeGreaterThan(0.12);
	expect(times[1]).toBeGreaterThan(times[0] ?? NaN);
	expect(times[2]).toBeCloseTo(0.14, 6);
});

it('leaves out sound from before the first picture, and sound that comes twice', () => {
	const timeline = new Timeline(3);
	timeline.begin(100);
	const lane = timeline.lane('audio');
	const times = [99.98, 100.0, 100.02, 100.0, 100.04].map(
		(timestamp) => lane.place(frame(timestamp, 'key', 0.02)).timestamp,
	);
	expect(times.map((time) => time !== undefined)).toEqual([false, true, true, false, true]);
});
