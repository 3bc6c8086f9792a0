import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BrowserDouble } from '../_ui/testing/browser.ts';
import { BroadcasterDouble, SourceDouble, STATS } from '../_ui/testing/doubles.ts';
import { TRACKER_LOST } from '../_ui/tracker-words.ts';
import {
	ERROR_WORDS,
	FORKED,
	OVERLOADED,
	SOURCE_END_WORDS,
	WARNING_WORDS,
	absentWords,
} from '../_ui/words.ts';
import { NO_DEVICE, Studio, type StudioParts } from './studio.svelte.ts';

let browser: BrowserDouble;
let broadcaster: BroadcasterDouble;
let parts: StudioParts;
let opened: SourceDouble[];
let asked: unknown[];
const kept = new Map<string, string>();

const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));

beforeEach(() => {
	vi.useFakeTimers();
	kept.clear();
	browser = new BrowserDouble();
	browser.install(vi.stubGlobal.bind(vi));
	vi.stubGlobal('localStorage', {
		getItem: (name: string) => kept.get(name) ?? null,
		setItem: (name: string, value: string) => kept.set(name, value),
	});
	broadcaster = new BroadcasterDouble();
	opened = [];
	asked = [];
	const source = (kind: 'camera' | 'screen' | 'file') => {
		const made = new SourceDouble(kind, kind);
		opened.push(made);
		return made;
	};
	parts = {
		openBroadcaster: async () => broadcaster,
		openCamera: async (choice) => {
			asked.push(choice);
			return source('camera');
		},
		openScreen: async () => source('screen'),
		openFile: async () => source('file'),
		listDevices: async () => ({ cameras: [{ id: 'c1', label: 'Camera 1' }], microphones: [] }),
		profiles: { steady: 'S', 'low-delay': 'L' },
		links: (id) => ({ watch: `w#${id}`, embed: `e#${id}` }),
	};
});

afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

async function studio(): Promise<Studio> {
	const made = new Studio(parts);
	await made.open();
	return made;
}

test('the page opens with a link and asks for no permission', async () => {
	const page = await studio();
	expect(page.links?.watch).toBe(`w#${broadcaster.channel.id}`);
	expect(asked).toEqual([]);
	expect(page.words.what).toBe('Choose what to show.');
});

test('a chosen camera is shown before anything is sent', async () => {
	const page = await studio();
	expect(await page.chooseCamera()).toBe(true);
	expect(page.source).toBe(opened[0]);
	expect(page.words.what).toBe('Ready.');
	expect(broadcaster.calls).toEqual([]);
	await vi.waitFor(() => expect(page.cameras).toHaveLength(1));
});

test('going live without a source asks for the camera first', async () => {
	const page = await studio();
	await page.goLive();
	expect(asked).toHaveLength(1);
	expect(broadcaster.calls).toEqual(['goLive']);
	expect(page.live).toBe(true);
});

test('a file begins at its start when it goes live, also when it has ended in the preview', async () => {
	const page = await studio();
	const file = new File([], 'a.mp4');
	await page.chooseFile(file);
	opened[0]?.onended?.('finished');
	expect(page.notice).toBeUndefined();
	expect(page.words.what).toBe('Ready.');
	await page.goLive();
	expect(asked).toEqual([]);
	expect(opened.map(({ kind }) => kind)).toEqual(['file', 'file']);
	expect(page.live).toBe(true);
	await page.stop();
	await page.goLive();
	expect(opened.map(({ closed }) => closed)).toEqual([true, true, false]);
});

test('a screen that was shared and stopped is asked for again, not the camera', async () => {
	const page = await studio();
	await page.chooseScreen();
	opened[0]?.onended?.('stopped');
	await page.goLive();
	expect(asked).toEqual([]);
	expect(opened.map(({ kind }) => kind)).toEqual(['screen', 'screen']);
});

test('a second source replaces the first on air and off, and the first is let go', async () => {
	const page = await studio();
	await page.chooseCamera();
	await page.chooseScreen();
	expect(opened.map((source) => source.closed)).toEqual([true, false]);
	await page.goLive();
	await page.chooseFile(new File([], 'a.mp4'));
	expect(broadcaster.calls).toEqual(['goLive', 'setSource']);
	expect(opened.map((source) => source.closed)).toEqual([true, true, false]);
	expect(page.kind).toBe('file');
});

test('the last choice wins when two are under way', async () => {
	const page = await studio();
	let finish = (_: SourceDouble) => {};
	parts.openCamera = () => new Promise((resolve) => (finish = resolve));
	const slow = page.chooseCamera();
	await page.chooseScreen();
	const late = new SourceDouble('camera', 'late');
	finish(late);
	expect(await slow).toBe(false);
	expect(late.closed).toBe(true);
	expect(page.source).toBe(opened[0]);
	expect(page.choosing).toBe(false);
});

