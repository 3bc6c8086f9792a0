// `npm run build`: pages to dist/pages, Node programs to dist/node. `--stale` builds only what is missing or stale.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint, parts, staleParts, top, writeStamp } from './stale.mjs';

const onlyStale = process.argv.includes('--stale');

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

/** @param {unknown} error */
function firstLine(error) {
	const text = error instanceof Error ? error.message : String(error);
	const lines = text.split('\n').map((line) => line.trim());
	// Rolldown counts first ("Build failed with 1 error:") and explains below.
	const told = lines.filter((line) => line && !/^Build failed with \d+ error/.test(line));
	return (told[0] ?? 'no reason given').replaceAll(`${top}/`, '');
}

for (const part of onlyStale ? staleParts() : parts) {
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
				`The ${part.name} cannot be built: ${firstLine(error)} (npm run build tells more).`,
			);
		process.exit(1);
	}
}
