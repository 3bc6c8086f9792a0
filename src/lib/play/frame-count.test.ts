import { expect, it } from 'vitest';
import { FrameCount } from './frame-count.ts';

it('adds the frames of every source up', () => {
	const count = new FrameCount();
	const update = (totalVideoFrames: number, droppedVideoFrames: number) =>
		count.update({ totalVideoFrames, droppedVideoFrames });
	expect(update(100, 2)).toEqual({ decodedFrames: 100, droppedFrames: 2 });
	expect(update(150, 2)).toEqual({ decodedFrames: 150, droppedFrames: 2 });
	expect(update(0, 0)).toEqual({ decodedFrames: 150, droppedFrames: 2 });
	expect(update(30, 1)).toEqual({ decodedFrames: 180, droppedFrames: 3 });
});
