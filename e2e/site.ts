import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const program = join(import.meta.dirname, '../dist/node/tracker-server.js');

/** A real server, pages and tracker on one port, as `npm start` runs it. */
export interface Site {
	/** As in `http://localhost:41234`, without a slash at the end; stays the same over restarts. */
	readonly url: string;
	/** Takes the server down, with every connection it holds. */
	stop(): Promise<void>;
	/** Brings the server back on its port. */
	start(): Promise<void>;
}

/** Starts a site on a free port of this machine; the caller stops it. */
export async function openSite(): Promise<Site> {
	if (!existsSync(program)) throw new Error(`${program} is missing: run "npm run build" first.`);
	let server: ChildProcess | undefined;
	let port = '0';

	async function start(): Promise<void> {
		if (server) return;
		const started = await run(port);
		server = started.server;
		port = new URL(started.url).port;
	}
	async function stop(): Promise<void> {
		const stopping = server;
		server = undefined;
		if (!stopping || stopping.exitCode !== null) return;
		const closed = once(stopping, 'close');
		stopping.kill('SIGTERM');
		const patience = setTimeout(() => stopping.kill('SIGKILL'), 5000);
		await closed;
		clearTimeout(patience);
	}

	await start();
	return { url: `http://localhost:${port}`, start, stop };
}

/** Runs the program until it has printed its address; it dies with the tests. */
async function run(port: string): Promise<{ server: ChildProcess; url: string }> {
	const server = spawn(process.execPath, [program], {
		env: { ...process.env, PORT: port, HOST: 'localhost' },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	process.once('exit', () => server.kill('SIGKILL'));
	let told = '';
	const url = await new Promise<string>((resolve, reject) => {
		const patience = setTimeout(() => {
			reject(new Error(`The server printed no address:\n${told}`));
		}, 20_000);
		const listen = (text: Buffer) => {
			told += text.toString();
			const address = /https?:\/\/[^\s/]+/.exec(told)?.[0];
			if (address) resolve(address);
			if (address) clearTimeout(patience);
		};
		server.stdout.on('data', listen);
		server.stderr.on('data', listen);
		server.once('error', reject);
		server.once('close', (code) => {
			clearTimeout(patience);
			reject(new Error(`The server ended (exit code ${code ?? 'none'}):\n${told}`));
		});
	});
	return { server, url };
}
