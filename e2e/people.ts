import { expect, type Browser, type BrowserContext, type Page } from '@playwright/test';

/** How a person comes to the site. */
export interface Visit {
	/**
	 * Has this person allowed the site camera and microphone before? Who has not, as viewers have not, is reached
	 * under mDNS names instead of addresses.
	 * @default false
	 */
	camera?: boolean;
	/** Errors that this test provokes on purpose; others fail it. */
	expectedErrors?: RegExp[];
	viewport?: { width: number; height: number };
	colorScheme?: 'light' | 'dark';
}

/** People with a browser profile each; what goes wrong on any of their pages fails the test. */
export class People {
	readonly #browser: Browser;
	readonly #siteUrl: string;
	readonly #contexts: BrowserContext[] = [];
	/** What no page may do: uncaught errors, refused rules of the CSP, requests to third parties. */
	readonly faults: string[] = [];

	constructor(browser: Browser, siteUrl: string) {
		this.#browser = browser;
		this.#siteUrl = siteUrl;
	}

	/** A new person, with a profile of their own, opens a page of the site ('/seed/'). */
	async open(path: string, visit: Visit = {}): Promise<Page> {
		const context = await this.visit(visit);
		const page = await context.newPage();
		await page.goto(this.address(path));
		return page;
	}

	/** The whole address of a path of the site. */
	address(path: string): string {
		return new URL(path, this.#siteUrl).href;
	}

	/** A new person who has opened nothing yet. */
	async visit(visit: Visit = {}): Promise<BrowserContext> {
		const { camera = false, expectedErrors = [], ...options } = visit;
		const context = await this.#browser.newContext({
			permissions: camera ? ['camera', 'microphone'] : [],
			viewport: { width: 1000, height: 700 },
			...options,
		});
		this.#contexts.push(context);
		const fault = (text: string) => {
			if (!expectedErrors.some((expected) => expected.test(text))) this.faults.push(text);
		};
		context.on('weberror', (error) => {
			fault(`${error.page()?.url() ?? ''}: ${error.error().stack ?? error.error().message}`);
		});
		context.on('console', (message) => {
			if (message.type() === 'error' && /Content Security Policy|Refused to/.test(message.text()))
				fault(message.text());
		});
		context.on('request', (request) => {
			this.#checkOrigin(request.url(), fault);
		});
		context.on('page', (page) => {
			page.on('websocket', (socket) => {
				this.#checkOrigin(socket.url(), fault);
			});
			page.on('crash', () => {
				fault(`${page.url()} crashed`);
			});
		});
		return context;
	}

	/** What every page says of itself, for whoever has to find out why a test failed. */
	account(): Promise<string[]> {
		const pages = this.#contexts.flatMap((context) => context.pages());
		return Promise.all(
			pages.map(async (page) => {
				const late = new Promise<string>((resolve) => setTimeout(resolve, 5000, 'no answer'));
				const read = page.evaluate(() => {
					const { shoal } = window as { shoal?: { stats?: unknown; viewer?: { stats?: unknown } } };
					return JSON.stringify([document.hidden, shoal?.stats, shoal?.viewer?.stats]);
				});
				const told = await Promise.race([read.catch(String), late]);
				return `${new URL(page.url()).pathname} ${told}`;
			}),
		);
	}

	/** Everyone leaves. */
	async leave(): Promise<void> {
		await Promise.all(this.#contexts.map((context) => context.close()));
		expect(this.faults, 'faults on any page').toEqual([]);
	}

	/** This site and hosts of this machine (a second site, an embedding page) are no third parties. */
	#checkOrigin(address: string, fault: (text: string) => void): void {
		const url = new URL(address);
		if (!/^(https?|wss?):$/.test(url.protocol)) return;
		if (['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)) return;
		fault(`a request to a third party: ${address}`);
	}
}
