import type { Command } from 'commander';
import { Viewer } from '../src/lib/index.ts';
import { HlsChannel, feedHls, serveHls } from './hls.ts';
import { LONGEST_WINDOW_S, NODE_PEER } from './node-peer.ts';
import { between, megabits } from './option-values.ts';
import { Output, showCount, showRate } from './output.ts';
import type { OutputOptions } from './output.ts';
import type { SiteOptions } from './site.ts';
import { loadSite, siteOptions } from './site.ts';
import { aborted, stopSignal } from './until-stopped.ts';
import { sayStates } from './viewer-words.ts';

interface RelayOptions extends SiteOptions, OutputOptions {
	/** Bits per second. */
	readonly upLimit?: number;
	/** Seconds. */
	readonly window: number;
	readonly http?: string;
}

const SECOND_MS = 1_000;

/** `shoal relay`. */
export function addRelay(program: Command): void {
	siteOptions(
		program
			.command('relay <links...>')
			.description('add capacity to channels: fetch and pass on, show nothing'),
	)
		.option('--up-limit <mbit>', 'pass on at most so many Mbit/s, all channels together', megabits)
		.option(
			'--window <seconds>',
			'hold and serve the last so many seconds, of 2,048 segments at most',
			between(2, LONGEST_WINDOW_S, 'seconds'),
			60,
		)
		.option('--http <port>', 'serve the channels as HLS too; PORT or HOST:PORT')
		.option('--json', 'say it in JSON, one object a line')
		.option('-q, --quiet', 'say nothing but faults')
		.addHelpText(
			'after',
			`
Examples:
  $ shoal relay "https://shoal.example/watch/#…"
  $ shoal relay LINK1 LINK2 --up-limit 50 --window 300
  $ shoal relay LINK --http 0.0.0.0:8090        (HLS at http://…:8090/live.m3u8)`,
		)
		.action(relay);
}

async function relay(links: string[], options: RelayOptions): Promise<void> {
	const output = new Output(options);
	const stopped = stopSignal();
	const windowMs = options.window * 1000;
	const viewers: Viewer[] = [];
	const undo: (() => unknown)[] = [];
	try {
		for (const link of links) {
			const viewer = new Viewer(link, {
				config: await loadSite(options, link),
				role: 'relay',
				dvrMs: windowMs,
				...NODE_PEER,
				maxUploadBps: options.upLimit && options.upLimit / links.length,
			});
			viewers.push(viewer);
			undo.push(() => viewer.close());
		}
		if (options.http) {
			const channels = new Map(
				viewers.map(({ channel }) => [channel.id, new HlsChannel(windowMs)]),
			);
			const server = await serveHls(channels, options.http);
			undo.push(() => server.close());
			output.result(`${server.url}/live.m3u8`, { type: 'serving', url: server.url });
			for (const viewer of viewers) {
				const channel = channels.get(viewer.channel.id);
				if (channel) void keepFeeding(viewer, channel, stopped);
			}
		}
		sayStates(viewers, output, { named: true });
		for (const viewer of viewers) await viewer.open();
		const timer = setInterval(() => report(viewers, output), SECOND_MS);
		undo.push(() => clearInterval(timer));
		await aborted(stopped);
	} finally {
		for (const step of undo.reverse()) await step();
	}
}

/** A broadcast that ends may be followed by another on the channel. */
async function keepFeeding(
	viewer: Viewer,
	channel: HlsChannel,
	stopped: AbortSignal,
): Promise<void> {
	while (!stopped.aborted) {
		await feedHls(viewer, channel);
		await new Promise((resolve) => setTimeout(resolve, SECOND_MS));
	}
}

function report(viewers: readonly Viewer[], output: Output): void {
	let up = 0;
	let links = 0;
	for (const { stats, channel } of viewers) {
		up += stats.uploadBps;
		links += stats.links;
		if (!output.json) continue;
		const { uploadBps, downloadBps, windowBytes, segments, segmentsLost } = stats;
		output.event('', {
			type: 'stats',
			channel: channel.id,
			links: stats.links,
			uploadBps,
			downloadBps,
			windowBytes,
			segments,
			segmentsLost,
		});
	}
	output.progress(
		`${showCount(viewers.length, 'channel')} · ${showCount(links, 'link')} · passing on ${showRate(up)}`,
	);
}
