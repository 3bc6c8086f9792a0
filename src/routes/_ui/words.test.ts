import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { BroadcasterState, PlayerState, ViewerState } from './halls.ts';
import {
	DEVICE_SLOW,
	ERROR_WORDS,
	FORKED,
	NO_LINK,
	OFFLINE,
	OVERLOADED,
	SOURCE_END_WORDS,
	WARNING_WORDS,
	absentWords,
	broadcasterWords,
	captureWords,
	failureWords,
	watchWords,
	type WatchView,
	type Words,
} from './words.ts';
import { TRACKER_LOST, trackerWords } from './tracker-words.ts';

const failed = { type: 'failed', error: { code: 'no-webrtc' } } as const;
const broadcasterStates: BroadcasterState[] = [
	{ type: 'idle' },
	{ type: 'starting' },
	{ type: 'live', sinceMs: 0 },
	{ type: 'stopping' },
	{ type: 'ended' },
	failed,
];
const viewerStates: ViewerState[] = [
	{ type: 'connecting' },
	{ type: 'no-tracker', retryInMs: 4000 },
	{ type: 'finding-peers' },
	{ type: 'waiting' },
	{ type: 'waiting', quietMs: 8000 },
	{ type: 'receiving' },
	{ type: 'ended' },
	failed,
];
const playerStates: PlayerState[] = [
	{ type: 'idle' },
	{ type: 'buffering' },
	{ type: 'playing' },
	{ type: 'stalled', sinceMs: 0, cause: 'network' },
	{ type: 'paused' },
	{ type: 'ended' },
	{ type: 'failed', error: { code: 'unsupported-codec' } },
];
const view: WatchView = {
	viewer: { type: 'receiving' },
	player: { type: 'playing' },
	online: true,
	lonely: false,
	blocked: false,
	atEdge: true,
	behindMs: 640,
};

function everyWatchView(): WatchView[] {
	return viewerStates.flatMap((viewer) =>
		playerStates.flatMap((player) =>
			[true, false].flatMap((flag) => [
				{ ...view, viewer, player, online: flag, lonely: !flag },
				{ ...view, viewer, player, blocked: flag, atEdge: !flag, behindMs: 12_000 },
			]),
		),
	);
}

const all: Words[] = [
	...Object.values(ERROR_WORDS),
	...Object.values(SOURCE_END_WORDS),
	...Object.values(WARNING_WORDS),
	failureWords(new Error('unforeseen')),
	TRACKER_LOST,
	trackerWords([{ url: 'wss://a', state: 'open', lastError: 'no' }])!,
	OFFLINE,
	FORKED,
	OVERLOADED,
	absentWords(['camera']),
	absentWords(['camera', 'microphone']),
	DEVICE_SLOW,
	NO_LINK,
	...broadcasterStates.flatMap((state) =>
		[0, 3].flatMap((viewers) =>
			[true, false].map((ready) => broadcasterWords(state, { ready, viewers })),
		),
	),
	...everyWatchView().map(watchWords),
];

