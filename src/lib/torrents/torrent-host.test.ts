import MemoryChunkStore from 'memory-chunk-store';
import { expect, it } from 'vitest';
import type { HostMessage } from './service-message.ts';
import { TorrentEngine } from './torrent-engine.ts';
import { TorrentHost, type Keeping } from './torrent-host.ts';
import { makeTorrent, makerFile } from './torrent-maker.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A keeping as slow as a disk. */
function slowKeeping() {
	const saved = new Set<string>();
	const keeping: Keeping = {
		load: () => Promise.resolve([]),
		save: async ({ infoHash }) => {
			await pause(3);
			saved.add(infoHash);
		},
		forget: async (infoHash) => {
			await pause(3);
			saved.delete(infoHash);
		},
		seedStore: () => MemoryChunkStore,
		blob: () => Promise.resolve(undefined),
		sweep: () => Promise.resolve(),
	};
	return { keeping, saved };
}

it('a torrent that one owner adds while another lets go of it stays, and stays kept', async () => {
	const engine = await TorrentEngine.open({ storeFor: () => MemoryChunkStore });
	const { keeping, saved } = slowKeeping();
	const host = new TorrentHost(engine, keeping);
	const said: HostMessage[] = [];
	const send = (message: HostMessage) => void said.push(message);
	try {
		const { torrentFile, metainfo } = await makeTorrent([makerFile('a', new Blob(['a']))]);
		const { infoHash } = metainfo;
		for (const patron of ['one', 'two']) {
			host.receive({ type: 'hello', patron, owner: patron }, send);
		}
		const add = { op: 'add', source: torrentFile, options: {} } as const;
		host.receive({ type: 'request', patron: 'one', id: 1, call: add }, send);
		await expect.poll(() => saved.has(infoHash)).toBe(true);
		const remove = { op: 'remove', infoHash, data: true } as const;
		host.receive({ type: 'request', patron: 'one', id: 2, call: remove }, send);
		host.receive({ type: 'request', patron: 'two', id: 3, call: add }, send);
		await expect
			.poll(() => said.flatMap((message) => (message.type === 'done' ? [message.id] : [])).sort())
			.toEqual([1, 2, 3]);
		expect(engine.has(infoHash)).toBe(true);
		await expect.poll(() => saved.has(infoHash)).toBe(true);
	} finally {
		host.close();
		await engine.close();
	}
});
