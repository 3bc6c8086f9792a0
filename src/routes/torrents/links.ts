import type { TorrentStatus } from '../../lib/index.ts';

/** The link that opens a torrent on the page at `page`. Its host's own trackers are known there; others have to be named. */
export function shareLink(
	{ infoHash, trackers, magnet }: Pick<TorrentStatus, 'infoHash' | 'trackers' | 'magnet'>,
	page: string,
): string {
	const { host } = new URL(page);
	const own = trackers.every(({ url }) => URL.canParse(url) && new URL(url).host === host);
	return `${new URL('./', page).href}#${own ? infoHash : encodeURIComponent(magnet)}`;
}

/** The address that magnet links are handed to. */
export function magnetHandler(page: string): string {
	return `${new URL('./', page).href}#%s`;
}
