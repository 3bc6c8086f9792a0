import MemoryChunkStore from 'memory-chunk-store';
import { afterEach, describe, expect, it } from 'vitest';
import { makeTorrent, makerFile } from './torrent-maker.ts';
import { TorrentService } from './torrent-service.ts';

const services: TorrentService[] = [];
afterEach(async () => {
	await Promise.all(services.splice(0).map((service) => service.close()));
});

function service(): TorrentService {
	const made = new TorrentService({ storeFor: () => MemoryChunkStore, statusMs: 20 });
	services.push(made);
	return made;
}

async function torrent(text: string) {
	const { torrentFile, metainfo } = await makeTorrent([makerFile(text, new Blob([text]))]);
	return { torrentFile, infoHash: metainfo.infoHash };
}

describe('a patron', () => {
	it('sees its own torrents only', async () => {
		const shared = service();
		const [one, two] = await Promise.all([shared.open(), shared.open()]);
		const [a, b] = [await torrent('a'), await torrent('b')];
		const seen: string[] = [];
		two.on('status', ({ statuses }) => seen.push(...statuses.map((status) => status.infoHash)));
		await one.add(a.torrentFile);
		await two.add(b.torrentFile);
		expect((await one.list()).map((status) => status.infoHash)).toEqual([a.infoHash]);
		await expect.poll(() => seen).toContain(b.infoHash);
		expect(seen).not.toContain(a.infoHash);
		await expect(two.pause(a.infoHash)).rejects.toMatchObject({ code: 'bad-torrent' });
		await expect(two.remove(a.infoHash)).rejects.toMatchObject({ code: 'bad-torrent' });
	});

	it('gets the answer to its own request, however others fail', async () => {
		const one = await service().open();
		const [a, b] = [await torrent('a'), await torrent('b')];
		const answers = await Promise.allSettled([
			one.add('nonsense'),
			one.add(a.torrentFile),
			one.add(new Uint8Array(10)),
			one.add(b.torrentFile),
		]);
		expect(
			answers.map((answer) =>
				answer.status === 'fulfilled' ? answer.value.status.infoHash : 'refused',
			),
		).toEqual(['refused', a.infoHash, 'refused', b.infoHash]);
	});

	it('that adds what another has is told so, sees it, and keeps it when the other lets go', async () => {
		const shared = service();
		const [one, two] = await Promise.all([shared.open(), shared.open()]);
		const { torrentFile, infoHash } = await torrent('a');
		expect((await one.add(torrentFile)).already).toBe(false);
		expect(await two.add(infoHash)).toMatchObject({ already: true, status: { name: 'a' } });
		const removed = new Promise((resolve) => one.once('removed', resolve));
		await one.remove(infoHash);
		await removed;
		expect(await one.list()).toEqual([]);
		expect((await two.list()).map((status) => status.infoHash)).toEqual([infoHash]);
	});

	it('takes its torrents along when it closes, and no one else’s', async () => {
		const shared = service();
		const [one, two] = await Promise.all([shared.open(), shared.open()]);
		const [a, b] = [await torrent('a'), await torrent('b')];
		await one.add(a.torrentFile);
		await two.add(b.torrentFile);
		one.close();
		one.close();
		await expect(one.list()).rejects.toMatchObject({ code: 'closed' });
		expect((await two.add(a.torrentFile)).already).toBe(false);
		expect((await two.list()).length).toBe(2);
	});

	it('shares its list with the patrons of its owner', async () => {
		const shared = service();
		const [one, two] = await Promise.all([shared.open('page'), shared.open('page')]);
		const { torrentFile, infoHash } = await torrent('a');
		await one.add(torrentFile);
		expect((await two.list()).length).toBe(1);
		one.close();
		expect((await two.list()).length).toBe(1);
		await two.pause(infoHash);
		expect((await two.list())[0]?.activity).toBe('paused');
	});
});

describe('the service', () => {
	it('stops with its last patron, and starts again for the next', async () => {
		const shared = service();
		const one = await shared.open();
		const two = await shared.open();
		expect(shared.patrons).toBe(2);
		const { torrentFile } = await torrent('a');
		await one.add(torrentFile);
		one.close();
		two.close();
		// A patron that comes while it is stopping gets a whole engine all the same.
		const three = await shared.open();
		expect(await three.list()).toEqual([]);
		expect((await three.add(torrentFile)).already).toBe(false);
	});
});
