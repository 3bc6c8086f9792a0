// What there is to say of the trackers: that none helps, and why; or that one of several doesn't.
import type { TrackerPort } from './halls.ts';
import { refusalReason, refuses } from './refusal.ts';
import type { Words } from './words.ts';

/** No tracker can be reached. */
export const TRACKER_LOST: Required<Words> = {
	what: 'The tracker can’t be reached.',
	why: 'Those who watch keep watching; nobody new can join until it is back.',
	todo: 'Trying again every few seconds.',
};

/** What to say when no tracker takes the broadcast; `undefined` while one does, or may yet. */
export function trackerWords(trackers: readonly TrackerPort[]): Required<Words> | undefined {
	const mayHelp = trackers.some((tracker) => tracker.state !== 'retrying' && !refuses(tracker));
	if (trackers.length === 0 || mayHelp) return undefined;
	const refusing = trackers.find(refuses);
	if (!refusing) return TRACKER_LOST;
	return {
		what: `The tracker ${hostOf(refusing)} refuses this broadcast.`,
		why: `${refusalReason(refusing.lastError ?? '')} So it introduces nobody.`,
		todo: 'Ask whoever runs it; this page keeps trying.',
	};
}

/** One sentence for each tracker that refuses the broadcast while another one takes it. */
export function partRefusals(trackers: readonly TrackerPort[]): string[] {
	if (trackerWords(trackers)) return [];
	return trackers.filter(refuses).map((tracker) => {
		const reason = refusalReason(tracker.lastError ?? '');
		return `The tracker ${hostOf(tracker)} refuses this broadcast. ${reason}`;
	});
}

function hostOf({ url }: TrackerPort): string {
	return new URL(url).host;
}
