// What `npm start` and the end-to-end tests have to build: parts whose sources are not those of the last build.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const top = join(import.meta.dirname, '..');

/** @typedef {{ name: string, out: string, config: string, needs: string, sources: string[] }} Part */

/** @type {Part[]} */
export const parts = [
	{
		name: 'pages',
		out: 'dist/pages',
		config: 'vite.config.ts',
		needs: 'src/routes/index.html',
		sources: [
			'src',
			'public',
			'vite.config.ts',
			'scripts/third-party.mjs',
			'package-lock.json',
			'tsconfig.json',
		],
	},
	{
		name: 'server',
		out: 'dist/node',
		config: 'vite.node.config.ts',
		needs: 'tracker-server/main.ts',
		sources: [
			'tracker-server',
			'cli',
			'src/lib',
			'vite.node.config.ts',
			'scripts/third-party.mjs',
			'package-lock.json',
		],
	},
];

/** The parts that are missing or older than their sources. */
export function staleParts() {
	return parts.filter(
		(part) => !existsSync(join(top, part.out)) || readStamp(part) !== fingerprint(part),
	);
}

/**
 * A digest of all that a part is built from. Contents, not times: a clone or a checkout changes times alone.
 * @param {Part} part
 */
export function fingerprint(part) {
	const hash = createHash('sha256');
	for (const source of part.sources) {
		const path = join(top, source);
		if (!existsSync(path)) continue;
		const files = statSync(path).isFile()
			? [source]
			: readdirSync(path, { recursive: true, withFileTypes: true })
					.filter((entry) => entry.isFile() && !/\.test\.ts$/.test(entry.name))
					.map((entry) => join(entry.parentPath, entry.name).slice(top.length + 1))
					.sort();
		for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(top, file)));
	}
	return hash.digest('hex');
}

/**
 * Remembers what a part has been built from.
 * @param {Part} part
 * @param {string} print
 */
export function writeStamp(part, print) {
	writeFileSync(stampOf(part), print);
}

/** @param {Part} part */
function readStamp(part) {
	return existsSync(stampOf(part)) ? readFileSync(stampOf(part), 'utf8') : '';
}

/** @param {Part} part */
function stampOf(part) {
	return join(top, 'dist', `${part.name}.stamp`);
}
