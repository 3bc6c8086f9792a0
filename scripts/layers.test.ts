import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const top = join(import.meta.dirname, '..');
const config = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as {
	forbidden: { name: string }[];
};
const rules = config.forbidden.map((rule) => rule.name);

/** A breach of each rule: who imports what. */
const breaches: Record<string, [from: string, to: string]> = {
	'no-cycles': ['src/lib/schedule/a.ts', './b.ts'],
	'no-unresolved': ['src/lib/store/a.ts', './nowhere.ts'],
	'declared-packages-only': ['src/lib/store/b.ts', 'estree-walker'],
	'util-stands-alone': ['src/lib/util/a.ts', '../model/b.ts'],
	'model-on-util': ['src/lib/model/a.ts', '../wire/b.ts'],
	'pure-rooms-need-no-packages': ['src/lib/wire/a.ts', 'valibot'],
	'rooms-have-no-doors-to-rooms': ['src/lib/play/a.ts', '../wire/b.ts'],
	'tests-stay-in-their-room': ['src/lib/play/a.test.ts', '../wire/b.ts'],
	'testing-is-for-tests': ['src/lib/play/b.ts', '../testing/b.ts'],
	'testing-stays-in-the-library': ['src/lib/testing/a.ts', '../../../cli/b.ts'],
	'front-door-opens-outwards': ['src/lib/viewer.ts', './index.ts'],
	'pages-enter-by-the-front-door': ['src/routes/watch/Page.svelte', '../../lib/wire/b.ts'],
	'pages-are-pages': ['src/routes/seed/Page.svelte', '../../../cli/b.ts'],
	'pages-run-without-node': ['src/routes/seed/main.ts', 'node:fs'],
	'cli-enters-by-the-front-door': ['cli/a.ts', '../src/lib/wire/b.ts'],
	'lib-knows-no-pages': ['src/lib/player.ts', '../routes/seed/b.ts'],
	'lib-knows-no-svelte': ['src/lib/embed/a.ts', 'svelte'],
	'lib-runs-without-node': ['src/lib/swarm/a.ts', 'node:fs'],
	'node-parts-stay-out-of-browsers': ['src/lib/swarm/b.ts', './c.node.ts'],
	'fence-webtorrent': ['src/lib/swarm/d.ts', 'webtorrent'],
	'fence-mediabunny': ['src/lib/play/d.ts', 'mediabunny'],
	'fence-mediasource': ['src/lib/encode/d.ts', 'mediasource'],
	'fence-node-datachannel': ['src/lib/swarm/e.ts', 'node-datachannel'],
	'tracker-server-stands-alone': ['tracker-server/a.ts', '../src/lib/wire/b.ts'],
};

/** Modules that import nothing, to be imported. */
const plain = [
	'src/lib/model/b.ts',
	'src/lib/wire/b.ts',
	'src/lib/testing/b.ts',
	'src/lib/index.ts',
	'src/lib/swarm/c.node.ts',
	'src/routes/seed/b.ts',
	'cli/b.ts',
];

let house: string;
let found: { rule: string; from: string }[];

beforeAll(async () => {
	house = mkdtempSync(join(tmpdir(), 'shoal-layers-'));
	for (const real of ['.dependency-cruiser.cjs', 'package.json', 'tsconfig.json'])
		cpSync(join(top, real), join(house, real));
	symlinkSync(join(top, 'node_modules'), join(house, 'node_modules'), 'dir');
	for (const path of plain) write(path, 'export const it = 1;');
	for (const [from, to] of Object.values(breaches)) {
		const text = `import * as it from '${to}';\nexport const mine = it;`;
		write(
			from,
			from.endsWith('.svelte') ? `<script lang="ts">${text.replace('export ', '')}</script>` : text,
		);
	}
	write(
		'src/lib/schedule/b.ts',
		`import type { mine } from './a.ts';\nexport type It = typeof mine;`,
	);
	found = await cruise();
});
afterAll(() => {
	rmSync(house, { recursive: true, force: true });
});

function write(path: string, text: string): void {
	mkdirSync(dirname(join(house, path)), { recursive: true });
	writeFileSync(join(house, path), text);
}

function cruise(): Promise<typeof found> {
	const program = join(top, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
	const args = [program, '--no-progress', '-T', 'json', 'src', 'cli', 'tracker-server'];
	return new Promise((resolve, reject) => {
		execFile(process.execPath, args, { cwd: house, maxBuffer: 2 ** 26 }, (_error, out, err) => {
			try {
				const report = JSON.parse(out) as {
					summary: { violations: { from: string; rule: { name: string } }[] };
				};
				resolve(report.summary.violations.map(({ from, rule }) => ({ from, rule: rule.name })));
			} catch {
				reject(new Error(err));
			}
		});
	});
}

test('every layer rule has a breach here', () => {
	expect(Object.keys(breaches).sort()).toEqual([...rules].sort());
});

test.each(Object.entries(breaches))('%s is caught', (rule, [from]) => {
	expect(found).toContainEqual({ rule, from });
});

test('what the rules allow passes', () => {
	expect(found.filter(({ from }) => plain.includes(from))).toEqual([]);
});
