// `npm run build`: pages to dist/pages, Node programs to dist/node. `--stale` builds only what is missing or stale;
// `server` or `pages` builds that part alone.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { fingerprint, parts, staleParts, top, writeStamp } from './stale.mjs';

const onlyStale = process.argv.includes('--stale');
const named = process.argv.slice(2).filter((name) => !name.startsWith('--'));

/** @param {import('./stale.mjs').Part} part */
async function build(part) {
	if (!existsSync(join(top, part.needs))) throw new Error(`${part.needs} is missing`);
	const { build } = await import('vite');
	const print = fingerprint(part);
	// Built aside and moved in, so that a running server never sees half a build.
	const aside = join(top, 'dist', `.${part.name}-${process.pid}`);
	const old = `${aside}-old`;
	const out = join(top, part.out);
	try {
		await build({
			configFile: join(top, part.config),
			logLevel: 'error',
			customLogger: onlyStale ? quiet() : undefined,
			build: { outDir: aside },
		});
		mkdirSync(join(out, '..'), { recursive: true });
		if (existsSync(out)) renameSync(out, old);
		renameSync(aside, out);
		writeStamp(part, print);
	} finally {
		rmSync(aside, { recursive: true, force: true });
		rmSync(old, { recursive: true, force: true });
	}
}

/** The reason is printed once, by us. */
function quiet() {
	const none = () => undefined;
	return {
		hasWarned: false,
		info: none,
		warn: none,
		warnOnce: none,
		error: none,
		clearScreen: none,
		hasErrorLogged: () => false,
	};
}

/**
 * What went wrong and where, in one line.
 * @param {unknown} error
 */
function reason(error) {
	/** @type {unknown} */
	const first = error instanceof Error && 'errors' in error ? error.errors : undefined;
	const cause = Array.isArray(first) && first[0] instanceof Error ? first[0] : error;
	const text = stripVTControlCharacters(cause instanceof Error ? cause.message : String(cause));
	const line = text.split('\n')[0]?.replace(/^\[[\w:-]+\] /, '') || 'no reason given';
	// Rolldown draws the place below its message.
	const place = /\[ (\S+:\d+:\d+) \]/.exec(text)?.[1];
	return `${line}${place ? ` (${place})` : ''}`.replaceAll(`${top}/`, '');
}

for (const part of onlyStale ? staleParts() : parts) {
	if (named.length && !named.includes(part.name)) continue;
	const started = performance.now();
	process.stdout.write(`Building the ${part.name} … `);
	try {
		await build(part);
		console.log(`${((performance.now() - started) / 1000).toFixed(1)} s`);
	} catch (error) {
		console.log('failed');
		if (!onlyStale) console.error(error instanceof Error ? error.message : error);
		else
			console.error(
				`The ${part.name} cannot be built: ${reason(error)}. Run npm run build to see more.`,
			);
		process.exit(1);
	}
}
