import { stat } from 'node:fs/promises';
import { type Output, showBytes } from './output.ts';
import { readDiskFiles } from './disk-files.ts';
import type { SiteOptions } from './site.ts';
import { loadSite, siteOf } from './site.ts';
import { describeMade, makeWithProgress, writeTorrent } from './torrent-make.ts';

/** Makes the torrent of a recorded broadcast, beside it, and tells how to go on sharing it. */
export async function writeArchiveTorrent(
	file: string,
	options: SiteOptions & { signal: AbortSignal; force?: boolean; link?: string },
	output: Output,
): Promise<void> {
	const { size } = await stat(file);
	if (size === 0) {
		output.warn(`${file} is empty: nothing was kept`);
		return;
	}
	const { trackers } = await loadSite(options, options.link).catch(() => ({
		trackers: options.tracker ?? [],
	}));
	const made = await makeWithProgress(
		await readDiskFiles(file),
		{ comment: 'A broadcast recorded with Shoal' },
		output,
		trackers,
		options.signal,
	).catch((error: unknown) => {
		if (!options.signal.aborted) throw error;
	});
	if (!made) {
		output.warn(`Kept ${showBytes(size)} in ${file}. Share it: shoal torrent seed ${file}`);
		return;
	}
	const torrent = `${file}.torrent`;
	await writeTorrent(torrent, made.torrentFile, options.force === true);
	const link = `${siteOf(options, options.link)}/watch/#${made.metainfo.infoHash}`;
	output.event(
		`Kept ${showBytes(size)} in ${file}, and ${torrent}.\nShare it: shoal torrent seed ${file}\nIts replay will be at ${link}`,
		describeMade(made, { type: 'archive', file, torrent, link }),
	);
}
