import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { findBrowser } from '../../scripts/find-browser.mjs';

/** A tab of a `BareBrowser`. */
export interface Tab {
	/** Runs an expression, waits for its promise, and gives its value. */
	evaluate<T>(expression: string): Promise<T>;
	/** Brings it to the front; the tab that was there is hidden. */
	show(): Promise<void>;
}

interface Reply {
	readonly id?: number;
	readonly error?: { message: string };
	readonly result?: Record<string, unknown>;
}

/**
 * A browser without Playwright between, which tells every page that it is visible and has the focus:
 * here a tab behind another one is hidden, and treated so, as it is for people.
 */
export class BareBrowser {
	readonly #process: ChildProcess;
	readonly #folder: string;
	readonly #socket: WebSocket;
	readonly #waiting = new Map<number, (reply: Reply) => void>();
	#count = 0;

	private constructor(process: ChildProcess, folder: string, socket: WebSocket) {
		this.#process = process;
		this.#folder = folder;
		this.#socket = socket;
		socket.on('message', (data: Buffer) => {
			const reply = JSON.parse(data.toString()) as Reply;
			if (reply.id !== undefined) this.#waiting.get(reply.id)?.(reply);
		});
	}

	static async launch(): Promise<BareBrowser> {
		const folder = mkdtempSync(join(tmpdir(), 'shoal-bare-'));
		const args = [
			...['--headless=new', '--no-sandbox', '--no-first-run', '--remote-debugging-port=0'],
			...['--use-fake-device-for-media-stream=fps=30', '--use-fake-ui-for-media-stream'],
			...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
			`--user-data-dir=${folder}`,
		];
		const program = findBrowser();
		if (!program) throw new Error('there is no browser');
		const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
		const url = await new Promise<string>((resolve, reject) => {
			let told = '';
			child.stderr.on('data', (text: Buffer) => {
				told += text.toString();
				const found = /ws:\/\/\S+/.exec(told);
				if (found) resolve(found[0]);
			});
			child.once('exit', () => reject(new Error(`the browser did not start: ${told}`)));
		});
		const socket = new WebSocket(url);
		await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
		return new BareBrowser(child, folder, socket);
	}

	async open(url: string): Promise<Tab> {
		const { targetId } = await this.#send('Target.createTarget', { url });
		const { sessionId } = await this.#send('Target.attachToTarget', { targetId, flatten: true });
		const evaluate = async <T>(expression: string): Promise<T> => {
			const told = await this.#send(
				'Runtime.evaluate',
				{ expression, awaitPromise: true, returnByValue: true, userGesture: true },
				sessionId as string,
			);
			if (told.exceptionDetails) throw new Error(JSON.stringify(told.exceptionDetails));
			return (told.result as { value: T }).value;
		};
		const isThere = `location.href === ${JSON.stringify(url)} && document.readyState === 'complete'`;
		while (!(await evaluate<boolean>(isThere))) continue;
		return {
			evaluate,
			show: async () => void (await this.#send('Target.activateTarget', { targetId })),
		};
	}

	async close(): Promise<void> {
		// `close` and not `exit`: the browser's other processes hold the pipe, and write until they are gone.
		const gone = new Promise((resolve) => this.#process.once('close', resolve));
		await this.#send('Browser.close', {}).catch(() => this.#process.kill());
		await gone;
		this.#socket.close();
		rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
	}

	#send(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
		const id = ++this.#count;
		this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, ({ error, result = {} }) => {
				this.#waiting.delete(id);
				if (error) reject(new Error(`${method}: ${error.message}`));
				else resolve(result);
			});
		});
	}
}
