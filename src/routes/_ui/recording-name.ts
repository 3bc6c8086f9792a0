import { partName } from '../../lib/index.ts';

const MOST_CHARACTERS = 60;
/** What file systems, or the torrent's own checks, refuse in a name. */
const UNFIT = /[\p{Cc}\p{Cf}\\/:*?"<>|]+/gu;

/**
 * What a recording's file is called: "Evening 2026-11-22 20.53.mp4". The time is that of its first segment in UTC, so that
 * all who keep the same name it the same, wherever they are, and share one torrent.
 */
export function recordingName(
	title: string,
	signedAtMs: number,
	mime: string,
	part: number,
): string {
	const words = title
		.replace(UNFIT, ' ')
		.replace(/\s+/g, ' ')
		.replace(/^[. ]+/, '');
	const name = [...words].slice(0, MOST_CHARACTERS).join('').trim() || 'Broadcast';
	const time = new Date(signedAtMs).toISOString().slice(0, 16).replace('T', ' ').replace(':', '.');
	const end = /^(?:video|audio)\/webm\b/.test(mime) ? 'webm' : 'mp4';
	return partName(`${name} ${time}.${end}`, part);
}
