import type { PlayerState, TrackerPort, ViewerState } from '../halls.ts';
import { Watching } from '../watching.svelte.ts';
import { PlayerDouble, ViewerDouble } from './doubles.ts';
import { scene } from './scene.ts';

interface WatchState {
	viewer?: ViewerState;
	player?: PlayerState;
	played?: boolean;
	behindMs?: number;
	viewers?: number;
	uploadBps?: number;
	title?: string;
	blocked?: boolean;
	offline?: boolean;
	lonely?: boolean;
	trackers?: TrackerPort[];
	overloaded?: boolean;
	loud?: boolean;
	noticed?: boolean;
	/** Thrown when the page opens. */
	throws?: string;
}

const receiving: ViewerState = { type: 'receiving' };
const playing: PlayerState = { type: 'playing' };
const stalled = { type: 'stalled', sinceMs: 0, cause: 'network' } as const;
const live: WatchState = {
	viewer: receiving,
	player: playing,
	played: true,
	viewers: 24,
	uploadBps: 1_200_000,
	title: 'Evening at the harbour',
	noticed: true,
};
const failing = (code: string): WatchState => ({ viewer: { type: 'failed', error: { code } } });

/** What a page that watches can be in, by name. */
export const WATCH_STATES: Readonly<Record<string, WatchState>> = {
	connecting: {},
	'tracker-gone': { viewer: { type: 'no-tracker', retryInMs: 4000 } },
	'finding-peers': { viewer: { type: 'finding-peers' } },
	'nobody-here': { viewer: { type: 'finding-peers' }, lonely: true },
	'tracker-refuses': {
		viewer: { type: 'finding-peers' },
		lonely: true,
		viewers: 1,
		trackers: [
			{
				url: 'wss://here.example/announce',
				state: 'open',
				lastError: 'this tracker does not serve this torrent',
			},
		],
	},
	'waiting-first': { viewer: { type: 'waiting' } },
	buffering: { viewer: receiving, player: { type: 'buffering' } },
	'playing-first-visit': { ...live, noticed: false, viewers: 2, uploadBps: 0 },
	'playing-with-sound': { ...live, loud: true },
	'playing-many': {
		...live,
		viewers: 1204,
		title:
			'The long evening broadcast from the old harbour with everyone who could make it, part two of three',
	},
	behind: { ...live, behindMs: 12_400, loud: true },
	paused: { ...live, player: { type: 'paused' }, behindMs: 32_000, loud: true },
	stalled: { ...live, player: stalled },
	'device-slow': { ...live, player: { ...stalled, cause: 'device' } },
	'device-overloaded': { ...live, loud: true, overloaded: true },
	'broadcaster-quiet': { ...live, viewer: { type: 'waiting', quietMs: 8000 }, player: stalled },
	offline: { ...live, player: stalled, offline: true },
	'autoplay-blocked': { viewer: receiving, player: { type: 'paused' }, blocked: true },
	'ended-while-paused': {
		...live,
		viewer: { type: 'ended' },
		player: { type: 'paused' },
		behindMs: 32_000,
		loud: true,
	},
	ended: { ...live, viewer: { type: 'ended' }, player: { type: 'ended' } },
	'codec-not-playable': failing('unsupported-codec'),
	'playback-failed': { ...live, player: { type: 'failed', error: { code: 'playback-failed' } } },
	'no-link': { throws: 'no-link' },
	'cut-link': { throws: 'bad-link' },
	'unsafe-link': { throws: 'bad-key' },
	'webrtc-blocked': failing('no-webrtc'),
	'no-way-through': failing('ice-failed'),
	'settings-missing': { throws: 'bad-config' },
};

/** A page's model in the state of that name. */
export function watchingIn(name: string, remembers: boolean): Watching {
	const given = WATCH_STATES[name] ?? {};
	const viewer = new ViewerDouble();
	const player = new PlayerDouble();
	const model = new Watching({
		remembers: false,
		async join() {
			if (given.throws) throw Object.assign(new Error(given.throws), { code: given.throws });
			viewer.title = given.title ?? '';
			return { viewer, playOn };
		},
	});
	function playOn(video: HTMLVideoElement) {
		if (given.played) {
			video.srcObject = scene();
			// Muted first: a browser starts nothing loud that nobody has touched.
			const unmute = () => (video.muted = !given.loud);
			video.play().then(unmute, () => {}); // a state that pauses may come between
		}
		queueMicrotask(() => setTimeout(() => show(video)));
		return player;
	}
	function show(video: HTMLVideoElement) {
		if (given.viewer) viewer.become(given.viewer);
		if (given.played) player.become(playing);
		if (given.player) player.become(given.player);
		model.lonely = given.lonely ?? false;
		if (given.player?.type === 'paused') video.pause();
		if (given.blocked) player.say('autoplayblocked', undefined);
		if (given.viewers !== undefined) {
			viewer.say('stats', {
				viewers: given.viewers,
				uploadBps: given.uploadBps ?? 0,
				uplinkBps: undefined,
				windowBytes: given.played ? 18_000_000 : 0,
				trackers: given.trackers ?? [],
			});
		}
		if (given.overloaded) player.say('stats', { overloaded: true });
		const behindMs = given.behindMs ?? 640;
		player.behindMs = behindMs;
		player.say('livechange', { atEdge: behindMs < 3000, behindMs });
		if (given.offline) dispatchEvent(new Event('offline'));
	}
	model.noticed = given.noticed ?? !remembers;
	if (given.offline) Object.defineProperty(navigator, 'onLine', { get: () => false });
	return model;
}
