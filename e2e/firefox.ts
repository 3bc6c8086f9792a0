import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { findProgram } from '../scripts/find-program.mjs';

/** The Firefox of this machine, if it has one: Debian's long-term release, else whatever there is. */
export const firefoxPath = findProgram('firefox-esr') ?? findProgram('firefox');

/** A camera and a microphone that need no hardware, and no question about them. */
const PREFERENCES: Record<string, string | number | boolean> = {
	'media.navigator.streams.fake': true,
	'media.navigator.permission.disabled': true,
	// With `PULSE_SERVER`: no loudspeaker, as on a server. A machine that has one shall not make the tests differ.
	'media.cubeb.backend': 'pulse-rust',
	'remote.active-protocols': 1,
	'app.update.enabled': false,
	'browser.shell.checkDefaultBrowser': false,
	'datareporting.policy.dataSubmissionEnabled': false,
};
const START_MS = 60_000;

/** A remote value (WebDriver BiDi §7.6.1.5), as far as it is read here. */
interface RemoteValue {
	readonly value?: unknown;
	readonly sharedId?: string;
}

interface Reply {
	readonly id?: number;
	readonly type?: string;
	readonly method?: string;
	readonly message?: string;
	readonly result?: unknown;
	readonly params?: { readonly level?: string; readonly text?: string };
}

/**
 * A Firefox without a window, driven over WebDriver BiDi (W3C). By hand: Playwright drives builds of its own, which have no H.264, and its BiDi
 * asks for commands that Firefox ESR lacks (`emulation.setMediaFeaturesOverride`).
 */
export class Firefox {
	readonly #program: ChildProcess;
	readonly #profile: string;
	readonly #socket: WebSocket;
	readonly #waiting = new Map<number, (reply: Reply) => void>();
	#sent = 0;
	/** Errors that its pages threw or logged. */
	readonly faults: string[] = [];

	private constructor(program: ChildProcess, profile: string, socket: WebSocket) {
		this.#program = program;
		this.#profile = profile;
		this.#socket = socket;
		socket.on('message', (data: Buffer) => {
			const reply = JSON.parse(data.toString()) as Reply;
			if (reply.id !== undefined) this.#waiting.get(reply.id)?.(reply);
			else if (reply.method === 'log.entryAdded' && reply.params?.level === 'error')
				this.faults.push(reply.params.text ?? '');
		});
	}

	/** Starts one with a profile of its own; the caller closes it. */
	static async start(): Promise<Firefox> {
		const profile = await mkdtemp(join(tmpdir(), 'shoal-firefox-'));
		const lines = Object.entries(PREFERENCES).map(
			([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
		);
		await writeFile(join(profile, 'user.js'), lines.join('\n'));
		const args = [
			'--headless',
			'--no-remote',
			'--profile',
			profile,
			'--remote-debugging-port',
			'0',
		];
		const program = spawn(firefoxPath ?? 'firefox', args, {
			stdio: ['ignore', 'ignore', 'pipe'],
			// Its caches go where the profile goes.
			env: { ...process.env, HOME: profile, PULSE_SERVER: 'unix:/nowhere' },
		});
		const socket = new WebSocket(`${await addressOf(program)}/session`);
		await once(socket, 'open');
		const firefox = new Firefox(program, profile, socket);
		await firefox.command('session.new', { capabilities: {} });
		await firefox.command('session.subscribe', { events: ['log.entryAdded'] });
		return firefox;
	}

	/** Opens an address in a tab of its own. */
	async open(address: string): Promise<FirefoxPage> {
		const { context } = (await this.command('browsingContext.create', { type: 'tab' })) as {
			context: string;
		};
		await this.command('browsingContext.navigate', { context, url: address, wait: 'complete' });
		return new FirefoxPage(this, context);
	}

	/** Sends a command of WebDriver BiDi; rejects with what the browser says against it. */
	async command(method: string, params: object): Promise<unknown> {
		const id = ++this.#sent;
		const answered = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
		this.#socket.send(JSON.stringify({ id, method, params }));
		const reply = await answered;
		this.#waiting.delete(id);
		if (reply.type === 'error') throw new Error(`${method}: ${reply.message ?? 'refused'}`);
		return reply.result;
	}

	async close(): Promise<void> {
		this.#socket.close();
		const ended = once(this.#program, 'close');
		this.#program.kill('SIGKILL');
		await ended;
		await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
	}
}

/** A tab of a Firefox. */
export class FirefoxPage {
	readonly #firefox: Firefox;
	readonly #context: string;

	constructor(firefox: Firefox, context: string) {
		this.#firefox = firefox;
		this.#context = context;
	}

	/** Clicks the button of this name, with a pointer, as a person does. */
	async click(name: string): Promise<void> {
		const context = this.#context;
		const locator = { type: 'accessibility', value: { role: 'button', name } };
		const { nodes } = (await this.#firefox.command('browsingContext.locateNodes', {
			context,
			locator,
		})) as { nodes: RemoteValue[] };
		const sharedId = nodes[0]?.sharedId;
		if (sharedId === undefined) throw new Error(`no button “${name}”`);
		const origin = { type: 'element', element: { sharedId } };
		const actions = [
			{ type: 'pointerMove', x: 0, y: 0, origin },
			{ type: 'pointerDown', button: 0 },
			{ type: 'pointerUp', button: 0 },
		];
		await this.#firefox.command('input.performActions', {
			context,
			actions: [{ type: 'pointer', id: 'mouse', actions }],
		});
	}

	/** What an expression gives in the page, as JSON carries it. */
	async read<T>(expression: string): Promise<T> {
		const target = { context: this.#context };
		const { result } = (await this.#firefox.command('script.evaluate', {
			expression: `JSON.stringify(${expression})`,
			target,
			awaitPromise: false,
		})) as { result: RemoteValue };
		return JSON.parse(String(result.value)) as T;
	}

	/** The words on the page. */
	text(): Promise<string> {
		return this.read('document.body.innerText');
	}
}

/** Where a Firefox that has just been started listens: it says so on stderr. */
async function addressOf(program: ChildProcess): Promise<string> {
	let said = '';
	return new Promise((resolve, reject) => {
		const fail = (why: string): void => reject(new Error(`Firefox ${why}: ${said}`));
		const timer = setTimeout(() => fail('did not start'), START_MS);
		program.once('exit', () => fail('ended'));
		program.stderr?.on('data', (data: Buffer) => {
			said += data.toString();
			const address = /WebDriver BiDi listening on (ws:\S+)/.exec(said)?.[1];
			if (!address) return;
			clearTimeout(timer);
			resolve(address);
		});
	});
}
