import { expect, it } from 'vitest';
import { recordingName } from './recording-name.ts';

const AT = Date.UTC(2026, 10, 22, 20, 53, 12);

it.each([
	['Evening', 'video/mp4; codecs="avc1.4d0028"', 1, 'Evening 2026-11-22 20.53.mp4'],
	['Evening', 'video/webm; codecs="vp8"', 2, 'Evening 2026-11-22 20.53-2.webm'],
	['', 'audio/mp4', 1, 'Broadcast 2026-11-22 20.53.mp4'],
	['../../etc/passwd', 'video/mp4', 1, 'etc passwd 2026-11-22 20.53.mp4'],
	['\u202ename: "a"\n?', 'video/mp4', 1, 'name a 2026-11-22 20.53.mp4'],
	['😀'.repeat(80), 'video/mp4', 1, `${'😀'.repeat(60)} 2026-11-22 20.53.mp4`],
])('a recording of "%s" is named for what it is and when it was', (title, mime, part, name) => {
	expect(recordingName(title, AT, mime, part)).toBe(name);
});
