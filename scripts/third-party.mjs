// A Vite plugin: beside what is built lies THIRD-PARTY-LICENSES.txt, with the licence of every package that is in it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const LICENCES_FILE = 'THIRD-PARTY-LICENSES.txt';

/** Files with the terms of a package. */
const TEXT_NAMES = /^(licen[cs]e|copying|notice)([-.].*)?$/i;

/** The terms of MIT, as they are in Shoal's own licence, without whose they are. */
function mit() {
	const own = readFileSync(join(import.meta.dirname, '../LICENSE'), 'utf8');
	return own.replace(/^[^]*?(?=Permission is hereby)/, '').trim();
}

/**
 * @typedef {{ name: string, version: string, licence: string, source: string, texts: string[] }} Package
 */

/**
 * One plugin for the build, and one for the workers that it builds on the way.
 * @returns {{ build: import('vite').Plugin, worker: import('vite').Plugin }}
 */
export function thirdPartyLicences() {
	/** @type {Set<string>} */
	const folders = new Set();
	/** @param {import('vite').Rolldown.OutputBundle} bundle */
	const look = (bundle) => {
		for (const output of Object.values(bundle)) {
			if (output.type !== 'chunk') continue;
			for (const [id, { renderedLength }] of Object.entries(output.modules)) {
				const folder = renderedLength > 0 ? packageFolder(id) : undefined;
				if (folder) folders.add(folder);
			}
		}
	};
	return {
		worker: {
			name: 'third-party-licences-of-workers',
			generateBundle: (_, bundle) => look(bundle),
		},
		build: {
			name: 'third-party-licences',
			generateBundle(_, bundle) {
				look(bundle);
				const source = describe([...folders].map(readPackage));
				this.emitFile({ type: 'asset', fileName: LICENCES_FILE, source });
			},
		},
	};
}

/**
 * The folder of the package that a module is part of.
 * @param {string} id
 */
function packageFolder(id) {
	const path = id.replace(/^\0+/, '').replace(/\?.*$/, '');
	const at = path.lastIndexOf('/node_modules/');
	if (at < 0) return undefined;
	for (let folder = dirname(path); folder.length > at + 13; folder = dirname(folder)) {
		const file = join(folder, 'package.json');
		// Some have further package.json files inside that only say how modules are read.
		if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version) return folder;
	}
	return undefined;
}

/**
 * @param {string} folder
 * @returns {Package}
 */
function readPackage(folder) {
	const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
	const { name, version, license, repository, homepage, author } = about;
	const texts = readdirSync(folder)
		.filter((file) => TEXT_NAMES.test(file))
		.sort()
		.map((file) => readFileSync(join(folder, file), 'utf8').trim());
	const owner = (typeof author === 'string' ? author : author?.name) ?? `the authors of ${name}`;
	// Some name a licence and bring no text; that of MIT is the same for all but this line.
	if (texts.length === 0 && license === 'MIT') texts.push(`Copyright (c) ${owner}\n\n${mit()}`);
	const source = (typeof repository === 'string' ? repository : repository?.url) ?? homepage ?? '';
	return {
		name,
		version,
		licence: typeof license === 'string' ? license : (license?.type ?? 'see its text'),
		source: source.replace(/^git\+/, '').replace(/\.git$/, ''),
		texts,
	};
}

/**
 * The file: packages in the order of their names, and each text once, under all that have it.
 * @param {Package[]} packages
 */
function describe(packages) {
	packages.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
	/** @type {Map<string, Package[]>} */
	const byText = new Map();
	for (const one of packages) {
		const text = one.texts.join('\n\n') || `${one.licence}; the package brings no text of it.`;
		byText.set(text, [...(byText.get(text) ?? []), one]);
	}
	const blocks = [...byText].map(([text, those]) => {
		const names = those.map(({ name, version, licence, source }) =>
			`${name} ${version} (${licence})  ${source}`.trim(),
		);
		return `${names.join('\n')}\n\n${text}\n`;
	});
	const head =
		'Shoal is built with these packages, unmodified. Their source is at the addresses given.\n';
	return [head, ...blocks].join(`\n${'-'.repeat(80)}\n\n`);
}
