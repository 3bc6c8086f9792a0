import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openSharedTorrents } from './shared-torrents.ts';
import { TorrentEngine } from './torrent-engine.ts';

/** Web Locks of a browser with one page: whoever asks has the lock. */
let leads: Promise<unknown>[] = [];
beforeEach(() => {
	leads = [];
	const request = (name: string, ...rest: unknown[]) => {
		const run = rest.at(-1) as () => Promise<unknown>;
		const held = Promise.resolve().then(run);
		if (name.endsWith('/host')) leads.push(held.catch(() => undefined));
		return held;
	};
	vi.stubGlobal('navigator', { storage: {}, locks: { request } });
	vi.stubGlobal(
		'Worker',
		class {
			postMessage = () => undefined;
		},
	);
});
afterEach(() => {
	vi.restoreAllMocks();
	vi.unstubAllGlobals();
});

it('an engine that starts for a page that has gone meanwhile is closed', async () => {
	let engine: TorrentEngine | undefined;
	const open = TorrentEngine.open.bind(TorrentEngine);
	let go: () => void = () => undefined;
	const gate = new Promise<void>((resolve) => (go = resolve));
	vi.spyOn(TorrentEngine, 'open').mockImplementation(async (options) => {
		await gate;
		return (engine = await open(options));
	});
	const patron = await openSharedTorrents('me', {});
	await vi.waitFor(() => expect(TorrentEngine.open).toHaveBeenCalledOnce());
	patron.close();
	go();
	await Promise.all(leads);
	await expect(engine?.add('ab'.repeat(20))).rejects.toMatchObject({ code: 'closed' });
});

it('a page says nothing before the lock that tells of its end is its own', async () => {
	const said: unknown[] = [];
	const other = new BroadcastChannel('shoal/torrents');
	other.onmessage = ({ data }: MessageEvent) => void said.push(data);
	let grant: () => void = () => undefined;
	const slow = new Promise<void>((resolve) => (grant = resolve));
	const request = (name: string, ...rest: unknown[]) => {
		const run = rest.at(-1) as () => Promise<unknown>;
		return name.includes('/patron/') ? slow.then(run) : new Promise(() => undefined);
	};
	vi.stubGlobal('navigator', { storage: {}, locks: { request } });
	const opening = openSharedTorrents('me', {});
	await new Promise((resolve) => setTimeout(resolve, 50));
	expect(said).toEqual([]);
	grant();
	const patron = await opening;
	await vi.waitFor(() => expect(said).toMatchObject([{ type: 'hello', patron: patron.id }]));
	patron.close();
	other.close();
});

it('a page is told when no engine can be started, and another is tried', async () => {
	vi.spyOn(TorrentEngine, 'open').mockRejectedValue(new Error('its code could not be had'));
	vi.useFakeTimers({ toFake: ['setTimeout'] });
	try {
		const patron = await openSharedTorrents('me', {});
		await expect(patron.list()).rejects.toMatchObject({ code: 'storage-failed' });
		const again = patron.list();
		const refused = expect(again).rejects.toMatchObject({ code: 'storage-failed' });
		await vi.advanceTimersByTimeAsync(5000);
		await refused;
		expect(TorrentEngine.open).toHaveBeenCalledTimes(2);
		patron.close();
	} finally {
		vi.useRealTimers();
	}
});
