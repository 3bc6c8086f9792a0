import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Peer from '@thaunknown/simple-peer/lite.js';
import MemoryChunkStore from 'memory-chunk-store';
import type { Torrent } from 'webtorrent';
import WebTorrent from 'webtorrent';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunningServer } from '../../../tracker-server/server.ts';
import { startServer } from '../../../tracker-server/server.ts';
import type { Bencoded } from '../model/bencode.ts';
import { encodeBencode } from '../model/bencode.ts';
import { toHex, utf8 } from '../util/bytes.ts';
import type { TorrentStatus } from './status.ts';
import { TorrentEngine } from './torrent-engine.ts';
import type { TorrentEngineOptions } from './torrent-engine.ts';
import { makeTorrent, makerFile } from './torrent-maker.ts';

let server: RunningServer;
let folder: string;
beforeAll(async () => {
	server = await startServer();
	folder = await mkdtemp(join(tmpdir(), 'shoal-torrents-'));
});
afterAll(async () => {
	await server.close();
	await rm(folder, { recursive: true });
});

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	await Promise.all(open.splice(0).map((close) => close()));
});

let clients = 0;
/** In one process every client needs a tracker address of its own: sockets are shared by address. */
function trackerUrl(): string {
	return `${server.announceUrl}?client=${++clients}`;
}

async function engine(options: TorrentEngineOptions = {}): Promise<TorrentEngine> {
	const opened = await TorrentEngine.open({
		trackers: [trackerUrl()],
		storeFor: () => MemoryChunkStore,
		statusMs: 50,
		...options,
	});
	open.push(() => opened.close());
	return opened;
}

function noise(length: number): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(length);
	for (let at = 0; at < length; at += 65536) {
		crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + 65536)));
	}
	return bytes;
}

/** A folder on disk, and the torrent of it. */
async function shared(files: Record<string, Uint8Array<ArrayBuffer>>) {
	const home = await mkdtemp(join(folder, 'seed-'));
	const name = `share ${++clients}`;
	await mkdir(join(home, name));
	for (const [file, bytes] of Object.entries(files)) {
		await writeFile(join(home, name, file), bytes);
	}
	const made = await makeTorrent(
		Object.entries(files).map(([file, bytes]) => makerFile(`${name}/${file}`, new Blob([bytes]))),
		{ pieceLength: 16384 },
	);
	return { ...made, home, name };
}

async function seed(share: { torrentFile: Uint8Array; home: string }): Promise<TorrentEngine> {
	const seeder = await engine({ storeFor: () => undefined, path: share.home });
	await seeder.add(share.torrentFile);
	return seeder;
}

function until(from: TorrentEngine, infoHash: string, test: (status: TorrentStatus) => boolean) {
	return vi.waitFor(
		() => {
			const status = from.status(infoHash);
			if (!test(status)) throw new Error(`not yet: ${JSON.stringify(status)}`);
			return status;
		},
		{ timeout: 20_000, interval: 50 },
	);
}

async function readAll(from: TorrentEngine, infoHash: string, index: number): Promise<Uint8Array> {
	const parts: Uint8Array[] = [];
	for (let at = 0; ;) {
		const part = await from.read(infoHash, index, at, 100_000);
		if (part.length === 0) return Buffer.concat(parts);
		parts.push(part);
		at += part.length;
	}
}

