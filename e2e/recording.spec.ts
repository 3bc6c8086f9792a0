import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { broadcastCamera, watch } from './broadcast.ts';
import { expect, test } from './fixtures.ts';
import { recording } from './handle.ts';
import { hasFfmpeg } from './media-file.ts';
import { plays } from './picture.ts';

const run = promisify(execFile);

test('ten seconds of received segments behind the init segment are a file without an error', async ({
	people,
}, testInfo) => {
	test.skip(!hasFfmpeg, 'needs ffprobe');
	const { link } = await broadcastCamera(people);
	const viewer = await watch(people, link);
	await plays(viewer.locator('video'));
	await expect
		.poll(async () => (await recording(viewer)).mediaS, { timeout: 40_000, intervals: [1000] })
		.toBeGreaterThanOrEqual(10);

	const { bytes, mediaS } = await recording(viewer);
	const file = testInfo.outputPath('received.mp4');
	await writeFile(file, bytes);

	// -count_frames decodes all of it.
	const show = 'stream=codec_type,nb_read_frames:format=start_time,duration';
	const args = ['-v', 'warning', '-count_frames', '-show_entries', show, '-of', 'json', file];
	const probe = await run('ffprobe', args);
	expect(probe.stderr).toBe('');
	const { streams, format } = JSON.parse(probe.stdout) as {
		streams: { codec_type: string; nb_read_frames: string }[];
		format: { start_time: string; duration: string };
	};
	expect(streams.map((stream) => stream.codec_type).sort()).toEqual(['audio', 'video']);
	for (const stream of streams) expect(Number(stream.nb_read_frames)).toBeGreaterThan(50);
	// Of a fragmented file ffprobe calls the time of its end the duration.
	const probedS = Number(format.duration) - Number(format.start_time);
	expect(Math.abs(probedS - mediaS)).toBeLessThan(0.5);
});
