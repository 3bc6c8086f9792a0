import { findBrowser } from '../../scripts/find-browser.mjs';
import { RemoteBrowser } from '../remote-browser.ts';

/** A tab of a `BareBrowser`. */
export interface Tab {
	/** Runs an expression, waits for its promise, and gives its value. */
	evaluate<T>(expression: string): Promise<T>;
	/** Brings it to the front; the tab that was there is hidden. */
	show(): Promise<void>;
}

/**
 * A browser without Playwright between, which tells every page that it is visible and has the focus:
 * here a tab behind another one is hidden, and treated so, as it is for people.
 */
export class BareBrowser {
	readonly #remote: RemoteBrowser;

	private constructor(remote: RemoteBrowser) {
		this.#remote = remote;
	}

	static async launch(): Promise<BareBrowser> {
		const program = findBrowser();
		if (!program) throw new Error('there is no browser');
		const args = async (profile: string): Promise<string[]> => [
			...['--headless=new', '--no-sandbox', '--no-first-run', '--remote-debugging-port=0'],
			...['--use-fake-device-for-media-stream=fps=30', '--use-fake-ui-for-media-stream'],
			...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
			`--user-data-dir=${profile}`,
		];
		return new BareBrowser(await RemoteBrowser.start({ program, args }));
	}

	async open(url: string): Promise<Tab> {
		const { targetId } = await this.#remote.command('Target.createTarget', { url });
		const attached = { targetId, flatten: true };
		const { sessionId } = await this.#remote.command('Target.attachToTarget', attached);
		const evaluate = async <T>(expression: string): Promise<T> => {
			const told = await this.#remote.command(
				'Runtime.evaluate',
				{ expression, awaitPromise: true, returnByValue: true, userGesture: true },
				{ sessionId },
			);
			if (told.exceptionDetails) throw new Error(JSON.stringify(told.exceptionDetails));
			return (told.result as { value: T }).value;
		};
		const isThere = `location.href === ${JSON.stringify(url)} && document.readyState === 'complete'`;
		while (!(await evaluate<boolean>(isThere))) continue;
		return {
			evaluate,
			show: async () => void (await this.#remote.command('Target.activateTarget', { targetId })),
		};
	}

	close(): Promise<void> {
		return this.#remote.close('Browser.close');
	}
}
