import { fileURLToPath } from 'node:url';

import { programLog } from './program-log.ts';
import { helpText, readSettings } from './read-settings.ts';
import { startServer } from './server.ts';
import type { RunningServer, ServerOptions } from './server.ts';
import type { Settings } from './settings.ts';
import { StartError } from './start-error.ts';

const defaultPort = 8000;
/** The bundle lies in dist/node, the pages in dist/pages. */
const builtPages = fileURLToPath(new URL('../pages', import.meta.url));

await main();

async function main(): Promise<void> {
	try {
		const command = readSettings(process.argv.slice(2), process.env);
		if (command.type === 'help') {
			process.stdout.write(helpText());
			return;
		}
		const { settings } = command;
		const server = await startServer(serverOptions(settings));
		const page = settings.trackerOnly ? server.announceUrl : `${server.url}/seed/`;
		process.stdout.write(`${page}\n`);
		if (process.stdout.isTTY) {
			const what = settings.trackerOnly ? 'Announce there.' : 'Open it in a browser.';
			process.stdout.write(`${what} Ctrl-C stops.\n`);
		}
		stopOnSignal(server, (settings.drain ?? 5) * 1000);
	} catch (error) {
		if (!(error instanceof StartError)) throw error;
		process.stderr.write(`${error.message}\n`);
		process.exitCode = 1;
	}
}

/** Settings in the words of the server. */
function serverOptions(settings: Settings): ServerOptions {
	const { turnUrls, turnSecret, turnTtl, tokenSecret, tokenKey } = settings;
	if ((turnUrls === undefined) !== (turnSecret === undefined)) {
		throw new StartError('config', 'The settings turnUrls and turnSecret need each other.');
	}
	if (tokenSecret !== undefined && tokenKey !== undefined) {
		throw new StartError('config', 'The settings tokenSecret and tokenKey exclude each other.');
	}
	const log = programLog(settings.logLevel, process.stderr);
	return {
		host: settings.host ?? '0.0.0.0',
		port: settings.port ?? defaultPort,
		pagesDir: settings.trackerOnly ? undefined : (settings.pages ?? builtPages),
		trackers: settings.trackers,
		iceServers: settings.ice,
		turn:
			turnUrls && turnSecret
				? { urls: turnUrls, secret: turnSecret, ttlS: turnTtl ?? 7200 }
				: undefined,
		stun: !settings.noStun,
		trustedHops: settings.trustedHops,
		regionHeader: settings.regionHeader?.toLowerCase(),
		origins: settings.origins,
		allow: settings.allow,
		tokenSecret,
		tokenKey,
		tokens: settings.tokens,
		scrape: settings.scrape,
		limits: { swarms: settings.maxSwarms },
		gate: { connections: settings.maxConnections, connectionsPerAddress: settings.maxPerAddress },
		adminPort: settings.adminPort,
		adminHost: settings.adminHost,
		redisUrl: settings.redis,
		nodeName: settings.node,
		logAddresses: settings.logAddresses,
		log,
	};
}

/** SIGTERM lets clients go gently, Ctrl-C at once; a second signal does not wait for the first. */
function stopOnSignal(server: RunningServer, drainMs: number): void {
	let stopping = false;
	const stop = (spreadMs: number) => {
		if (stopping) process.exit(1);
		stopping = true;
		void server.close({ spreadMs }).then(() => process.exit(0));
	};
	process.on('SIGTERM', () => stop(drainMs));
	process.on('SIGINT', () => stop(0));
}
