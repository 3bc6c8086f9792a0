import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { findProgram } from '../scripts/find-program.mjs';

/** Whether media files can be made and read here; tests that need them are skipped where not. */
export const hasFfmpeg = !!findProgram('ffmpeg') && !!findProgram('ffprobe');

/** Makes a video of one colour with a tone, MP4 with H.264 and AAC. */
export function makeVideo(path: string, colour: string, seconds: number): void {
	execFileSync(
		'ffmpeg',
		[
			...['-v', 'error', '-y'],
			...['-f', 'lavfi', '-i', `color=${colour}:size=640x360:rate=25:duration=${seconds}`],
			...['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`],
			...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '25'],
			...['-c:a', 'aac', '-shortest', path],
		],
		{ stdio: ['ignore', 'ignore', 'inherit'] },
	);
}

/** Spoils the second half of a video's pictures and sound; what describes them stays. */
export function damageVideo(path: string): void {
	const bytes = readFileSync(path);
	const from = bytes.indexOf('mdat') + 4;
	const described = bytes.indexOf('moov');
	const to = described > from ? described - 4 : bytes.length;
	writeFileSync(path, bytes.fill(0xff, Math.floor((from + to) / 2), to));
}

/** How each picture of a video file is coded: `I` by itself, `P` from earlier ones, `B` from later ones too. */
export function pictureTypes(path: string): string[] {
	const show = ['-select_streams', 'v', '-show_entries', 'frame=pict_type', '-of', 'csv=p=0'];
	const told = execFileSync('ffprobe', ['-v', 'error', ...show, path], { encoding: 'utf8' });
	return told.match(/[A-Z]/g) ?? [];
}
