import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BrowserDouble, VideoDouble } from './testing/browser.ts';
import { PlayerDouble, ViewerDouble } from './testing/doubles.ts';
import { Watching } from './watching.svelte.ts';
import { ERROR_WORDS, NO_LINK } from './words.ts';

let browser: BrowserDouble;
let video: VideoDouble;
let viewer: ViewerDouble;
let player: PlayerDouble;
const kept = new Map<string, string>();

beforeEach(() => {
	vi.useFakeTimers();
	kept.clear();
	browser = new BrowserDouble();
	browser.install(vi.stubGlobal.bind(vi));
	vi.stubGlobal('localStorage', {
		getItem: (name: string) => kept.get(name) ?? null,
		setItem: (name: string, value: string) => kept.set(name, value),
	});
	video = new VideoDouble();
	viewer = new ViewerDouble();
	player = new PlayerDouble();
});

afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

async function watching(remembers = true): Promise<Watching> {
	const model = new Watching({ remembers, join: async () => ({ viewer, playOn: () => player }) });
	await model.open(video.asElement());
	return model;
}

test('the page joins, and plays as soon as it may', async () => {
	const model = await watching();
	expect(player.calls).toEqual(['play']);
	expect(model.words.what).toBe('Connecting.');
	await model.close();
});

test('the page joins before there is a video, and once', async () => {
	const join = vi.fn(async () => ({ viewer, playOn: () => player }));
	const model = new Watching({ remembers: false, join });
	await model.join();
	expect(join).toHaveBeenCalledExactlyOnceWith({ share: true, uplinkGuessBps: undefined });
	await model.open(video.asElement());
	expect(join).toHaveBeenCalledOnce();
	expect(player.calls).toEqual(['play']);
	await model.close();
});

test('a page that is closed before it was built leaves the channel', async () => {
	const model = new Watching({
		remembers: false,
		join: async () => ({ viewer, playOn: () => player }),
	});
	await model.join();
	await model.close();
	expect(viewer.calls).toEqual(['close']);
});

test('what viewer and player say is what the page says', async () => {
	const model = await watching();
	viewer.become({ type: 'finding-peers' });
	expect(model.words.what).toBe('Finding peers.');
	viewer.become({ type: 'receiving' });
	player.become({ type: 'playing' });
	expect(model.words.what).toBe('Playing live.');
	expect(model.moving && model.hasPlayed).toBe(true);
	player.say('livechange', { atEdge: false, behindMs: 12_000 });
	expect(model.words.what).toBe('Playing, 12 s behind.');
	viewer.become({ type: 'ended' });
	player.become({ type: 'ended' });
	expect(model.ended).toBe(true);
	await model.close();
});

test('who paused before the end is told of it, and may play the rest', async () => {
	const model = await watching();
	viewer.become({ type: 'receiving' });
	player.become({ type: 'playing' });
	player.become({ type: 'paused' });
	expect(model.over || model.ended).toBe(false);
	viewer.become({ type: 'ended' });
	expect(model.over && model.paused).toBe(true);
	expect(model.ended).toBe(false);
	expect(model.words.todo).toBe('Press Play to see the rest.');
	player.become({ type: 'playing' });
	expect(model.words.what).toBe('Playing the rest.');
	player.become({ type: 'ended' });
	expect(model.ended).toBe(true);
	expect(model.words.what).toBe('The broadcast has ended.');
	await model.close();
});

test('how far behind one is counts on through a pause', async () => {
	const model = await watching();
	player.become({ type: 'playing' });
	player.become({ type: 'paused' });
	player.behindMs = 5000;
	vi.advanceTimersByTime(1000);
	expect(model.behindMs).toBe(5000);
	await model.close();
});

test('a device that leaves out pictures is told of', async () => {
	const model = await watching();
	player.become({ type: 'playing' });
	player.say('stats', { overloaded: true });
	expect(model.overloaded).toBe(true);
	player.say('stats', { overloaded: false });
	expect(model.overloaded).toBe(false);
	await model.close();
});

test('a tracker that refuses the channel is told of', async () => {
	const model = await watching();
	const tell = (lastError?: string) => {
		const tracker = { url: 'wss://here.example/', state: 'open' as const };
		const trackers = [lastError === undefined ? tracker : { ...tracker, lastError }];
		viewer.say('stats', {
			viewers: 1,
			uploadBps: 0,
			uplinkBps: undefined,
			windowBytes: 0,
			trackers,
		});
	};
	viewer.become({ type: 'finding-peers' });
	tell('this tracker is full');
	vi.advanceTimersByTime(5000);
	expect(model.words.why).toBe('It is full.');
	tell();
	expect(model.words.what).toBe('Waiting for the broadcaster.');
	await model.close();
});

test('a title that comes with the stream is shown', async () => {
	const model = await watching();
	expect(model.title).toBe('');
	viewer.title = 'Harbour';
	viewer.say('stats', {
		viewers: 2,
		uploadBps: 0,
		uplinkBps: undefined,
		windowBytes: 0,
		trackers: [],
	});
	expect(model.title).toBe('Harbour');
	await model.close();
});

test('there is nothing to jump to when nothing comes and all was shown', async () => {
	const model = await watching();
	viewer.become({ type: 'waiting', quietMs: 4000 });
	player.become({ type: 'playing' });
	expect(model.shownAll).toBe(false);
	player.become({ type: 'stalled', sinceMs: 0, cause: 'network' });
	expect(model.shownAll).toBe(true);
	viewer.become({ type: 'finding-peers' });
	expect(model.shownAll).toBe(true);
	player.become({ type: 'paused' });
	expect(model.shownAll).toBe(false);
	player.become({ type: 'stalled', sinceMs: 0, cause: 'network' });
	viewer.become({ type: 'receiving' });
	expect(model.shownAll).toBe(false);
	await model.close();
});

