import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MAX_TORRENT_FILE_BYTES } from './metainfo.ts';
import { makeTorrent, makerFile } from './torrent-maker.ts';
import { magnetOf, resolveSource, sharedTorrent } from './torrent-source.ts';

const HASH = 'dd8255ecdc7ca55fb0bbf81323d87062db1f6d1c';
const BASE32 = '3wbfl3g4pssv7mf37ajshwdqmlnr63i4';

const cleanup: (() => void)[] = [];
afterEach(() => cleanup.splice(0).forEach((run) => run()));

async function site(answer: (path: string) => Uint8Array | number | 'endless'): Promise<string> {
	const server = createServer((request, response) => {
		const body = answer(request.url ?? '');
		if (typeof body === 'number') return response.writeHead(body).end();
		if (body !== 'endless') return response.end(body);
		const more = () => {
			while (response.write(new Uint8Array(1 << 20)));
		};
		response.on('drain', more);
		more();
		return undefined;
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	cleanup.push(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('what a person gives', () => {
	it('may be an infohash in hexadecimal or base32', async () => {
		expect((await resolveSource(HASH.toUpperCase())).infoHash).toBe(HASH);
		expect((await resolveSource(` ${BASE32}\n`)).infoHash).toBe(HASH);
	});

	it('may be a magnet link with trackers, a name and a choice of files', async () => {
		const link =
			`magnet:?xt=urn:btih:${HASH}&dn=A%20film&tr=wss%3A%2F%2Ft.example%2Fannounce` +
			`&tr=javascript%3Aalert(1)&ws=https%3A%2F%2Fw.example%2Ff&so=0,2,4-6`;
		expect(await resolveSource(link)).toMatchObject({
			infoHash: HASH,
			name: 'A film',
			announce: ['wss://t.example/announce'],
			webSeeds: ['https://w.example/f'],
			selected: [0, 2, 4, 5, 6],
		});
	});

	it('may name files over and over in a magnet link, and keeps nobody busy by it', async () => {
		const ranges = ['5-5', ...Array.from({ length: 1000 }, () => '0-99998'), '7-7'].join(',');
		const { selected } = await resolveSource(`magnet:?xt=urn:btih:${HASH}&so=${ranges}`);
		expect(selected?.length).toBe(99_999);
		// What is named after the first 100,000 is left out, so no more than these were looked at.
		const late = ['0-99998', '1-1', '100000-100000'].join(',');
		const more = await resolveSource(`magnet:?xt=urn:btih:${HASH}&so=${late}`);
		expect(more.selected).not.toContain(100_000);
	});

	it('survives the way through a magnet link', async () => {
		const torrent = { infoHash: HASH, name: 'a & b', announce: ['wss://t.example/announce?x=1'] };
		expect(await resolveSource(magnetOf(torrent))).toMatchObject(torrent);
	});

	it('may be a link to a torrents page', async () => {
		expect(sharedTorrent(`https://s.example/torrents/#${HASH}`)).toBe(HASH);
		expect((await resolveSource(`https://s.example/torrents/#${HASH}`)).infoHash).toBe(HASH);
		const magnet = magnetOf({ infoHash: HASH, name: 'x' });
		const shared = `https://s.example/torrents/#${encodeURIComponent(magnet)}`;
		expect(await resolveSource(shared)).toMatchObject({ infoHash: HASH, name: 'x' });
		expect(sharedTorrent('https://s.example/torrents/#about')).toBeUndefined();
	});

	it('may be the bytes of a torrent file, or the address of one', async () => {
		const made = await makeTorrent([makerFile('a.txt', new Blob(['hello']))]);
		expect((await resolveSource(made.torrentFile)).infoHash).toBe(made.metainfo.infoHash);
		const url = await site(() => made.torrentFile);
		expect((await resolveSource(`${url}/a.torrent`)).infoHash).toBe(made.metainfo.infoHash);
	});

	it.each([
		'',
		'hello',
		'magnet:',
		'magnet:?dn=x',
		`magnet:?xt=urn:btih:${HASH.slice(1)}`,
		'ftp://x.example/a.torrent',
		HASH.slice(1),
		'x'.repeat(100_000),
	])('is refused in words when it is no torrent (%#)', async (text) => {
		await expect(resolveSource(text)).rejects.toMatchObject({ code: 'bad-torrent' });
	});

	it('is refused when its address answers wrong, with something else, or without end', async () => {
		const url = await site((path) =>
			path === '/gone' ? 404 : path === '/endless' ? 'endless' : new Uint8Array(100),
		);
		await expect(resolveSource(`${url}/gone`)).rejects.toThrow(/404/);
		await expect(resolveSource(`${url}/other`)).rejects.toThrow(/not a torrent file/);
		await expect(resolveSource(`${url}/endless`)).rejects.toThrow(/far larger/);
		await expect(resolveSource('http://127.0.0.1:1/x')).rejects.toThrow(/could not be read/);
		await expect(resolveSource(new Uint8Array(MAX_TORRENT_FILE_BYTES + 1))).rejects.toThrow(
			/larger than/,
		);
	});
});
