import type { ViewerStats } from '../src/lib/index.ts';
import type { Output } from './output.ts';
import { plain } from './output.ts';

type Trackers = ViewerStats['trackers'];

/** Says when no tracker answers any more, and when one does again. */
export function lossWatch(output: Output): (trackers: Trackers) => void {
	let lost = false;
	return (trackers) => {
		const answers = trackers.some(({ state, lastError }) => state === 'open' && !lastError);
		const gone = trackers.length > 0 && trackers.every(({ state }) => state === 'retrying');
		if (lost ? !answers : !gone) return;
		lost = gone;
		output.warn(
			lost
				? 'No tracker answers, so nobody new can join; trying again'
				: 'The tracker answers; people can join',
		);
	};
}

/** Says, once for each tracker, that it refuses a channel, with its reason and what can be done. */
export function refusalWatch(output: Output, name = ''): (trackers: Trackers) => void {
	const said = new Set<string>();
	return (trackers) => {
		for (const { url, state, lastError } of trackers) {
			if (state !== 'open' || lastError === undefined || said.has(url)) continue;
			said.add(url);
			output.warn(
				`${name}The tracker ${url} refuses: "${plain(lastError)}". If it lets in by token, give it with one: --tracker "ADDRESS?token=…". Else ask who runs it, or name another with --tracker.`,
			);
		}
	};
}
