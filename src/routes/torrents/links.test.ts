import { describe, expect, it } from 'vitest';
import { resolveSource } from '../../lib/torrents/torrent-source.ts';
import { magnetHandler, shareLink } from './links.ts';

const infoHash = 'dd8255ecdc7ca55fb0bbf81323d87062db1f6d1c';
const magnet = `magnet:?xt=urn:btih:${infoHash}&tr=wss%3A%2F%2Fother.example%2Fannounce`;
const page = 'https://shoal.example/live/torrents/?x#y';

function tracker(url: string) {
	return { url, state: 'answered', detail: undefined, seeds: 1, peers: 0 } as const;
}

describe('a share link', () => {
	it('is the infohash where the site’s own tracker is enough', () => {
		const trackers = [tracker('wss://shoal.example/announce')];
		expect(shareLink({ infoHash, trackers, magnet }, page)).toBe(
			`https://shoal.example/live/torrents/#${infoHash}`,
		);
	});

	it('names other trackers, and comes back whole', async () => {
		const trackers = [tracker('wss://other.example/announce')];
		const link = shareLink({ infoHash, trackers, magnet }, page);
		expect(await resolveSource(link)).toMatchObject({
			infoHash,
			announce: ['wss://other.example/announce'],
		});
	});

	it('takes magnet links as the browser hands them over', async () => {
		const opened = magnetHandler(page).replace('%s', encodeURIComponent(magnet));
		expect((await resolveSource(opened)).infoHash).toBe(infoHash);
	});
});