describe('an engine', () => {
	it('fetches by infohash alone what another seeds, and tells everything about it', async () => {
		const files = { 'a.bin': noise(100_000), 'b.bin': noise(50_001), empty: new Uint8Array() };
		const share = await shared(files);
		const { infoHash } = share.metainfo;
		const seeder = await seed(share);
		await until(seeder, infoHash, (status) => status.activity === 'seeding');

		const leecher = await engine();
		const complete = new Promise((resolve) => leecher.once('complete', resolve));
		const { already, status } = await leecher.add(infoHash);
		expect(already).toBe(false);
		expect(status).toMatchObject({ activity: 'describing', name: infoHash, progress: 0 });
		await complete;

		const done = await until(
			leecher,
			infoHash,
			(now) => now.progress === 1 && now.trackers[0]?.state === 'answered',
		);
		expect(done).toMatchObject({
			name: share.name,
			activity: 'seeding',
			lengthBytes: 150_001,
			wantedBytes: 150_001,
			doneBytes: 150_001,
			timeLeftMs: 0,
			peers: 1,
			seeds: 1,
			copies: 1,
			wastedBytes: 0,
			pieces: { total: 10, verified: 10, partial: 0, failed: 0, lengthBytes: 16384 },
			fileCount: 3,
		});
		expect(done.downloadedBytes).toBeGreaterThanOrEqual(150_001);
		expect(seeder.status(infoHash).uploadedBytes).toBeGreaterThanOrEqual(150_001);
		const contents = Object.values(files);
		for (const [index, bytes] of contents.entries()) {
			expect(Buffer.compare(await readAll(leecher, infoHash, index), bytes)).toBe(0);
		}
		expect(Buffer.from(leecher.torrentFile(infoHash) ?? [])).toEqual(
			expect.objectContaining({ length: expect.any(Number) as number }),
		);
	});

	it('connects without waiting for what Node’s WebRTC never says', async () => {
		const share = await shared({ a: noise(20_000) });
		const { infoHash } = share.metainfo;
		const seeder = await seed(share);
		await until(seeder, infoHash, (status) => status.trackers[0]?.state === 'answered');
		const leecher = await engine();
		// What simple-peer says when it has waited for 5 s, with each offer and each answer.
		const said = vi.spyOn(Peer.prototype, 'emit');
		try {
			await leecher.add(infoHash);
			await until(leecher, infoHash, (status) => status.progress === 1);
			const events = said.mock.calls.map(([event]) => event);
			expect(events).toContain('_iceComplete');
			expect(events).not.toContain('iceTimeout');
		} finally {
			said.mockRestore();
		}
	});

	it('tells the second adder that the torrent is there, and how it is doing', async () => {
		const share = await shared({ a: noise(20_000) });
		const one = await engine();
		const [first, second] = await Promise.all([
			one.add(share.torrentFile),
			one.add(share.metainfo.infoHash),
		]);
		expect([first.already, second.already].sort()).toEqual([false, true]);
		// Whoever came first: one of the two knew what is in it.
		await until(one, share.metainfo.infoHash, (status) => status.name === share.name);
		const third = await one.add(`magnet:?xt=urn:btih:${share.metainfo.infoHash}`);
		expect(third).toMatchObject({ already: true, status: { name: share.name, fileCount: 1 } });
	});

	it('fetches only the files that are wanted', async () => {
		const files = { 'a.bin': noise(64 * 1024), 'b.bin': noise(64 * 1024), 'c.bin': noise(5) };
		const share = await shared(files);
		const { infoHash } = share.metainfo;
		await seed(share);
		const leecher = await engine();
		await leecher.add(share.torrentFile, { priorities: [[0, 'off']] });
		await until(leecher, infoHash, (status) => status.activity === 'seeding');
		expect(leecher.status(infoHash)).toMatchObject({ wantedBytes: 64 * 1024 + 5, progress: 1 });
		expect(leecher.files(infoHash).map((file) => [file.done, file.priority])).toEqual([
			[false, 'off'],
			[true, 'normal'],
			[true, 'normal'],
		]);
		leecher.setPriorities(infoHash, [[0, 'high']]);
		await until(leecher, infoHash, (status) => status.doneBytes === 128 * 1024 + 5);
	});

	it('stops exchange when paused, and goes on when resumed', async () => {
		const share = await shared({ a: noise(400_000) });
		const { infoHash } = share.metainfo;
		const seeder = await seed(share);
		await until(seeder, infoHash, (status) => status.activity === 'seeding');
		const leecher = await engine({ downloadLimitBps: 800_000 });
		await leecher.add(infoHash);
		await until(leecher, infoHash, (status) => status.pieces.verified > 0);
		leecher.pause(infoHash);
		const paused = await until(leecher, infoHash, (status) => status.peers === 0);
		expect(paused).toMatchObject({ activity: 'paused', downloadBps: 0 });
		await new Promise((resolve) => setTimeout(resolve, 600));
		const later = leecher.status(infoHash);
		expect(later.peers).toBe(0);
		expect(later.doneBytes).toBeLessThan(400_000);
		leecher.setLimits({});
		await leecher.resume(infoHash);
		await until(leecher, infoHash, (status) => status.progress === 1);
	});

	it('checks what is there already, and fetches only the rest', async () => {
		const bytes = noise(160_000);
		const share = await shared({ a: bytes });
		const { infoHash } = share.metainfo;
		await seed(share);
		const home = await mkdtemp(join(folder, 'resume-'));
		const damaged = bytes.slice();
		damaged[100_000] = (damaged[100_000] ?? 0) ^ 1;
		await mkdir(join(home, share.name));
		await writeFile(join(home, share.name, 'a'), damaged);
		const leecher = await engine({ storeFor: () => undefined, path: home });
		await leecher.add(share.torrentFile);
		const done = await until(leecher, infoHash, (status) => status.progress === 1);
		expect(done.downloadedBytes).toBe(16384);
		expect(Buffer.compare(await readFile(join(home, share.name, 'a')), bytes)).toBe(0);
	});

	it('counts pieces that come in wrong, and gets them from elsewhere', async () => {
		const bytes = noise(64 * 1024);
		const share = await shared({ a: bytes });
		const { infoHash } = share.metainfo;
		// A stock client that believes it holds the torrent, and gives out rubbish.
		const liar = new WebTorrent({ dht: false, lsd: false, natUpnp: false, natPmp: false });
		open.push(() => new Promise<void>((resolve) => liar.destroy(resolve)));
		const store = rubbish(new MemoryChunkStore(16384, { files: [], length: 64 * 1024 }));
		liar.add(share.torrentFile, {
			announce: [trackerUrl()],
			store: function Rubbish() {
				return store;
			} as unknown as typeof MemoryChunkStore,
			skipVerify: true,
		});
		const leecher = await engine();
		await leecher.add(share.torrentFile);
		await until(leecher, infoHash, (status) => status.pieces.failed > 0);
		expect(leecher.status(infoHash).wastedBytes).toBeGreaterThan(0);
		await new Promise<void>((resolve) => liar.torrents[0]?.destroy({}, resolve));
		await seed(share);
		await until(leecher, infoHash, (status) => status.progress === 1);
		expect(Buffer.compare(await readAll(leecher, infoHash, 0), bytes)).toBe(0);
	});

	it('says when a store fails, keeps what it has, and tries again when told', async () => {
		const share = await shared({ a: noise(160_000) });
		const { infoHash } = share.metainfo;
		await seed(share);
		let room = 3;
		const kept = new MemoryChunkStore(16384, { files: [], length: 160_000 });
		const put = kept.put.bind(kept);
		kept.put = (index, bytes, done) => {
			const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
			if (room-- > 0) put(index, bytes, done);
			else queueMicrotask(() => done?.(full));
		};
		kept.close = (done) => done?.(null);
		const leecher = await engine({
			storeFor: () =>
				function Kept() {
					return kept;
				} as unknown as typeof MemoryChunkStore,
		});
		const failed = new Promise((resolve) => leecher.once('failed', resolve));
		await leecher.add(infoHash);
		await failed;
		expect(leecher.status(infoHash)).toMatchObject({
			activity: 'failed',
			failure: { code: 'storage-failed', message: expect.stringMatching(/full/) as string },
		});
		room = Infinity;
		await leecher.resume(infoHash);
		const done = await until(leecher, infoHash, (status) => status.progress === 1);
		expect(done.failure).toBeUndefined();
		expect(done.downloadedBytes).toBeLessThan(2 * 160_000);
	});

	it('does not believe a description that names files outside the folder', async () => {
		const { hostile, infoHash } = await hostileTorrent();
		const seeder = new WebTorrent({ dht: false, lsd: false, natUpnp: false, natPmp: false });
		open.push(() => new Promise<void>((resolve) => seeder.destroy(resolve)));
		seeder.add(hostile, { announce: [trackerUrl()], store: MemoryChunkStore, skipVerify: true });
		const leecher = await engine({ storeFor: () => undefined, path: folder });
		const failed = new Promise((resolve) => leecher.once('failed', resolve));
		await leecher.add(infoHash);
		await failed;
		expect(leecher.status(infoHash)).toMatchObject({
			activity: 'failed',
			failure: { code: 'bad-torrent', message: expect.stringMatching(/outside/) as string },
		});
		await expect(leecher.add(hostile)).rejects.toThrow(/outside/);
	});

	it('gives to and takes from a stock client', async () => {
		const bytes = noise(80_000);
		const share = await shared({ a: bytes });
		const { infoHash } = share.metainfo;
		const seeder = await seed(share);
		await until(seeder, infoHash, (status) => status.activity === 'seeding');
		const stock = new WebTorrent({ dht: false, lsd: false, natUpnp: false, natPmp: false });
		open.push(() => new Promise<void>((resolve) => stock.destroy(resolve)));
		const fetched = await new Promise<Torrent>((resolve) => {
			const torrent = stock.add(infoHash, { announce: [trackerUrl()], store: MemoryChunkStore });
			torrent.once('done', () => resolve(torrent));
		});
		await seeder.close();
		const leecher = await engine();
		await leecher.add(infoHash);
		await until(leecher, infoHash, (status) => status.progress === 1);
		expect(fetched.uploaded).toBeGreaterThanOrEqual(80_000);
		expect(Buffer.compare(await readAll(leecher, infoHash, 0), bytes)).toBe(0);
	});

	it('says which trackers did not answer', async () => {
		const share = await shared({ a: noise(20_000) });
		const dead = 'ws://127.0.0.1:1/announce';
		const one = await engine({ trackers: [trackerUrl(), dead] });
		await one.add(share.torrentFile);
		const status = await until(one, share.metainfo.infoHash, ({ trackers }) =>
			[...trackers, undefined]
				.slice(0, 2)
				.every((tracker) => tracker && tracker.state !== 'asking'),
		);
		expect(status.trackers.map((tracker) => tracker.state)).toEqual(['answered', 'failed']);
	});

	it('forgets what is removed, and deletes its data only when told', async () => {
		const bytes = noise(20_000);
		const share = await shared({ a: bytes });
		const { infoHash } = share.metainfo;
		const seeder = await seed(share);
		await until(seeder, infoHash, (status) => status.activity === 'seeding');
		await seeder.remove(infoHash);
		expect(() => seeder.status(infoHash)).toThrow(/not in the list/);
		expect((await readFile(join(share.home, share.name, 'a'))).length).toBe(20_000);
		await seeder.add(share.torrentFile);
		await until(seeder, infoHash, (status) => status.activity === 'seeding');
		await seeder.remove(infoHash, { data: true });
		await expect(readFile(join(share.home, share.name, 'a'))).rejects.toThrow(/ENOENT/);
	});

	it('can be closed twice, and takes nothing afterwards', async () => {
		const one = await engine();
		await Promise.all([one.close(), one.close()]);
		await expect(one.add('dd8255ecdc7ca55fb0bbf81323d87062db1f6d1c')).rejects.toMatchObject({
			code: 'closed',
		});
	});
});

/** A store whose every read gives other bytes than were put. */
function rubbish(store: InstanceType<typeof MemoryChunkStore>) {
	store.get = (_index, given, taker) => {
		const [range, done] = typeof given === 'function' ? [undefined, given] : [given, taker];
		queueMicrotask(() => done?.(null, new Uint8Array(range?.length ?? 16384)));
	};
	return store;
}

/** A torrent with `../` in it, and the infohash that a magnet link would carry. */
async function hostileTorrent() {
	const info = new Map<string, Bencoded>([
		['name', utf8('harmless')],
		['piece length', 16384],
		['pieces', new Uint8Array(20)],
		[
			'files',
			[
				new Map<string, number | Uint8Array[]>([
					['length', 10],
					['path', [utf8('..'), utf8('x')]],
				]),
			],
		],
	]);
	const hash = await crypto.subtle.digest('SHA-1', encodeBencode(info));
	const hostile = encodeBencode(new Map([['info', info]]));
	return { hostile, infoHash: toHex(new Uint8Array(hash)) };
}