describe('when something is wrong', () => {
	test('a refused camera is told and nothing goes live', async () => {
		parts.openCamera = failing('capture-denied');
		const page = await studio();
		await page.goLive();
		expect(page.notice).toBe(ERROR_WORDS['capture-denied']);
		expect(broadcaster.calls).toEqual([]);
		expect(page.busy).toBe(false);
	});

	test('a failed change leaves what was on air as it was', async () => {
		const page = await studio();
		await page.chooseCamera();
		await page.goLive();
		parts.openFile = failing('bad-file');
		expect(await page.chooseFile(new File([], 'a.txt'))).toBe(false);
		expect(page.notice).toBe(ERROR_WORDS['bad-file']);
		expect(page.kind).toBe('camera');
		expect(page.source).toBe(opened[0]);
		expect(opened[0]?.closed).toBe(false);
	});

	test('a source that the broadcast doesn’t take is let go, and what was on air goes on', async () => {
		const page = await studio();
		await page.chooseCamera();
		await page.goLive();
		broadcaster.setSource = failing('encoder-failed');
		expect(await page.chooseScreen()).toBe(false);
		expect(opened.map(({ closed }) => closed)).toEqual([false, true]);
		expect(page.source).toBe(opened[0]);
		expect(page.notice).toBe(ERROR_WORDS['encoder-failed']);
	});

	test('of two sources that are taken one after the other none stays open behind the second', async () => {
		const page = await studio();
		await page.chooseCamera();
		await page.goLive();
		let take = () => {};
		broadcaster.setSource = () => new Promise((resolve) => (take = resolve));
		const first = page.chooseScreen();
		await vi.waitFor(() => expect(opened).toHaveLength(2));
		const takeFirst = take;
		const second = page.chooseFile(new File([], 'a.mp4'));
		await vi.waitFor(() => expect(take).not.toBe(takeFirst));
		takeFirst();
		await first;
		take();
		expect(await second).toBe(true);
		expect(page.source).toBe(opened[2]);
		expect(opened.map(({ closed }) => closed)).toEqual([true, true, false]);
	});

	test('a channel that can’t be opened is told, and tried again on the next press', async () => {
		const good = parts.openBroadcaster;
		parts.openBroadcaster = failing('storage-failed');
		const page = await studio();
		expect(page.notice).toBe(ERROR_WORDS['storage-failed']);
		parts.openBroadcaster = good;
		await page.goLive();
		expect(page.live).toBe(true);
		expect(page.notice).toBeUndefined();
	});

	test('being live in another tab is told', async () => {
		const page = await studio();
		broadcaster.goLive = failing('already-live');
		await page.goLive();
		expect(page.notice).toBe(ERROR_WORDS['already-live']);
		expect(page.live).toBe(false);
	});

	test('an unplugged camera is told until another source is chosen', async () => {
		const page = await studio();
		await page.goLive();
		opened[0]?.onended?.('unplugged');
		expect(page.notice).toBe(SOURCE_END_WORDS.unplugged);
		expect(page.source).toBeUndefined();
		await page.chooseScreen();
		expect(page.notice).toBeUndefined();
	});

	test('the loss of every tracker is told, of one of two not', async () => {
		const page = await studio();
		await page.goLive();
		const lost = { url: 'wss://a', state: 'retrying' } as const;
		broadcaster.tell({ trackers: [lost, { url: 'wss://b', state: 'open' }] });
		expect(page.notice).toBeUndefined();
		broadcaster.tell({ trackers: [lost, lost] });
		expect(page.notice).toBe(TRACKER_LOST);
		const refusing = { url: 'wss://c', state: 'open', lastError: 'a token is needed' } as const;
		broadcaster.tell({ trackers: [lost, refusing] });
		expect(page.notice?.why).toContain('“a token is needed”');
		// That nobody can join is worse than what goes on all the same.
		broadcaster.tell({ trackers: [lost], encoder: { isOverloaded: true } });
		expect(page.notice).toBe(TRACKER_LOST);
	});

	test('how a source ended is not covered by what the encoder finds out of it', async () => {
		const page = await studio();
		await page.chooseScreen();
		await page.goLive();
		opened[0]?.onended?.('stopped');
		broadcaster.say('warning', { code: 'source-lost', detail: '' });
		broadcaster.say('warning', { code: 'no-audio', detail: '' });
		expect(page.notice).toBe(SOURCE_END_WORDS.stopped);
	});

	test('no alarm is raised of what was chosen so', async () => {
		const page = await studio();
		parts.openCamera = async () => new SourceDouble('camera', 'none', {} as MediaStream, false);
		await page.setDevices(NO_DEVICE, '');
		await page.goLive();
		broadcaster.say('warning', { code: 'source-lost', detail: '' });
		expect(page.notice).toBeUndefined();
		parts.openCamera = async () => new SourceDouble('camera', 'camera');
		await page.setDevices('', NO_DEVICE);
		broadcaster.say('warning', { code: 'no-audio', detail: '' });
		expect(page.notice).toBeUndefined();
		await page.setDevices('', '');
		broadcaster.say('warning', { code: 'no-audio', detail: '' });
		expect(page.notice).toBe(WARNING_WORDS['no-audio']);
	});

	test('warnings that people can act on are told, others are not', async () => {
		const page = await studio();
		await page.goLive();
		broadcaster.say('warning', { code: 'resized', detail: '' });
		expect(page.notice).toBeUndefined();
		broadcaster.say('warning', { code: 'source-lost', detail: '' });
		expect(page.notice).toBe(WARNING_WORDS['source-lost']);
	});

	test('a busy computer and another device on the channel are told for as long as they last', async () => {
		const page = await studio();
		await page.goLive();
		broadcaster.tell({ encoder: { isOverloaded: true } });
		expect(page.notice).toBe(OVERLOADED);
		broadcaster.tell({ encoder: { isOverloaded: false } });
		expect(page.notice).toBeUndefined();
		broadcaster.tell({ isForked: true });
		expect(page.notice).toBe(FORKED);
		await page.chooseScreen();
		expect(page.notice).toBe(FORKED);
		await page.stop();
		expect(page.notice).toBeUndefined();
		await page.goLive();
		expect(page.notice).toBeUndefined();
	});
});

