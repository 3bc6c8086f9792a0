import type { Command } from 'commander';
import type { TorrentPatron, TorrentStatus } from '../src/lib/index.ts';
import { TorrentService } from '../src/lib/index.ts';
import type { Output } from './output.ts';
import { plain, showRate, showTime } from './output.ts';
import type { SiteOptions } from './site.ts';
import { loadSite } from './site.ts';

/** Options of commands that exchange with others. */
export interface SessionOptions extends SiteOptions {
	readonly dht?: boolean;
	readonly upnp?: boolean;
	readonly downLimit?: string;
	readonly upLimit?: string;
}

/** Adds those options. */
export function sessionOptions(command: Command): Command {
	return command
		.option('--no-dht', 'find peers through trackers only')
		.option('--upnp', 'ask the router to let peers in')
		.option('--down-limit <mbit>', 'take at most so many Mbit/s')
		.option('--up-limit <mbit>', 'give at most so many Mbit/s');
}

/** An engine of this process with one user. Trackers of the site are added to every torrent that isn't private. */
export async function openPatron(
	options: SessionOptions,
	path: string,
	output: Output,
	need: { site: boolean },
): Promise<{ patron: TorrentPatron; trackers: readonly string[]; close(): Promise<void> }> {
	const config = await loadSite(options).catch((error: unknown) => {
		if (need.site) throw error;
		output.event('No site answers at --app; going by the torrent’s own trackers and the DHT');
		return { trackers: [], iceServers: [] };
	});
	const down = megabits(options.downLimit);
	const up = megabits(options.upLimit);
	const service = new TorrentService({
		trackers: config.trackers,
		iceServers: config.iceServers,
		path,
		network: {
			dht: options.dht ?? true,
			local: options.dht ?? true,
			upnp: options.upnp ?? false,
		},
		...(down !== undefined && { downloadLimitBps: down }),
		...(up !== undefined && { uploadLimitBps: up }),
	});
	const patron = await service.open();
	return { patron, trackers: config.trackers, close: () => service.close() };
}

/** One line of what a torrent is doing. */
export function describeStatus(status: TorrentStatus): string {
	const name = plain(status.name);
	const answered = status.trackers.filter(({ state }) => state === 'answered').length;
	const trackers = `${answered} of ${status.trackers.length} trackers answered`;
	switch (status.activity) {
		case 'describing':
			return `${name}: asking peers what is in it (${status.peers} connected, ${trackers})`;
		case 'checking':
			return `${name}: checking what is here`;
		case 'downloading': {
			const percent = (status.progress * 100).toFixed(1);
			const left = status.timeLeftMs === undefined ? '' : `, ${showTime(status.timeLeftMs)} left`;
			const rate = showRate(status.downloadBps);
			return `${name}: ${percent} % at ${rate} from ${status.peers} peers${left} (${trackers})`;
		}
		case 'seeding':
			return `${name}: shared with ${status.peers} peers at ${showRate(status.uploadBps)} (${trackers})`;
		case 'paused':
			return `${name}: paused`;
		case 'failed':
			return `${name}: ${status.failure?.message ?? 'stopped'}`;
	}
}

/** What `--json` says of a status: all of it. */
export function jsonStatus(status: TorrentStatus): Record<string, unknown> {
	return { type: 'status', ...status };
}

function megabits(text: string | undefined): number | undefined {
	const value = Number(text);
	return text === undefined || !(value > 0) ? undefined : value * 1e6;
}