test('a search that finds nobody turns into waiting, and anew with each search', async () => {
	const model = await watching();
	viewer.become({ type: 'finding-peers' });
	vi.advanceTimersByTime(3000);
	expect(model.words.what).toBe('Finding peers.');
	vi.advanceTimersByTime(2000);
	expect(model.words.what).toBe('Waiting for the broadcaster.');
	viewer.become({ type: 'no-tracker' });
	expect(model.words.what).toBe('The tracker can’t be reached.');
	viewer.become({ type: 'finding-peers' });
	expect(model.words.what).toBe('Finding peers.');
	await model.close();
});

describe('when something is wrong', () => {
	test('no link at all is told as that, and nothing is offered to try again', async () => {
		const noLink = Object.assign(new Error('none'), { code: 'no-link' });
		const model = new Watching({ remembers: false, join: () => Promise.reject(noLink) });
		await model.open(video.asElement());
		expect(model.words).toBe(NO_LINK);
		expect(model.retriable).toBe(false);
	});

	test.each(['bad-link', 'bad-key', 'bad-config', 'no-webrtc'] as const)(
		'%s while opening is told, and the page does not hang',
		async (code) => {
			const model = new Watching({
				remembers: false,
				join: () => Promise.reject(Object.assign(new Error(code), { code })),
			});
			await model.open(video.asElement());
			expect(model.failure).toBe(code);
			expect(model.words).toBe(ERROR_WORDS[code]);
			expect(model.retriable).toBe(code !== 'bad-link' && code !== 'bad-key');
		},
	);

	test('the network going away is told only once the picture stands', async () => {
		const model = await watching();
		viewer.become({ type: 'receiving' });
		player.become({ type: 'playing' });
		browser.setOnline(false);
		expect(model.words.what).toBe('Playing live.');
		player.become({ type: 'stalled', sinceMs: 0, cause: 'network' });
		expect(model.words.what).toBe('You’re offline.');
		browser.setOnline(true);
		expect(model.words.what).toBe('The stream is late.');
		await model.close();
	});

	test('a refused start asks for a press, a refused sound does not', async () => {
		const model = await watching();
		video.paused = false;
		player.say('autoplayblocked', undefined);
		expect(model.blocked).toBe(false);
		video.paused = true;
		player.say('autoplayblocked', undefined);
		expect(model.words.what).toBe('Ready to play.');
		player.become({ type: 'playing' });
		expect(model.blocked).toBe(false);
		await model.close();
	});
});

test('media keys tell the player what the person wants, until the page is closed', async () => {
	const model = await watching();
	browser.pressKey('pause');
	expect(player.calls).toEqual(['play', 'pause']);
	browser.pressKey('play');
	expect(player.calls).toEqual(['play', 'pause', 'play']);
	await model.close();
	browser.pressKey('pause');
	expect(player.calls.at(-1)).toBe('close');
});

test('sound stays on offer until the person decides', async () => {
	const model = await watching();
	expect(model.muted && !model.soundSettled).toBe(true);
	video.volume = 0;
	model.unmute();
	expect(video.muted).toBe(false);
	expect(video.volume).toBe(1);
	expect(model.muted).toBe(false);
	expect(model.soundSettled).toBe(true);
	await model.close();
});

test('how much is passed on is the person’s choice, now and next time', async () => {
	const model = await watching();
	model.setSharing('watch-only');
	expect(viewer.calls.at(-1)).toBe('setSharing {"share":false}');
	model.setSharing('cap');
	expect(viewer.calls.at(-1)).toBe('setSharing {"share":true,"maxUploadBps":1000000}');
	model.acknowledge();
	await model.close();
	const again = await watching();
	expect(again.sharing).toBe('cap');
	expect(again.noticed).toBe(true);
	await again.close();
});

describe('the uplink of the last visit', () => {
	const stats = { viewers: 2, uploadBps: 0, windowBytes: 0, trackers: [] };

	test('is what the next one begins with', async () => {
		const model = await watching();
		viewer.say('stats', { ...stats, uplinkBps: 7_000_000 });
		await model.close();
		const join = vi.fn(async () => ({ viewer, playOn: () => player }));
		await new Watching({ remembers: true, join }).join();
		expect(join).toHaveBeenCalledExactlyOnceWith({ share: true, uplinkGuessBps: 7_000_000 });
	});

	test('is not what a cap let through', async () => {
		const model = await watching();
		model.setSharing('cap');
		viewer.say('stats', { ...stats, uplinkBps: 1_000_000 });
		await model.close();
		expect(kept.has('shoal.uplink')).toBe(false);
	});
});

test('an embedded page touches no storage', async () => {
	vi.stubGlobal('localStorage', undefined);
	Object.defineProperty(globalThis, 'localStorage', {
		configurable: true,
		get() {
			throw new Error('storage was touched');
		},
	});
	const model = await watching(false);
	model.setSharing('cap');
	model.acknowledge();
	expect(model.sharing).toBe('cap');
	model.setSharing('share');
	viewer.say('stats', {
		viewers: 2,
		uploadBps: 0,
		uplinkBps: 5_000_000,
		windowBytes: 0,
		trackers: [],
	});
	await model.close();
});

test('closing lets go of everything, once', async () => {
	const model = await watching();
	await model.close();
	await model.close();
	expect(viewer.calls.filter((call) => call === 'close')).toHaveLength(1);
	expect(player.calls.filter((call) => call === 'close')).toHaveLength(1);
	expect(vi.getTimerCount()).toBe(0);
	viewer.become({ type: 'ended' });
	expect(model.viewer.type).toBe('connecting');
});
