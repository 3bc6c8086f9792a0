// `npm run bench:sim` and `npm run bench:soak`: bundles a simulator bench and runs it. `--json FILE` writes the figures.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';

const [name = 'sim', ...rest] = process.argv.slice(2);
const dir = mkdtempSync(join(tmpdir(), 'shoal-sim-'));
await build({
	root: join(import.meta.dirname, '..'),
	configFile: false,
	publicDir: false,
	logLevel: 'warn',
	build: {
		ssr: true,
		outDir: dir,
		emptyOutDir: true,
		target: 'node20',
		minify: false,
		rolldownOptions: {
			input: { [name]: join(import.meta.dirname, `${name}.ts`) },
			output: { entryFileNames: '[name].mjs' },
		},
	},
});
// A swarm that doesn't fit fails by itself, before the machine runs out of memory for everybody.
const heapMb = Math.max(512, Math.min(8000, Math.floor(freemem() / 2 ** 21)));
const program = [
	'--expose-gc',
	`--max-old-space-size=${heapMb}`,
	// Messages under way outlive a small nursery by the hundred thousand.
	'--max-semi-space-size=128',
	join(dir, `${name}.mjs`),
	...rest,
];
const child = spawn(process.execPath, program, { stdio: 'inherit' });
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
	process.on(signal, () => child.kill(signal));
}
child.on('exit', (code) => {
	rmSync(dir, { recursive: true, force: true });
	process.exitCode = code ?? 1;
});
