// `npm run check`: format, lint, types, layers and unused code; every step runs, whatever the others say.
// `npm run check -- src/lib/wire …` looks at these paths only (and leaves out the search for unused code).
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const top = join(import.meta.dirname, '..');
const paths = process.argv.slice(2).map((path) => path.replace(/^\.\/|\/+$/g, ''));

const houses = ['src', 'tracker-server', 'cli', 'e2e', 'bench', 'deploy', 'scripts'].filter(
	(path) => existsSync(join(top, path)),
);
const within = paths.length ? paths : ['.'];

/** @typedef {{ name: string, run: string[], filter?: boolean, whole?: boolean }} Step */
/** @type {Step[]} */
const steps = [
	{ name: 'format', run: ['prettier', '--check', '--log-level', 'warn', ...within] },
	{ name: 'lint', run: ['eslint', '--no-warn-ignored', '--max-warnings', '0', ...within] },
	{
		name: 'types',
		run: [
			'svelte-check',
			'--tsconfig',
			'tsconfig.json',
			'--output',
			'machine',
			'--fail-on-warnings',
		],
		filter: true,
	},
	{
		name: 'types of the library without Node',
		run: ['tsc', '-p', 'tsconfig.lib.json'],
		filter: true,
	},
	{ name: 'types of the pure rooms', run: ['tsc', '-p', 'tsconfig.core.json'], filter: true },
	{ name: 'layers', run: ['depcruise', '--no-progress', ...(paths.length ? paths : houses)] },
	{ name: 'unused code', run: ['knip', '--no-progress'], whole: true },
];

/**
 * @param {string[]} command
 * @returns {Promise<{ code: number, output: string }>}
 */
function run([name, ...args]) {
	return new Promise((resolve) => {
		const child = spawn(join(top, 'node_modules/.bin', String(name)), args, {
			cwd: top,
			env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }) },
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		let output = '';
		child.stdout.on('data', (text) => (output += text));
		child.stderr.on('data', (text) => (output += text));
		child.on('error', (error) => resolve({ code: 1, output: error.message }));
		child.on('close', (code) => resolve({ code: code ?? 1, output }));
	});
}

/**
 * A compiler's complaints about the paths asked for: it cannot look at a part of a program.
 * @param {string} output
 */
function about(output) {
	const lines = output.split('\n').filter((line) => /\berror\b| (ERROR|WARNING) "/.test(line));
	return lines
		.filter((line) => !paths.length || paths.some((path) => line.includes(path)))
		.map((line) => line.replace(/^\d{13} /, ''))
		.join('\n');
}

/** @param {Step} step */
async function check(step) {
	const started = performance.now();
	let { code, output } = await run(step.run);
	if (step.filter && code) {
		output = about(output) || (paths.length ? '' : output);
		code = output ? 1 : 0;
	}
	const seconds = ((performance.now() - started) / 1000).toFixed(1);
	console.log(`${code ? 'FAILED' : 'ok    '}  ${step.name} (${seconds} s)`);
	if (code) console.log(output.trimEnd().replace(/^/gm, '        '));
	return code === 0;
}

const queue = steps.filter((step) => !(step.whole && paths.length));
const passed = await Promise.all(
	[1, 2].map(async () => {
		let ok = true;
		for (let step = queue.shift(); step; step = queue.shift()) ok = (await check(step)) && ok;
		return ok;
	}),
);
process.exitCode = passed.every(Boolean) ? 0 : 1;
