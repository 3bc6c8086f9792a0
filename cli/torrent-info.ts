import type { Command } from 'commander';
import { magnetOf, resolveSource } from '../src/lib/index.ts';
import { Output, plain, showBytes, showCount } from './output.ts';
import type { OutputOptions } from './output.ts';
import { readSource } from './torrent-source.ts';

/** `shoal torrent info`. */
export function addTorrentInfo(torrent: Command): void {
	torrent
		.command('info <source>')
		.description('show what is in a .torrent, a magnet link or an address')
		.option('--json', 'say it in JSON')
		.addHelpText(
			'after',
			`
Examples:
  $ shoal torrent info film.torrent
  $ shoal torrent info "magnet:?xt=urn:btih:…" --json`,
		)
		.action(async (given: string, options: OutputOptions) => {
			const source = await resolveSource(await readSource(given));
			const { metainfo, infoHash, name, announce } = source;
			const magnet = magnetOf({ infoHash, name, announce });
			const lines = [`Name       ${plain(name ?? 'unknown')}`, `Infohash   ${infoHash}`];
			if (metainfo) {
				const { lengthBytes, pieceLength, pieceCount } = metainfo;
				lines.push(
					`Size       ${showBytes(lengthBytes)} in ${showCount(metainfo.files.length, 'file')}`,
					`Pieces     ${pieceCount} of ${pieceLength / 1024} KiB`,
				);
				if (metainfo.private) lines.push('Private    peers from its trackers only');
				if (metainfo.comment) lines.push(`Comment    ${plain(metainfo.comment)}`);
				if (metainfo.createdBy) lines.push(`Made by    ${plain(metainfo.createdBy)}`);
				if (metainfo.createdAtMs !== undefined) {
					lines.push(`Made       ${new Date(metainfo.createdAtMs).toISOString()}`);
				}
			} else {
				lines.push('Files      known once a peer has sent the description');
			}
			for (const url of announce) lines.push(`Tracker    ${plain(url)}`);
			for (const url of source.webSeeds) lines.push(`Web seed   ${plain(url)}`);
			lines.push(`Magnet     ${magnet}`);
			for (const file of metainfo?.files ?? []) {
				lines.push(`  ${showBytes(file.lengthBytes).padStart(8)}  ${plain(file.path)}`);
			}
			const { torrentFile: _, ...plainSource } = source;
			new Output(options).result(lines.join('\n'), {
				type: 'info',
				...plainSource,
				...metainfo,
				metainfo: undefined,
				magnet,
			});
		});
}
