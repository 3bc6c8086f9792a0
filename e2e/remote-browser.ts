import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';

/** How a browser is started. */
export interface Start {
	readonly program: string;
	/** Its arguments, for a profile in this folder; what has to be there first is put there. */
	args(profile: string): Promise<string[]>;
	/** Added to the address that it tells. @default nothing */
	readonly path?: string;
	readonly env?: NodeJS.ProcessEnv;
}

interface Reply {
	readonly id?: number;
	/** An object in the Chrome DevTools Protocol, a code beside `message` in WebDriver BiDi. */
	readonly error?: string | { readonly message: string };
	readonly message?: string;
	readonly result?: Record<string, unknown>;
	readonly method?: string;
	readonly params?: Record<string, unknown>;
}

const START_MS = 60_000;

/** A browser with a profile of its own and no window, spoken to without Playwright between: numbered commands, as CDP and WebDriver BiDi have them. */
export class RemoteBrowser {
	readonly #program: ChildProcess;
	readonly #profile: string;
	readonly #socket: WebSocket;
	readonly #waiting = new Map<number, (reply: Reply) => void>();
	#sent = 0;
	/** Called with what it tells unasked. */
	onEvent: (method: string, params: Record<string, unknown>) => void = () => undefined;

	private constructor(program: ChildProcess, profile: string, socket: WebSocket) {
		this.#program = program;
		this.#profile = profile;
		this.#socket = socket;
		socket.on('message', (data: Buffer) => {
			const reply = JSON.parse(data.toString()) as Reply;
			if (reply.id !== undefined) this.#waiting.get(reply.id)?.(reply);
			else if (reply.method !== undefined) this.onEvent(reply.method, reply.params ?? {});
		});
		const gone = (): void => {
			for (const answer of this.#waiting.values())
				answer({ error: 'gone', message: 'the browser went' });
		};
		socket.on('close', gone).on('error', gone);
	}

	/** Starts one; the caller closes it. */
	static async start({ program, args, path = '', env }: Start): Promise<RemoteBrowser> {
		const profile = await mkdtemp(join(tmpdir(), 'shoal-browser-'));
		const child = spawn(program, await args(profile), {
			stdio: ['ignore', 'ignore', 'pipe'],
			// Caches go where the profile goes.
			env: { ...process.env, HOME: profile, ...env },
		});
		try {
			const socket = new WebSocket((await addressOf(child)) + path);
			await once(socket, 'open');
			return new RemoteBrowser(child, profile, socket);
		} catch (cause) {
			child.kill('SIGKILL');
			await discard(profile);
			throw cause;
		}
	}

	/** Sends a command and gives its result; rejects with what the browser says against it. `more` goes beside its parameters. */
	async command(
		method: string,
		params: object,
		more: object = {},
	): Promise<Record<string, unknown>> {
		const id = ++this.#sent;
		const answered = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
		this.#socket.send(JSON.stringify({ id, method, params, ...more }));
		const { error, message, result = {} } = await answered;
		this.#waiting.delete(id);
		if (!error) return result;
		throw new Error(`${method}: ${typeof error === 'string' ? (message ?? error) : error.message}`);
	}

	/** Ends it: by this command where it goes away by itself then, else at once. */
	async close(method?: string): Promise<void> {
		// `close` and not `exit`: the browser's other processes hold the pipe, and write until they are gone.
		const gone = once(this.#program, 'close');
		if (method) await this.command(method, {}).catch(() => this.#program.kill());
		else this.#program.kill('SIGKILL');
		await gone;
		this.#socket.close();
		await discard(this.#profile);
	}
}

/** Where a browser that has just been started listens: it says so on stderr. */
function addressOf(program: ChildProcess): Promise<string> {
	let told = '';
	return new Promise((resolve, reject) => {
		const fail = (): void => {
			clearTimeout(timer);
			reject(new Error(`the browser did not start: ${told}`));
		};
		const timer = setTimeout(fail, START_MS);
		program.once('error', fail).once('exit', fail);
		program.stderr?.on('data', (text: Buffer) => {
			told += text.toString();
			const address = /ws:\/\/\S+/.exec(told)?.[0];
			if (!address) return;
			clearTimeout(timer);
			resolve(address);
		});
	});
}

/** Removes a profile; a browser that was killed may write a moment longer. */
function discard(profile: string): Promise<void> {
	return rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}
