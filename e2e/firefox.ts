import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../scripts/find-program.mjs';
import { RemoteBrowser } from './remote-browser.ts';

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

/** Firefox logs each connection that didn't come about as an error of the page; trying again is the swarm's own work. */
const FAILED_ATTEMPT = /^WebRTC: ICE failed/;

/** A remote value (WebDriver BiDi §7.6.1.5), as far as it is read here. */
interface RemoteValue {
	readonly value?: unknown;
	readonly sharedId?: string;
}

/**
 * A Firefox without a window, driven over WebDriver BiDi (W3C). By hand: Playwright drives builds of its own instead of what people have, and its BiDi
 * asks for commands that Firefox ESR lacks (`emulation.setMediaFeaturesOverride`).
 */
export class Firefox {
	readonly #remote: RemoteBrowser;
	/** Errors that its pages threw or logged. */
	readonly faults: string[] = [];

	private constructor(remote: RemoteBrowser) {
		this.#remote = remote;
		remote.onEvent = (method, { level, text }) => {
			if (method !== 'log.entryAdded' || level !== 'error') return;
			if (!FAILED_ATTEMPT.test(String(text))) this.faults.push(String(text));
		};
	}

	/** Starts one with a profile of its own; the caller closes it. */
	static async start(): Promise<Firefox> {
		const remote = await RemoteBrowser.start({
			program: firefoxPath ?? 'firefox',
			async args(profile) {
				const lines = Object.entries(PREFERENCES).map(
					([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
				);
				await writeFile(join(profile, 'user.js'), lines.join('\n'));
				return ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'];
			},
			path: '/session',
			env: { PULSE_SERVER: 'unix:/nowhere' },
		});
		await remote.command('session.new', { capabilities: {} });
		await remote.command('session.subscribe', { events: ['log.entryAdded'] });
		return new Firefox(remote);
	}

	/** Opens an address in a tab of its own. */
	async open(address: string): Promise<FirefoxPage> {
		const { context } = await this.#remote.command('browsingContext.create', { type: 'tab' });
		const to = { context, url: address, wait: 'complete' };
		await this.#remote.command('browsingContext.navigate', to);
		return new FirefoxPage(this.#remote, context as string);
	}

	close(): Promise<void> {
		return this.#remote.close();
	}
}

/** A tab of a Firefox. */
export class FirefoxPage {
	readonly #remote: RemoteBrowser;
	readonly #context: string;

	constructor(remote: RemoteBrowser, context: string) {
		this.#remote = remote;
		this.#context = context;
	}

	/** Clicks the button of this name, with a pointer, as a person does. */
	async click(name: string): Promise<void> {
		const context = this.#context;
		const locator = { type: 'accessibility', value: { role: 'button', name } };
		const { nodes } = (await this.#remote.command('browsingContext.locateNodes', {
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
		await this.#remote.command('input.performActions', {
			context,
			actions: [{ type: 'pointer', id: 'mouse', actions }],
		});
	}

	/** What an expression gives in the page, as JSON carries it. */
	async read<T>(expression: string): Promise<T> {
		const target = { context: this.#context };
		const { result } = (await this.#remote.command('script.evaluate', {
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
