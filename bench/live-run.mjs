// `npm run bench:live`: builds the pages and the bench's own, and runs it. Options: see live.ts.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

const top = join(import.meta.dirname, '..');
// Inside the project, so that packages are found as usual.
const dir = mkdtempSync(join(top, 'node_modules', '.bench-live-'));
const clean = () => rmSync(dir, { recursive: true, force: true });
process.once('exit', clean);
const pages = join(dir, 'pages');
// A build of its own: a later one must not change what is measured, and source maps say which part of it costs what.
await build({
	configFile: join(top, 'vite.config.ts'),
	logLevel: 'error',
	build: { outDir: pages, emptyOutDir: true, sourcemap: 'hidden' },
});

const entry = (/** @type {string} */ name) => join(import.meta.dirname, `${name}.ts`);
const common = /** @type {const} */ ({
	root: top,
	base: './',
	configFile: false,
	publicDir: false,
	logLevel: 'warn',
	worker: { format: 'es' },
});
await build({
	...common,
	build: {
		ssr: true,
		outDir: join(dir, 'program'),
		target: 'node20',
		minify: false,
		rolldownOptions: { input: entry('live'), output: { entryFileNames: '[name].mjs' } },
	},
});
await build({
	...common,
	build: {
		outDir: join(dir, 'probe'),
		minify: false,
		lib: {
			entry: entry('live-probe'),
			formats: ['iife'],
			name: 'probe',
			fileName: () => 'probe.js',
		},
	},
});
await build({
	...common,
	build: {
		outDir: join(pages, 'bench'),
		minify: false,
		assetsInlineLimit: 0,
		modulePreload: false,
		rolldownOptions: { input: entry('live-floor-page'), output: { entryFileNames: 'floor.js' } },
	},
});
await build({
	...common,
	define: { global: 'globalThis', 'process.env': '{}' },
	resolve: {
		// As it is published for browsers.
		alias: ['p2p-media-loader-core', 'p2p-media-loader-hlsjs'].map((name) => ({
			find: name,
			replacement: join(top, `node_modules/${name}/dist/${name}.es.js`),
		})),
	},
	build: {
		outDir: join(dir, 'hls'),
		minify: false,
		modulePreload: false,
		rolldownOptions: { input: entry('live-hls-page'), output: { entryFileNames: 'hls.js' } },
	},
});
writeFileSync(
	join(dir, 'hls/index.html'),
	'<!doctype html><title>HLS</title><body><script type="module" src="hls.js"></script>',
);
writeFileSync(
	join(pages, 'bench/index.html'),
	'<!doctype html><title>Floor</title><body><script type="module" src="floor.js"></script>',
);

const program = [join(dir, 'program/live.mjs'), dir, ...process.argv.slice(2)];
const child = spawn(process.execPath, program, { stdio: 'inherit' });
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
	process.on(signal, () => child.kill(signal));
}
child.on('exit', (code) => (process.exitCode = code ?? 1));
