import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { findProgram, installPackage } from '../../scripts/find-program.mjs';

/** A redis-server of the test's own, on a port of its own. */
export interface RedisProcess {
	readonly url: string;
	/** Kills it as a crash would. */
	kill(): Promise<void>;
	/** Starts it again on the same port, empty. */
	restart(): Promise<void>;
	close(): Promise<void>;
}

/**
 * The redis-server on this machine, installed from Debian's packages where that is possible. In CI
 * a missing one is an error; elsewhere undefined, said loudly.
 */
export function findRedis(): string | undefined {
	const found = findProgram('redis-server') ?? findProgram('valkey-server');
	if (found) return found;
	if (installPackage('redis-server')) return findProgram('redis-server');
	const sentence = 'redis-server is missing (Debian: apt-get install redis-server)';
	if (process.env.CI && process.env.CI !== 'false') throw new Error(`${sentence}: CI needs it.`);
	console.warn(`\n*** SKIPPED: the tests of several tracker nodes. ${sentence}. ***\n`);
	return undefined;
}

/** Starts a redis-server that keeps nothing on disk. */
export async function startRedis(program: string): Promise<RedisProcess> {
	const port = await freePort();
	const dir = mkdtempSync(join(tmpdir(), 'shoal-redis-'));
	let child: ChildProcess | undefined;

	const start = async () => {
		const args = [
			'--port',
			String(port),
			'--bind',
			'127.0.0.1',
			'--save',
			'',
			'--appendonly',
			'no',
			'--dir',
			dir,
		];
		child = spawn(program, args, { stdio: 'ignore' });
		await untilListening(port);
	};
	const kill = async () => {
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const exited = once(child, 'exit');
		child.kill('SIGKILL');
		await exited;
	};
	await start();
	return {
		url: `redis://127.0.0.1:${port}`,
		kill,
		restart: start,
		async close() {
			await kill();
			rmSync(dir, { recursive: true, force: true });
		},
	};
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}

async function untilListening(port: number): Promise<void> {
	for (let tries = 0; tries < 200; tries++) {
		const socket = connect(port, '127.0.0.1');
		const isOpen = await new Promise<boolean>((resolve) => {
			socket.once('connect', () => resolve(true));
			socket.once('error', () => resolve(false));
		});
		socket.destroy();
		if (isOpen) return;
		await new Promise((resolve) => {
			setTimeout(resolve, 25);
		});
	}
	throw new Error(`redis-server did not listen on port ${port} within 5 s`);
}
