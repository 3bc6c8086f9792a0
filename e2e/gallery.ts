import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'vite';

/** The pages with stand-ins for everything behind them, in any state that is asked for. */
export interface Gallery {
	/** The address of a page in a state. */
	address(page: string, state?: string): string;
	close(): Promise<void>;
}

/** Serves the gallery on a free port of this machine; the caller closes it. */
export async function openGallery(): Promise<Gallery> {
	const server = await createServer({
		configFile: join(import.meta.dirname, '../vite.config.ts'),
		logLevel: 'error',
		server: { port: 0, host: 'localhost', hmr: false, watch: null, proxy: {} },
		// One round of finding packages, at the start: a later one would reload the page under test.
		optimizeDeps: { entries: ['_ui/testing/gallery.html'] },
		cacheDir: join(import.meta.dirname, '../node_modules/.vite-gallery'),
	});
	await server.listen();
	const { port } = server.httpServer?.address() as AddressInfo;
	const base = `http://localhost:${port}/_ui/testing/gallery.html`;
	return {
		address: (page, state = '') => `${base}?${new URLSearchParams({ page, state })}`,
		close: () => server.close(),
	};
}
