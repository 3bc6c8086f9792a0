import { chromium } from '@playwright/test';
import type { Browser, Page } from '@playwright/test';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { build } from 'vite';

import { browserHelp, findOrInstallBrowser } from '../scripts/find-browser.mjs';
import { startServer } from './server.ts';
import type { RunningServer } from './server.ts';

const cleanups: (() => unknown)[] = [];
let browser: Browser;
let server: RunningServer;
let dir: string;

beforeAll(async () => {
	const executablePath = findOrInstallBrowser();
	if (!executablePath) throw new Error(browserHelp);
	dir = mkdtempSync(join(tmpdir(), 'shoal-stock-'));
	await buildPages(dir);
	server = await startServer({ stun: false, pagesDir: dir });
	browser = await chromium.launch({
		executablePath,
		args: [
			'--no-sandbox',
			'--disable-background-networking',
			'--disable-component-update',
			'--disable-sync',
		],
	});
}, 120_000);

afterAll(async () => {
	await browser?.close();
	await server?.close();
	if (dir) rmSync(dir, { recursive: true, force: true });
});

afterEach(async () => {
	for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** Pages like the built ones: the stock client bundled, P2P Media Loader as it is published. */
async function buildPages(to: string): Promise<void> {
	await build({
		root: join(import.meta.dirname, 'testing'),
		configFile: false,
		publicDir: false,
		logLevel: 'error',
		resolve: { alias: [{ find: /^events$/, replacement: 'events/' }] },
		define: { global: 'globalThis', 'process.browser': 'true', 'process.env': '{}' },
		build: {
			outDir: join(to, 'assets'),
			lib: { entry: 'stock-page.ts', formats: ['es'], fileName: () => 'stock.js' },
		},
	});
	const modules = join(import.meta.dirname, '../node_modules');
	cpSync(
		join(modules, 'p2p-media-loader-core/dist/p2p-media-loader-core.es.min.js'),
		join(to, 'assets/p2pml.js'),
	);
	writeFileSync(
		join(to, 'assets/import-p2pml.js'),
		`import * as p2pml from './p2pml.js';\nglobalThis.p2pml = p2pml;\n`,
	);
	const page = (script: string) =>
		`<!doctype html><title>stock</title><script type="module" src="/assets/${script}"></script>`;
	writeFileSync(join(to, 'index.html'), page('stock.js'));
	for (const [name, script] of [
		['seed', 'import-p2pml.js'],
		['embed', 'stock.js'],
	] as const) {
		mkdirSync(join(to, name));
		writeFileSync(join(to, name, 'index.html'), page(script));
	}
	writeFileSync(join(to, 'favicon.ico'), '');
	writeFileSync(join(to, 'segment.bin'), Buffer.alloc(300_000, 7));
}

async function open(
	path: string,
	context = browser.newContext(),
): Promise<{ page: Page; problems: string[] }> {
	const page = await (await context).newPage();
	const problems: string[] = [];
	page.on('pageerror', (error) => problems.push(error.message));
	page.on('console', (message) => {
		if (message.type() === 'error') problems.push(message.text());
	});
	await page.goto(`${server.url}${path}`);
	return { page, problems };
}

type StockWindow = typeof globalThis & {
	meet(url: string, infoHash: string): Promise<{ heard: string; warnings: string[] }>;
};

test('two stock clients in Chromium meet and speak, under the pages’ own policy', async () => {
	const { page, problems } = await open('/');
	await page.waitForFunction(() => 'meet' in globalThis);
	const result = await page.evaluate(
		(url) => (globalThis as StockWindow).meet(url, 'a1'.repeat(20)),
		server.announceUrl,
	);
	expect(result).toEqual({ heard: 'hello', warnings: [] });
	expect(problems).toEqual([]);
}, 60_000);

/** A page of another origin that frames one of ours. */
async function framing(
	path: string,
	attributes: string,
	headers: Record<string, string> = {},
): Promise<Page> {
	const site = createServer((_, response) => {
		response.writeHead(200, { 'Content-Type': 'text/html', ...headers });
		response.end(`<iframe ${attributes} src="${server.url}${path}"></iframe>`);
	}).listen(0, '127.0.0.1');
	await once(site, 'listening');
	const context = await browser.newContext();
	cleanups.push(
		() => context.close(),
		() => site.close(),
	);
	const page = await context.newPage();
	await page.goto(`http://localhost:${(site.address() as AddressInfo).port}/`);
	await expect.poll(() => page.frames().length).toBe(2);
	return page;
}

test('the embed works sandboxed, in an isolated page of another site', async () => {
	const page = await framing('/embed/', 'sandbox="allow-scripts"', {
		'Cross-Origin-Embedder-Policy': 'require-corp',
	});
	const frame = page.frames()[1];
	await frame?.waitForFunction(() => 'meet' in globalThis);
	const origin = await frame?.evaluate(() => globalThis.origin);
	expect(origin).toBe('null');
	const config = await frame?.evaluate(
		(url) => fetch(url).then((response) => response.json() as Promise<object>),
		`${server.url}/config.json`,
	);
	expect(config).toMatchObject({ trackers: [server.announceUrl] });
	const result = await frame?.evaluate(
		(url) => (globalThis as StockWindow).meet(url, 'b2'.repeat(20)),
		server.announceUrl,
	);
	expect(result).toEqual({ heard: 'hello', warnings: [] });
}, 60_000);

test('no page but the embed may be framed', async () => {
	const page = await framing('/seed/', '');
	await expect.poll(() => page.frames()[1]?.url()).toBe('chrome-error://chromewebdata/');
}, 60_000);

test('P2P Media Loader: a second viewer gets a segment from the first over our tracker', async () => {
	const load = async (page: Page, mode: 'http' | 'p2p') => {
		await page.waitForFunction(() => 'p2pml' in globalThis);
		return page.evaluate(
			([announceUrl, base, how]) =>
				new Promise<{ bytes: number; p2pBytes: number }>((resolve, reject) => {
					const { p2pml } = globalThis as unknown as {
						p2pml: {
							Core: new (options: object) => Record<string, (...args: unknown[]) => unknown>;
						};
					};
					const core = new p2pml.Core({
						announceTrackers: [announceUrl],
						rtcConfig: { iceServers: [] },
						swarmId: 'shoal-test',
						isP2PDisabled: false,
						// The second viewer may not ask the server: only a peer can have given it the segment.
						...(how === 'p2p' && {
							validateHTTPSegment: () => Promise.resolve(false),
							simultaneousHttpDownloads: 0,
						}),
						highDemandTimeWindow: how === 'p2p' ? 0 : 15,
					});
					let p2pBytes = 0;
					core.addEventListener?.('onChunkDownloaded', (length: unknown, source: unknown) => {
						if (source === 'p2p') p2pBytes += Number(length);
					});
					core.setManifestResponseUrl?.(`${base}/manifest.m3u8`);
					core.addStreamIfNoneExists?.({
						runtimeId: 'stream',
						type: 'main',
						index: 0,
						properties: {},
					});
					core.updateStream?.('stream', [
						{
							runtimeId: 'segment',
							externalId: 1,
							url: `${base}/segment.bin`,
							startTime: 30,
							endTime: 34,
						},
					]);
					core.updatePlayback?.(0, 1);
					core.setIsLive?.(false);
					Promise.resolve(
						core.loadSegment?.('segment', {
							onSuccess: ({ data }: { data: ArrayBuffer }) =>
								resolve({ bytes: data.byteLength, p2pBytes }),
							onError: (error: unknown) => reject(new Error(String(error))),
						}),
					).catch(reject);
					Object.assign(globalThis, { core });
				}),
			[server.announceUrl, server.url, mode] as const,
		);
	};
	const context = browser.newContext();
	const first = await open('/seed/', context);
	expect((await load(first.page, 'http')).bytes).toBe(300_000);
	const second = await open('/seed/', context);
	expect(await load(second.page, 'p2p')).toEqual({ bytes: 300_000, p2pBytes: 300_000 });
	expect([...first.problems, ...second.problems]).toEqual([]);
}, 90_000);
