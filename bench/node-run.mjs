// `npm run bench:node`: builds what it runs, bundles the bench and runs it. Options: see node.ts.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

const top = join(import.meta.dirname, '..');
const built = spawnSync(process.execPath, [join(top, 'scripts/build.mjs'), '--stale'], {
	stdio: 'inherit',
});
if (built.status) process.exit(built.status);

// Inside the project, so that packages are found as usual.
const dir = mkdtempSync(join(top, 'node_modules', '.bench-node-'));
process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
const entry = (/** @type {string} */ name) => join(import.meta.dirname, `${name}.ts`);
await build({
	root: top,
	configFile: false,
	publicDir: false,
	logLevel: 'warn',
	build: {
		ssr: true,
		outDir: dir,
		target: 'node20',
		minify: false,
		rolldownOptions: {
			input: { node: entry('node'), 'node-viewers': entry('node-viewers') },
			output: { entryFileNames: '[name].mjs' },
		},
	},
});
const program = [join(dir, 'node.mjs'), top, ...process.argv.slice(2)];
const child = spawn(process.execPath, program, { stdio: 'inherit' });
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
	process.on(signal, () => child.kill(signal));
}
child.on('exit', (code) => (process.exitCode = code ?? 1));
