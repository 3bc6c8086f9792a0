import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { CliError, EXIT } from './cli-error.ts';
import { Output } from './output.ts';
import type { OutputOptions } from './output.ts';
import { collect } from './site.ts';
import { aborted, stopSignal } from './until-stopped.ts';

/** The bundle lies in dist/node, the pages in dist/pages. */
const BUILT_PAGES = fileURLToPath(new URL('../pages', import.meta.url));

interface TrackerOptions extends OutputOptions {
	readonly host: string;
	readonly port: string;
	readonly trackerOnly?: boolean;
	readonly pages?: string;
	readonly ice: readonly string[];
}

/** `shoal tracker`. */
export function addTracker(program: Command): void {
	program
		.command('tracker')
		.description('run a tracker and serve the pages, on one port')
		.option('--host <address>', 'address to listen on', '0.0.0.0')
		.option('-p, --port <number>', 'port; 0 takes a free one', process.env.PORT ?? '8000')
		.option('--tracker-only', 'no pages')
		.option('--pages <folder>', 'other pages than the built-in ones')
		.option('--ice <url>', 'a STUN or TURN server told to the pages; repeatable', collect, [])
		.option('--json', 'say it in JSON')
		.option('-q, --quiet', 'say nothing but the address')
		.addHelpText(
			'after',
			`
For limits, metrics, several machines and all other settings: docs/tracker.md.

Examples:
  $ shoal tracker
  $ shoal tracker --port 8080 --ice stun:stun.example:3478
  $ shoal tracker --tracker-only --port 0 --json`,
		)
		.action(runTracker);
}

async function runTracker(options: TrackerOptions): Promise<void> {
	const output = new Output(options);
	const port = Number(options.port);
	if (!Number.isInteger(port) || port < 0 || port > 65535) {
		throw new CliError(
			EXIT.usage,
			`${options.port} is not a port: --port and the variable PORT take 0 to 65535`,
		);
	}
	const stopped = stopSignal();
	// Every other command does without the server, and its memory.
	const { startServer } = await import('../tracker-server/server.ts');
	const { StartError } = await import('../tracker-server/start-error.ts');
	const server = await startServer({
		host: options.host,
		port,
		iceServers: options.ice.map((urls) => ({ urls })),
		...(!options.trackerOnly && { pagesDir: options.pages ?? BUILT_PAGES }),
	}).catch((error: unknown) => {
		if (error instanceof StartError) throw new CliError(EXIT.failed, error.message);
		throw error;
	});
	try {
		const { announceUrl } = server;
		const url = server.url.replace('//0.0.0.0', '//localhost');
		output.result(options.trackerOnly ? announceUrl : `${url}/seed/`, {
			type: 'tracker',
			url,
			announceUrl: announceUrl.replace('//0.0.0.0', '//localhost'),
		});
		output.event('Press Ctrl-C to end.');
		await aborted(stopped);
	} finally {
		await server.close();
	}
}
