import {
	chromium,
	type Browser,
	type BrowserContext,
	type CDPSession,
	type Page,
} from '@playwright/test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchOptions } from '../e2e/browser.ts';
import { costOf, type ScriptCost } from './live-cost.ts';
import type { LiveProbe } from './live-probe.ts';

/** A page of one person, and the browser's own hand on it. */
export interface Visitor {
	readonly page: Page;
	readonly cdp: CDPSession;
	close(): Promise<void>;
}

/** What pages of the bench have in their window. */
export interface ProbeWindow {
	readonly liveProbe: LiveProbe;
}

/** Starts the browser as the end-to-end tests do. */
export function openBrowser(): Promise<Browser> {
	return chromium.launch(launchOptions());
}

/** How a visitor comes. */
export interface VisitOptions {
	/** Where the bench's programs were built. */
	readonly dir: string;
	/** One way, of everything that the page sends: to the site and on peer links. */
	readonly delayMs?: number;
	readonly hasCamera?: boolean;
}

/** A new person, with a profile of their own, opens an address. */
export async function visit(
	browser: Browser,
	url: string,
	options: VisitOptions,
): Promise<Visitor> {
	const context: BrowserContext = await browser.newContext({
		permissions: options.hasCamera ? ['camera', 'microphone'] : [],
		viewport: { width: 480, height: 360 },
	});
	await context.addInitScript(readFileSync(join(options.dir, 'probe/probe.js'), 'utf8'));
	const page = await context.newPage();
	page.on('pageerror', (error) => console.error(`a page failed: ${error.message}`));
	const cdp = await context.newCDPSession(page);
	if (options.delayMs) await delayLinks(cdp, options.delayMs);
	await page.goto(url);
	return { page, cdp, close: () => context.close() };
}

/**
 * Holds only for connections that are made later: to be set before the page loads. Chromium delays what a page
 * sends and also what it receives, so that each end of a link adds half of its delay.
 */
async function delayLinks(cdp: CDPSession, delayMs: number): Promise<void> {
	await cdp.send('Network.enable');
	const unlimited = { downloadThroughput: -1, uploadThroughput: -1 };
	const rule = { urlPattern: '', latency: delayMs / 2, ...unlimited };
	// Younger than Playwright's description of the protocol.
	const send = cdp.send.bind(cdp) as (method: string, params: object) => Promise<unknown>;
	await send('Network.emulateNetworkConditionsByRule', {
		offline: false,
		matchedNetworkConditions: [rule],
	});
}

/** What a page's own scripts take of the processor within a time: that of its main thread, shared out by samples. */
export async function profileScripts(
	{ page, cdp }: Visitor,
	options: { readonly windowMs: number; readonly pagesDir: string },
): Promise<ScriptCost> {
	await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
	await cdp.send('Profiler.enable');
	await cdp.send('Profiler.setSamplingInterval', { interval: 500 });
	await cdp.send('Profiler.start');
	const before = await threadMs(cdp);
	await page.waitForTimeout(options.windowMs);
	const cpuMs = (await threadMs(cdp)) - before;
	const { profile } = await cdp.send('Profiler.stop');
	await cdp.send('Profiler.disable');
	return costOf(profile, { cpuMs, origin: new URL(page.url()).origin, dir: options.pagesDir });
}

/** Processor time that a page's main thread has had, milliseconds: waiting for a busy processor is not in it. */
async function threadMs(cdp: CDPSession): Promise<number> {
	const { metrics } = await cdp.send('Performance.getMetrics');
	return (metrics.find(({ name }) => name === 'ThreadTime')?.value ?? NaN) * 1000;
}
