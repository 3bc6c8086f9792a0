// `npm run bench:tracker`: bundles the bench programs and runs them. `--json FILE` writes the figures.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

const top = join(import.meta.dirname, '..');
// Inside the project, so that packages are found as usual.
const dir = mkdtempSync(join(top, 'node_modules', '.bench-tracker-'));
const clean = () => rmSync(dir, { recursive: true, force: true });

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
			input: {
				tracker: entry('tracker'),
				'tracker-host': entry('tracker-host'),
				'tracker-load': entry('tracker-load'),
			},
			output: { entryFileNames: '[name].mjs' },
		},
	},
});

const program = ['--expose-gc', join(dir, 'tracker.mjs'), ...process.argv.slice(2)];
const child = spawn(process.execPath, program, { stdio: 'inherit' });
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
	process.on(signal, () => child.kill(signal));
}
child.on('exit', (code) => {
	clean();
	process.exitCode = code ?? 1;
});
