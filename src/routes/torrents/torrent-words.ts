import type { TorrentStatus } from '../../lib/index.ts';
import { count, percent, rate, size, span } from '../_ui/numbers.ts';
import { failureWords } from '../_ui/words.ts';

/** What a torrent is doing, in a line. */
export function activityWords(status: TorrentStatus): string {
	switch (status.activity) {
		case 'describing':
			return status.peers > 0
				? 'Asking peers what is in it'
				: 'Looking for somebody who knows what is in it';
		case 'checking':
			return 'Checking what is here already';
		case 'downloading': {
			const done = `${percent(status.progress)} of ${size(status.wantedBytes)}`;
			if (status.peers === 0) return `${done} · nobody who has more is here yet`;
			const left = status.timeLeftMs === undefined ? '' : ` · ${span(status.timeLeftMs)} left`;
			return `${done} · ${rate(status.downloadBps)} in${left}`;
		}
		case 'seeding':
			return `All ${size(status.wantedBytes)} here · ${rate(status.uploadBps)} out`;
		case 'paused':
			return `Paused at ${percent(status.progress)}`;
		case 'failed':
			return status.failure?.message ?? 'Stopped';
	}
}

/** Who is connected. */
export function peerWords({ peers, seeds }: TorrentStatus): string {
	if (peers === 0) return 'No peers';
	return `${count(peers, 'peer')}${seeds > 0 ? `, ${seeds} with all of it` : ''}`;
}

/** Which trackers answered. */
export function trackerWords({ trackers }: TorrentStatus): string {
	const answered = trackers.filter(({ state }) => state === 'answered').length;
	if (trackers.length === 0) return 'No tracker yet';
	return `${answered} of ${count(trackers.length, 'tracker')} answered`;
}

/** Whether it will be here after a reload. */
export function keptWords({ kept, activity }: TorrentStatus): string {
	if (kept === true) return 'Kept in this browser; it goes on after a reload.';
	if (kept === false) {
		return 'Not kept: this browser has no room for it. It lasts as long as this page is open.';
	}
	return activity === 'seeding'
		? 'Being copied into this browser, so that it goes on after a reload.'
		: '';
}

/** The sentence for something that could not be added or done; the library's own where it has one. */
export function troubleWords(error: unknown): string {
	const { code, message } = error as { code?: unknown; message?: unknown };
	if ((code === 'bad-torrent' || code === 'bad-file') && typeof message === 'string') {
		return /[.!?]$/.test(message) ? message : `${message}.`;
	}
	const { what, why, todo } = failureWords(error);
	return `${what} ${why} ${todo}`;
}