test('leaving while on air needs a second thought', async () => {
	const page = await studio();
	const leave = () => !browser.dispatchEvent(new Event('beforeunload', { cancelable: true }));
	expect(leave()).toBe(false);
	await page.goLive();
	expect(leave()).toBe(true);
	await page.stop();
	expect(leave()).toBe(false);
	expect(page.words.what).toBe('The broadcast has ended.');
});

test('devices, title and pace outlast the visit', async () => {
	const page = await studio();
	await page.setDevices('c1', NO_DEVICE);
	expect(asked).toEqual([{ video: true, audio: false, videoDeviceId: 'c1' }]);
	page.setTitle('Har');
	page.setTitle('Harbour');
	vi.advanceTimersByTime(1000);
	page.setPace('low-delay');
	expect(broadcaster.calls).toEqual(['setTitle Harbour', 'setProfile']);
	await page.close();
	const again = new Studio(parts);
	expect([again.title, again.pace, again.cameraId, again.microphoneId]).toEqual([
		'Harbour',
		'low-delay',
		'c1',
		NO_DEVICE,
	]);
});

test('a choice is kept only once it has worked', async () => {
	const page = await studio();
	await page.setDevices('c1', 'm1');
	parts.openCamera = failing('device-failed');
	expect(await page.setDevices('c2', 'm1')).toBe(false);
	expect([page.cameraId, kept.get('shoal.camera')]).toEqual(['c1', 'c1']);
	expect(page.source).toBe(opened[0]);
});

test('a device that is gone is told, gives way to the browser’s choice, and is remembered all the same', async () => {
	kept.set('shoal.camera', 'gone');
	parts.openCamera = async (choice) => {
		asked.push(choice);
		const source = new SourceDouble('camera', 'camera');
		if (choice.videoDeviceId === 'gone') source.absent = ['camera'];
		return source;
	};
	const page = await studio();
	expect(await page.chooseCamera()).toBe(true);
	expect(page.notice).toEqual(absentWords(['camera']));
	expect([page.cameraId, kept.get('shoal.camera')]).toEqual(['', 'gone']);
	await page.setDevices('c1', '');
	expect(page.notice).toBeUndefined();
	expect(kept.get('shoal.camera')).toBe('c1');
});

test('the uplink of one broadcast is what the next visit begins with', async () => {
	const page = await studio();
	broadcaster.say('stats', { ...STATS, uplinkBps: 12_000_000 });
	await page.close();
	const open = vi.fn(parts.openBroadcaster);
	await new Studio({ ...parts, openBroadcaster: open }).open();
	expect(open).toHaveBeenCalledExactlyOnceWith({
		profile: 'S',
		title: '',
		uplinkGuessBps: 12_000_000,
	});
});

test('closing lets go of source and channel, once', async () => {
	const page = await studio();
	await page.chooseCamera();
	await page.close();
	await page.close();
	expect(opened[0]?.closed).toBe(true);
	expect(broadcaster.calls).toEqual(['close']);
});
