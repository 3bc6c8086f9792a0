import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { thirdPartyLicences } from './scripts/third-party.mjs';

const licences = thirdPartyLicences();
const root = join(import.meta.dirname, 'src/routes');

/** Every folder of src/routes with an index.html is a page; so is src/routes itself. */
function pages(): string[] {
	if (!existsSync(root)) return [];
	const folders = readdirSync(root, { withFileTypes: true })
		.filter((entry) => entry.isDirectory())
		.map((entry) => join(root, entry.name));
	return [root, ...folders]
		.map((folder) => join(folder, 'index.html'))
		.filter((page) => existsSync(page));
}

export default defineConfig({
	root,
	base: './', // relative, so that any static host serves the pages under any path
	appType: 'mpa',
	publicDir: join(import.meta.dirname, 'public'),
	plugins: [svelte({ configFile: false }), licences.build],
	resolve: {
		// What webtorrent and mediasource expect of Node and browsers do not have.
		alias: [
			{
				find: /^buffer$/,
				replacement: join(import.meta.dirname, 'src/lib/torrents/node-buffer.ts'),
			},
			{ find: /^path$/, replacement: 'path-esm' },
			{ find: /^events$/, replacement: 'events/' },
		],
	},
	define: { global: 'globalThis', 'process.browser': 'true' },
	worker: { format: 'es', plugins: () => [licences.worker] },
	build: {
		outDir: join(import.meta.dirname, 'dist/pages'),
		emptyOutDir: true,
		target: ['chrome116', 'firefox129', 'safari17.2'],
		// Everything is a file of its own: no data: URLs or inline scripts, so that the CSP can forbid them.
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		reportCompressedSize: false,
		rolldownOptions: { input: pages() },
	},
	server: {
		// `npm run dev` serves the pages; a server started by `npm start` answers for the rest.
		proxy: {
			'/announce': { target: 'ws://localhost:8000', ws: true },
			'/config.json': 'http://localhost:8000',
		},
	},
});
