import { expect, test } from 'vitest';
import type { TrackerPort } from './halls.ts';
import { TRACKER_LOST, partRefusals, trackerWords } from './tracker-words.ts';

const open: TrackerPort = { url: 'wss://a.example/announce', state: 'open' };
const away: TrackerPort = { ...open, state: 'retrying', lastError: 'no connection' };
const trying: TrackerPort = { ...open, state: 'connecting', lastError: 'no connection' };
const refusing: TrackerPort = {
	...{ url: 'wss://club.example:8443/announce', state: 'open' },
	lastError: 'A token is needed here!',
};

test.each([
	['there is none', []],
	['all are there', [open, open]],
	['one of two is there', [away, open]],
	['one may yet be', [away, trying]],
])('nothing is said of trackers while %s', (_, trackers) => {
	expect([trackerWords(trackers), partRefusals(trackers)]).toEqual([undefined, []]);
});

test('trackers that are all away are lost', () => {
	expect(trackerWords([away, away])).toBe(TRACKER_LOST);
});

test.each([
	['alone', [refusing]],
	['beside one that is away', [away, refusing]],
])('a tracker that refuses, %s, is told with its reason', (_, trackers) => {
	expect(trackerWords(trackers)).toMatchObject({
		what: 'The tracker club.example:8443 refuses this broadcast.',
		why: 'It says “A token is needed here”. So it introduces nobody.',
	});
	expect(partRefusals(trackers)).toEqual([]);
});

test('beside one that takes the broadcast it is a remark', () => {
	expect(trackerWords([open, refusing])).toBeUndefined();
	expect(partRefusals([open, refusing])).toEqual([
		'The tracker club.example:8443 refuses this broadcast. It says “A token is needed here”.',
	]);
});
