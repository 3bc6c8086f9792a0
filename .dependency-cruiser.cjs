// The layers of the house; see "Layers" in ARCHITECTURE.md. A test may also import testing/ and Node.
const rooms = '(capture|encode|sign|swarm|wire|schedule|store|play|embed|torrents)';
const test = '\\.test\\.ts$';
const nodeOnly = '\\.node\\.ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
	forbidden: [
		{
			name: 'no-cycles',
			comment: 'Imports run one way.',
			severity: 'error',
			from: {},
			to: { circular: true },
		},
		{
			name: 'no-unresolved',
			comment: 'An import that resolves to nothing.',
			severity: 'error',
			from: {},
			to: { couldNotResolve: true, pathNot: '[?](worker|url|raw|inline)|^virtual:' },
		},
		{
			name: 'declared-packages-only',
			comment: 'Import only packages that package.json names.',
			severity: 'error',
			from: {},
			to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
		},
		{
			name: 'util-stands-alone',
			comment: 'util imports nothing.',
			severity: 'error',
			from: { path: '^src/lib/util/', pathNot: test },
			to: { pathNot: '^src/lib/util/' },
		},
		{
			name: 'model-on-util',
			comment: 'model imports only util.',
			severity: 'error',
			from: { path: '^src/lib/model/', pathNot: test },
			to: { pathNot: '^src/lib/(model|util)/' },
		},
		{
			name: 'pure-rooms-need-no-packages',
			comment: 'wire, schedule, sign import no packages.',
			severity: 'error',
			from: { path: '^src/lib/(wire|schedule|sign)/', pathNot: [test, '/indexed-db-[^/]+$'] },
			to: { pathNot: '^src/' },
		},
		{
			name: 'rooms-have-no-doors-to-rooms',
			comment: 'A room imports only model, util and itself.',
			severity: 'error',
			from: { path: `^src/lib/${rooms}/`, pathNot: test },
			to: { path: '^src/', pathNot: '^src/lib/(model|util|$1)/' },
		},
		{
			name: 'tests-stay-in-their-room',
			comment: "A room's test imports model, util, the room and testing/.",
			severity: 'error',
			from: { path: `^src/lib/(${rooms.slice(1, -1)}|util|model)/.*${test}` },
			to: { path: '^src/', pathNot: '^src/lib/(model|util|testing|$1)/' },
		},
		{
			name: 'testing-is-for-tests',
			comment: 'Only tests, e2e and bench import testing/.',
			severity: 'error',
			from: { pathNot: [test, '^src/lib/testing/', '^(bench|e2e)/'] },
			to: { path: '^src/lib/testing/' },
		},
		{
			name: 'testing-stays-in-the-library',
			comment: 'testing/ imports only src/lib.',
			severity: 'error',
			from: { path: '^src/lib/testing/' },
			to: { path: '^(src/routes|cli|tracker-server|e2e|bench)/' },
		},
		{
			name: 'front-door-opens-outwards',
			comment: 'Nobody inside lib imports index.ts.',
			severity: 'error',
			from: { path: '^src/lib/' },
			to: { path: '^src/lib/index\\.ts$' },
		},
		{
			name: 'pages-enter-by-the-front-door',
			comment: 'Pages import only src/lib/index.ts.',
			severity: 'error',
			from: { path: '^src/routes/', pathNot: test },
			to: { path: '^src/lib/', pathNot: '^src/lib/index\\.ts$' },
		},
		{
			name: 'pages-are-pages',
			comment: 'Pages import no programs and no Node.',
			severity: 'error',
			from: { path: '^src/routes/', pathNot: test },
			to: { path: '^(cli|tracker-server|e2e|bench|scripts)/' },
		},
		{
			name: 'pages-run-without-node',
			comment: 'Pages import no Node built-ins.',
			severity: 'error',
			from: { path: '^src/routes/', pathNot: test },
			to: { dependencyTypes: ['core'] },
		},
		{
			name: 'cli-enters-by-the-front-door',
			comment: 'The CLI imports itself, src/lib/index.ts and src/lib/node.ts.',
			severity: 'error',
			from: { path: '^cli/', pathNot: test },
			to: { path: '^src/', pathNot: '^src/lib/(index|node)\\.ts$' },
		},
		{
			name: 'lib-knows-no-pages',
			comment: 'lib imports no pages and no programs.',
			severity: 'error',
			from: { path: '^src/lib/', pathNot: test },
			to: { path: '^(src/routes|cli|tracker-server|e2e|bench|scripts)/' },
		},
		{
			name: 'lib-knows-no-svelte',
			comment: 'lib is for everybody: no Svelte.',
			severity: 'error',
			from: { path: '^src/lib/' },
			to: { path: ['(^|/)node_modules/svelte/', '\\.svelte$', '^svelte(/|$)'] },
		},
		{
			name: 'lib-runs-without-node',
			comment: 'lib runs in browsers: no node:* outside *.node.ts, node.ts and tests.',
			severity: 'error',
			from: { path: '^src/lib/', pathNot: [test, nodeOnly, '^src/lib/node\\.ts$', '/testing/'] },
			to: { dependencyTypes: ['core'] },
		},
		{
			name: 'node-parts-stay-out-of-browsers',
			comment: 'Only node.ts, Node parts, programs and tests import *.node.ts.',
			severity: 'error',
			from: { path: '^src/', pathNot: [test, nodeOnly, '^src/lib/node\\.ts$', '/testing/'] },
			to: { path: [nodeOnly, '^src/lib/node\\.ts$'] },
		},
		fence('webtorrent', ['^src/lib/torrents/']),
		fence('mediabunny', ['^src/lib/encode/', '^cli/']),
		fence('mediasource', ['^src/lib/(play|torrents)/']),
		fence('node-datachannel', ['^cli/', '^src/lib/swarm/.*\\.node\\.ts$']),
		{
			name: 'tracker-server-stands-alone',
			comment: 'tracker-server imports nothing from src.',
			severity: 'error',
			from: { path: '^tracker-server/' },
			to: { path: '^(src|cli)/' },
		},
	],
	options: {
		doNotFollow: { path: 'node_modules' },
		exclude: { path: '^(dist|test-results)/' },
		tsPreCompilationDeps: true, // type-only imports obey the layers too
		tsConfig: { fileName: 'tsconfig.json' },
		enhancedResolveOptions: {
			exportsFields: ['exports'],
			conditionNames: ['import', 'node', 'default', 'types', 'svelte'],
		},
	},
};

/**
 * A package that only some folders may import; tests, e2e and bench may hold anything against it.
 * @param {string} name
 * @param {string[]} allowed
 */
function fence(name, allowed) {
	return {
		name: `fence-${name}`,
		comment: `${name} is imported only in ${allowed.join(', ')}.`,
		severity: 'error',
		from: { pathNot: [...allowed, test, '/testing/', '^(e2e|bench)/'] },
		to: { path: `(^|/)node_modules/${name}/|^${name}(/|$)` },
	};
}
