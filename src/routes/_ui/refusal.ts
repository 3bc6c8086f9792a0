import type { TrackerPort } from './halls.ts';

/** Whether a tracker answers and doesn't take the channel. */
export function refuses({ state, lastError }: TrackerPort): boolean {
	return state === 'open' && lastError !== undefined;
}

/** Why the channel is on no tracker, when one that answers refuses it; `undefined` when any took it. */
export function refusalOf(trackers: readonly TrackerPort[]): string | undefined {
	const answering = trackers.filter(({ state }) => state === 'open');
	return answering.every(refuses) ? answering[0]?.lastError : undefined;
}

/** What Shoal's own tracker says, for people. */
const KNOWN: Readonly<Record<string, string>> = {
	'this tracker does not serve this torrent':
		'It takes only broadcasts that its owner allows, and this is none of them.',
	'this tracker is full': 'It is full.',
	'too many peers from your address': 'Too many people watch from your network.',
};

/** A tracker's reason as a sentence; a stranger's words are quoted, without the full stop that they may have. */
export function refusalReason(reason: string): string {
	if (Object.hasOwn(KNOWN, reason)) return KNOWN[reason] ?? '';
	return `It says “${reason
		.replace(/[.!\s]+$/, '')
		.trim()
		.replaceAll("'", '’')}”.`;
}
