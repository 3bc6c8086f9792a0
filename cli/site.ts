import type { Command } from 'commander';
import type { SiteConfig } from '../src/lib/index.ts';
import { ShoalError, loadConfig } from '../src/lib/index.ts';
import { CliError, EXIT } from './cli-error.ts';
import { networkReason } from './network-reason.ts';

/** The site a command belongs to when nothing else says so. */
export const DEFAULT_APP = 'http://localhost:8000';

/** Options that say where trackers are learnt from. */
export interface SiteOptions {
	readonly app?: string;
	readonly tracker?: readonly string[];
}

/** Adds `--app` and `--tracker` to a command. */
export function siteOptions(command: Command): Command {
	return command
		.option('--app <url>', `the site that links point to (default: ${DEFAULT_APP})`)
		.option(
			'--tracker <url>',
			'announce here instead of where the site says; may be given more than once',
			collect,
			[],
		);
}

/** For options that may be given more than once. */
export function collect(value: string, before: readonly string[]): string[] {
	return [...before, value];
}

/** The site's address without a slash at the end: from `--app`, else the link's, else the default. */
export function siteOf(options: SiteOptions, link?: string): string {
	const given = options.app ?? originOf(link) ?? DEFAULT_APP;
	if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
		throw new CliError(EXIT.usage, `${given} is not the address of a site`);
	}
	return given.replace(/\/+$/, '');
}

/** Trackers and ICE servers of a site; `--tracker` overrides the first, and makes the site optional. */
export async function loadSite(options: SiteOptions, link?: string): Promise<SiteConfig> {
	const site = siteOf(options, link);
	const trackers = options.tracker ?? [];
	for (const url of trackers) {
		if (!/^(wss?|https?|udp):\/\/./.test(url)) {
			throw new CliError(EXIT.usage, `${url} is not a tracker's address`);
		}
	}
	try {
		const config = await loadConfig(`${site}/config.json`);
		return trackers.length > 0 ? { ...config, trackers } : config;
	} catch (cause) {
		if (trackers.length > 0) return { trackers, iceServers: [] };
		throw new CliError(
			EXIT.network,
			`No trackers known: ${unusable(cause, `${site}/config.json`)}. Is the site up (--app URL)? Or name a tracker with --tracker URL`,
			{ cause },
		);
	}
}

/** Why a configuration is of no use: it could not be had, or what was read is none. */
function unusable(error: unknown, url: string): string {
	const cause = error instanceof ShoalError ? error.cause : error;
	if (error instanceof ShoalError && (!cause || cause instanceof SyntaxError)) return error.message;
	return `${url} could not be read: ${networkReason(cause)}`;
}

/** The site part of a peer link: all before `watch/#…`; links may lie under a path. */
function originOf(link: string | undefined): string | undefined {
	if (!link || !/^https?:\/\//.test(link) || !URL.canParse(link)) return undefined;
	const url = new URL(link);
	return url.origin + url.pathname.replace(/\/(watch|embed|torrents)\/?$/, '');
}
