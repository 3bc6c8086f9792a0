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

	const { faults, types, frames, durationS } = await probe(file);
	expect(faults).toBe('');
	expect(types).toEqual(['audio', 'video']);
	for (const count of frames) expect(count).toBeGreaterThan(50);
	expect(Math.abs(durationS - mediaS)).toBeLessThan(0.5);
});

test('a viewer saves what is held as a film; the broadcaster shares it after the end, and its link plays', async ({
	people,
}) => {
	test.skip(!hasFfmpeg, 'needs ffprobe');
	const { page: broadcaster, link } = await broadcastCamera(people);
	const viewer = await watch(people, link);
	await plays(viewer.locator('video'));
	await viewer.getByRole('button', { name: 'Keep a replay' }).click();
	const download = viewer.waitForEvent('download');
	await viewer.getByRole('button', { name: 'Save file' }).click();
	const film = await download;
	expect(film.suggestedFilename()).toMatch(/^Broadcast \d{4}-\d\d-\d\d \d\d\.\d\d\.mp4$/);
	const { startS, types, faults } = await probe(await film.path());
	expect(faults).toBe('');
	expect(types).toEqual(['audio', 'video']);
	// The viewer came in the midst of the broadcast; the file begins at its own beginning.
	expect(startS).toBeLessThan(0.1);

	await broadcaster.getByRole('button', { name: 'Stop', exact: true }).click();
	await expect(broadcaster.getByText('The broadcast has ended')).toBeVisible();
	await broadcaster.getByRole('button', { name: 'Keep a replay' }).click();
	await broadcaster.getByRole('button', { name: 'Share replay' }).click();
	const replay = await broadcaster.getByRole('textbox', { name: 'Replay link' }).inputValue();
	const magnet = broadcaster.getByRole('textbox', { name: 'Magnet link' });
	const infoHash = /\/watch\/#([0-9a-f]{40})$/.exec(replay)?.[1] ?? 'none';
	expect(await magnet.inputValue()).toContain(`xt=urn:btih:${infoHash}`);
	const torrent = broadcaster.waitForEvent('download');
	await broadcaster.getByRole('button', { name: 'Save .torrent' }).click();
	expect((await torrent).suggestedFilename()).toMatch(/\.mp4\.torrent$/);
	const later = await watch(people, replay);
	await plays(later.locator('video'));
});

/** What ffprobe finds, decoding all of it. */
async function probe(file: string) {
	const show = 'stream=codec_type,nb_read_frames:format=start_time,duration';
	const args = ['-v', 'warning', '-count_frames', '-show_entries', show, '-of', 'json', file];
	const { stdout, stderr } = await run('ffprobe', args);
	const { streams, format } = JSON.parse(stdout) as {
		streams: { codec_type: string; nb_read_frames: string }[];
		format: { start_time: string; duration: string };
	};
	return {
		faults: stderr,
		types: streams.map((stream) => stream.codec_type).sort(),
		frames: streams.map((stream) => Number(stream.nb_read_frames)),
		startS: Number(format.start_time),
		// Of a fragmented file ffprobe calls the time of its end the duration.
		durationS: Number(format.duration) - Number(format.start_time),
	};
}
