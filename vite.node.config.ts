import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vite';
import { thirdPartyLicences } from './scripts/third-party.mjs';

const programs = {
	'tracker-server': 'tracker-server/main.ts',
	cli: 'cli/main.ts',
};

/**
 * The Node programs: dist/node/tracker-server.js and dist/node/cli.js, with every package in them but the native one. So
 * they run wherever Node does, and nobody who installs them meets what `overrides` in package.json mends.
 */
export default defineConfig({
	root: import.meta.dirname,
	publicDir: false,
	plugins: [thirdPartyLicences().build],
	ssr: { noExternal: true, external: ['node-datachannel'] },
	resolve: { alias: { 'utp-native': join(import.meta.dirname, 'cli/no-utp.ts') } },
	build: {
		ssr: true,
		outDir: join(import.meta.dirname, 'dist/node'),
		emptyOutDir: true,
		target: 'node20',
		minify: false,
		sourcemap: true,
		rolldownOptions: {
			input: Object.fromEntries(
				Object.entries(programs)
					.map(([name, file]) => [name, join(import.meta.dirname, file)] as const)
					.filter(([, file]) => existsSync(file)),
			),
			output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
		},
	},
});
