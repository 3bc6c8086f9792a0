import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, preview } from 'vite';
import config from '../vite.config.ts';

/** The pages with stand-ins for everything behind them, in any state that is asked for. */
export interface Gallery {
	/** The address of a page in a state. */
	address(page: string, state?: string): string;
	close(): Promise<void>;
}

const routes = join(import.meta.dirname, '../src/routes');
/** The home page is shown as it is. */
const input = [join(routes, 'index.html'), join(routes, '_ui/testing/gallery.html')];

/** As strict as the real server is: nothing in line, nothing from elsewhere. */
const CSP =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src blob:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'";

/** Builds the gallery and serves it on a free port of this machine; the caller closes it. */
export async function openGallery(): Promise<Gallery> {
	const outDir = await mkdtemp(join(tmpdir(), 'shoal-gallery-'));
	await build({
		...config,
		configFile: false,
		logLevel: 'error',
		build: { ...config.build, outDir, rolldownOptions: { input } },
	});
	const server = await preview({
		configFile: false,
		logLevel: 'error',
		appType: 'mpa',
		build: { outDir },
		preview: { port: 0, host: 'localhost', headers: { 'content-security-policy': CSP } },
	});
	const { port } = server.httpServer.address() as AddressInfo;
	const base = `http://localhost:${port}/`;
	return {
		address: (page, state = '') =>
			page === 'home'
				? base
				: `${base}_ui/testing/gallery.html?${new URLSearchParams({ page, state })}`,
		async close() {
			await server.close();
			await rm(outDir, { recursive: true, force: true });
		},
	};
}
