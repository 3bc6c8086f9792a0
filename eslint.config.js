import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

const tests = ['**/*.test.ts', '**/testing/**', 'e2e/**', 'bench/**'];

export default ts.config(
	{ ignores: ['dist/', 'coverage/', 'test-results/', 'types/', 'public/'] },
	js.configs.recommended,
	ts.configs.recommendedTypeChecked,
	svelte.configs.recommended,
	{
		languageOptions: {
			globals: { ...globals.browser, ...globals.node },
			parserOptions: {
				project: './tsconfig.json',
				tsconfigRootDir: import.meta.dirname,
				extraFileExtensions: ['.svelte'],
			},
		},
		linterOptions: { reportUnusedDisableDirectives: 'error' },
		rules: {
			eqeqeq: ['error', 'always', { null: 'ignore' }],
			'no-console': 'error',
			'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
			'no-undef': 'off', // the compiler knows better
			'@typescript-eslint/no-unused-vars': [
				'error',
				{ argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' },
			],
			'@typescript-eslint/consistent-type-imports': 'error',
			'@typescript-eslint/switch-exhaustiveness-check': [
				'error',
				{ considerDefaultExhaustiveForUnions: true },
			],
			'@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
			'@typescript-eslint/require-await': 'off', // an async method may keep an interface's promise
			'@typescript-eslint/unbound-method': 'off',
		},
	},
	{
		files: ['**/*.svelte', '**/*.svelte.ts'],
		languageOptions: { parserOptions: { parser: ts.parser } },
	},
	{
		// Time, randomness and the network reach these rooms as arguments, so that a seed replays a run.
		files: ['src/lib/{model,wire,schedule}/**/*.ts'],
		ignores: ['**/*.test.ts'],
		rules: {
			'no-restricted-globals': [
				'error',
				...[
					'setTimeout',
					'setInterval',
					'performance',
					'fetch',
					'WebSocket',
					'XMLHttpRequest',
					'RTCPeerConnection',
				].map((name) => ({ name, message: 'Pass it in: this room is pure.' })),
			],
			'no-restricted-properties': [
				'error',
				{ object: 'Date', property: 'now', message: 'Pass the time in.' },
				{ object: 'Math', property: 'random', message: 'Pass randomness in.' },
				{ object: 'crypto', property: 'getRandomValues', message: 'Pass randomness in.' },
				{ object: 'crypto', property: 'randomUUID', message: 'Pass randomness in.' },
			],
		},
	},
	{
		files: ['cli/**', 'bench/**', 'scripts/**', 'tracker-server/**', 'e2e/**'],
		rules: { 'no-console': 'off' },
	},
	{
		// Tests poke at outside data and private parts on purpose.
		files: tests,
		rules: {
			'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }],
			'@typescript-eslint/no-explicit-any': 'off',
			'@typescript-eslint/no-non-null-assertion': 'off',
			'@typescript-eslint/no-unsafe-argument': 'off',
			'@typescript-eslint/no-unsafe-assignment': 'off',
			'@typescript-eslint/no-unsafe-call': 'off',
			'@typescript-eslint/no-unsafe-member-access': 'off',
			'@typescript-eslint/no-unsafe-return': 'off',
			'no-empty-pattern': 'off', // Playwright fixtures without dependencies
		},
	},
	{
		files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
		...ts.configs.disableTypeChecked,
		rules: {
			...ts.configs.disableTypeChecked.rules,
			'@typescript-eslint/switch-exhaustiveness-check': 'off',
		},
	},
);
