import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';

import type { HostReply, HostRequest } from './tracker-host.ts';
import type { LoadReply, LoadRequest } from './tracker-load.ts';

/** A bench program in a process of its own, asked and answering by messages; who starts it ends it. */
export class Child<Request, Reply extends { type: string }> {
	readonly #process: ChildProcess;

	constructor(program: string, args: string[] = []) {
		this.#process = fork(join(import.meta.dirname, `${program}.mjs`), args, {
			execArgv: ['--expose-gc', '--max-old-space-size=8192'],
		});
	}

	hear<T extends Reply['type']>(type: T): Promise<Extract<Reply, { type: T }>> {
		return new Promise((resolve, reject) => {
			const onMessage = (reply: Reply) => {
				if (reply.type !== type) return;
				this.#process.off('message', onMessage);
				this.#process.off('exit', onExit);
				resolve(reply as Extract<Reply, { type: T }>);
			};
			const onExit = (code: number | null) => reject(new Error(`a bench process ended (${code})`));
			this.#process.on('message', onMessage);
			this.#process.once('exit', onExit);
		});
	}

	ask<T extends Reply['type']>(request: Request, type: T): Promise<Extract<Reply, { type: T }>> {
		const heard = this.hear(type);
		this.#process.send(request as object);
		return heard;
	}

	async end(): Promise<void> {
		if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
		const gone = new Promise((resolve) => this.#process.once('exit', resolve));
		this.#process.kill('SIGKILL');
		await gone;
	}
}

/** A tracker. */
export type Host = Child<HostRequest, HostReply>;
/** What its load comes from. */
export type Load = Child<LoadRequest, LoadReply>;

/** Starts a tracker of one kind (`tracker-host.ts` names them) and waits for its port. */
export async function startHost(
	kind: string,
	...args: string[]
): Promise<{ host: Host; port: number }> {
	const host: Host = new Child('tracker-host', [kind, ...args]);
	const { port } = await host.hear('ready');
	return { host, port };
}