describe('the words', () => {
	test('are whole sentences that do not shout, joke or hide behind a code', () => {
		for (const { what, why, todo } of all) {
			for (const sentence of [what, why, todo].filter((part) => part !== undefined)) {
				expect(sentence).toMatch(/^[A-Z].*\.$/);
				expect(sentence).not.toMatch(/!|\berror\b|\boops\b|\bsorry\b|undefined|NaN/i);
				expect(sentence).not.toMatch(/'/); // typographic ones only
			}
		}
	});

	test('say what, why and what to do for every code of the library', () => {
		const source = readFileSync('src/lib/model/error.ts', 'utf8');
		const codes = [...source.matchAll(/^\t\| '([a-z-]+)'/gm)].map((match) => match[1]);
		expect(codes.length).toBeGreaterThan(15);
		expect(Object.keys(ERROR_WORDS).sort()).toEqual(codes.sort());
		for (const words of Object.values(ERROR_WORDS)) {
			expect(words.what && words.why && words.todo).toBeTruthy();
		}
	});

	test('differ from code to code', () => {
		const whats = Object.values(ERROR_WORDS).map((words) => words.what);
		expect(new Set(whats).size).toBe(whats.length);
	});

	test('have an answer for anything thrown', () => {
		expect(failureWords({ code: 'no-link' })).toBe(NO_LINK);
		expect(failureWords({ code: 'no-encoder' })).toBe(ERROR_WORDS['no-encoder']);
		for (const thrown of [
			undefined,
			null,
			'text',
			{ code: 7 },
			{ code: 'toString' },
			new Error(),
		]) {
			expect(failureWords(thrown).todo).toMatch(/Reload/);
		}
	});

	test('tell a closed screen picker from a refused camera', () => {
		expect(captureWords({ code: 'capture-denied' }, 'screen').what).toBe('No screen was shared.');
		expect(captureWords({ code: 'capture-denied' }, 'camera')).toBe(ERROR_WORDS['capture-denied']);
		expect(captureWords({ code: 'no-device' }, 'screen').what).toContain('can’t share a screen');
		expect(captureWords({ code: 'no-device' }, 'camera')).toBe(ERROR_WORDS['no-device']);
		expect(captureWords({ code: 'bad-file' }, 'screen')).toBe(ERROR_WORDS['bad-file']);
	});
});

describe('a viewer reads', () => {
	test('that it plays, for as long as the picture moves, whatever the swarm does', () => {
		for (const viewer of viewerStates.filter(({ type }) => type !== 'ended')) {
			expect(watchWords({ ...view, viewer, online: false }).what).toBe('Playing live.');
		}
		expect(watchWords({ ...view, atEdge: false, behindMs: 12_000 }).what).toBe(
			'Playing, 12 s behind.',
		);
	});

	test('what it waits for when the picture stands', () => {
		const stand = (
			viewer: ViewerState,
			player: PlayerState = { type: 'stalled', sinceMs: 0, cause: 'network' },
		) => watchWords({ ...view, viewer, player });
		expect(stand({ type: 'connecting' }).what).toBe('Connecting.');
		expect(stand({ type: 'no-tracker' })).toBe(ERROR_WORDS['no-tracker']);
		expect(stand({ type: 'finding-peers' }).what).toBe('Finding peers.');
		expect(stand({ type: 'finding-peers', lost: true }).why).toContain('They have gone');
		expect(stand({ type: 'waiting', quietMs: 8000 }).why).toBe('They went quiet 8 s ago.');
		expect(stand({ type: 'receiving' }).what).toBe('The stream is late.');
		const slow = { type: 'stalled', sinceMs: 0, cause: 'device' } as const;
		expect(stand({ type: 'receiving' }, slow)).toBe(DEVICE_SLOW);
		expect(stand({ type: 'receiving' }, { type: 'buffering' }).what).toBe('Buffering.');
		expect(stand({ type: 'ended' }).what).toBe('The broadcast has ended.');
	});

	test('that it ended, and that there is a rest to see', () => {
		const over = { ...view, viewer: { type: 'ended' } } as const;
		expect(watchWords({ ...over, player: { type: 'paused' } })).toMatchObject({
			what: 'The broadcast has ended.',
			todo: 'Press Play to see the rest.',
		});
		expect(watchWords(over).what).toBe('Playing the rest.');
	});

	test('why a tracker refuses, once it had the time to think again', () => {
		const refused = {
			...view,
			viewer: { type: 'finding-peers' },
			player: { type: 'idle' },
			refusal: 'needs a token',
		} as const;
		expect(watchWords(refused).what).toBe('Finding peers.');
		const words = watchWords({ ...refused, lonely: true });
		expect(words.what).toBe('The tracker doesn’t take this broadcast.');
		expect(words.why).toBe('It says “needs a token”.');
	});

	test('that it is offline before anything else it could wait for', () => {
		const player = { type: 'buffering' } as const;
		expect(watchWords({ ...view, player, online: false })).toBe(OFFLINE);
	});

	test('the failure of either half', () => {
		const idle = { type: 'idle' } as const;
		expect(watchWords({ ...view, viewer: failed, player: idle })).toBe(ERROR_WORDS['no-webrtc']);
		const player = { type: 'failed', error: { code: 'unsupported-codec' } } as const;
		expect(watchWords({ ...view, player })).toBe(ERROR_WORDS['unsupported-codec']);
	});
});
