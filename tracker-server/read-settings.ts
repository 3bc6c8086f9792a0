import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as v from 'valibot';

import { flagOf, settingTable } from './settings.ts';
import type { SettingName, Settings } from './settings.ts';
import { StartError } from './start-error.ts';

type Source = 'flag' | 'env' | 'file';
type Raw = Map<SettingName, { value: unknown; source: Source }>;
/** Read where no file is named and there is one. */
const usualFile = 'shoal.config.json';

/** What the command line asks for. */
export type Command =
	{ readonly type: 'help' } | { readonly type: 'run'; readonly settings: Settings };

/**
 * Settings from flags, else environment, else file. Throws a StartError that names the field, where
 * it was set, and what would be right.
 */
export function readSettings(
	args: readonly string[],
	env: Readonly<Record<string, string | undefined>>,
	readFile: (path: string) => string | undefined = readIfThere,
): Command {
	const flags = readFlags(args);
	if (flags === 'help') return { type: 'help' };
	const raw: Raw = new Map([...readEnv(env), ...flags]);
	const named = raw.get('config')?.value;
	const path = typeof named === 'string' ? named : usualFile;
	const text = readFile(path);
	if (text === undefined && named !== undefined) throw wrong(`There is no file ${path}.`);
	if (text !== undefined) {
		for (const [name, entry] of readFileSettings(path, text))
			if (!raw.has(name)) raw.set(name, entry);
	}
	return { type: 'run', settings: check(raw) };
}

/** The text of `--help`. */
export function helpText(): string {
	const rows = [...settingTable].map(([name, { value, env, help }]) => {
		const flag = `--${flagOf(name)}${value ? ` ${value}` : ''}`;
		return `  ${flag.padEnd(28)} ${help}\n${' '.repeat(31)}${env}`;
	});
	return [
		'Serves the Shoal pages and the tracker on one port.',
		'',
		'Flags come before environment variables, those before the file.',
		'',
		...rows,
		`  ${'--help'.padEnd(28)} this text`,
		'',
	].join('\n');
}

function readFlags(args: readonly string[]): Raw | 'help' {
	const options: Record<string, { type: 'string' | 'boolean' }> = { help: { type: 'boolean' } };
	const names = new Map<string, SettingName>();
	for (const [name, { kind }] of settingTable) {
		names.set(flagOf(name), name);
		options[flagOf(name)] = { type: kind === 'flag' ? 'boolean' : 'string' };
	}
	let values: Record<string, unknown>;
	try {
		({ values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false }));
	} catch (error) {
		const [sentence] = (error as Error).message.split(/\.\s|\n/);
		throw wrong(`${sentence}. See --help.`);
	}
	if (values.help) return 'help';
	const raw: Raw = new Map();
	for (const [flag, value] of Object.entries(values)) {
		const name = names.get(flag);
		if (name) raw.set(name, { value, source: 'flag' });
	}
	return raw;
}

function readEnv(env: Readonly<Record<string, string | undefined>>): Raw {
	const raw: Raw = new Map();
	for (const [name, setting] of settingTable) {
		const value = env[setting.env];
		if (value !== undefined && value !== '') raw.set(name, { value, source: 'env' });
	}
	return raw;
}

function readFileSettings(path: string, text: string): Raw {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw wrong(`${path} is not JSON: ${(error as Error).message}.`);
	}
	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		throw wrong(`${path} must hold one JSON object.`);
	}
	const raw: Raw = new Map();
	for (const [name, field] of Object.entries(value)) {
		if (!settingTable.has(name as SettingName))
			throw wrong(`${path} has an unknown setting "${name}".`);
		raw.set(name as SettingName, { value: field, source: 'file' });
	}
	return raw;
}

function check(raw: Raw): Settings {
	const checked: Partial<Record<SettingName, unknown>> = {};
	for (const [name, { value, source }] of raw) {
		const setting = settingTable.get(name);
		if (!setting) continue;
		const typed = source === 'file' ? value : typedValue(value, setting.kind);
		const result = v.safeParse(setting.schema, typed);
		if (!result.success) throw wrong(complaint(name, source, value, result.issues[0]));
		checked[name] = result.output;
	}
	return checked as Settings;
}

/** Text from a flag or a variable as the kind of value that is meant; left alone where it isn't one. */
function typedValue(value: unknown, kind: 'text' | 'number' | 'list' | 'json' | 'flag'): unknown {
	if (typeof value !== 'string') return value;
	switch (kind) {
		case 'number':
			return value.trim() === '' || Number.isNaN(Number(value)) ? value : Number(value);
		case 'list':
			return value
				.split(',')
				.map((item) => item.trim())
				.filter(Boolean);
		case 'json':
			return jsonOr(value);
		case 'flag':
			return value === '1' || value === 'true'
				? true
				: value === '0' || value === 'false'
					? false
					: value;
		case 'text':
			return value;
	}
}

function jsonOr(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

function complaint(
	name: SettingName,
	source: Source,
	value: unknown,
	issue: v.BaseIssue<unknown>,
): string {
	const place = {
		flag: `--${flagOf(name)}`,
		env: `the variable ${settingTable.get(name)?.env}`,
		file: 'the file',
	}[source];
	const path = v.getDotPath(issue);
	const field = path ? `${name}.${path}` : name;
	const isSecret = /secret|redis|ice/i.test(name);
	const shown = isSecret ? '' : ` It is ${JSON.stringify(value)?.slice(0, 80)}.`;
	return `The setting ${field} (from ${place}) ${demandOf(issue)}.${shown}`;
}

/** What an issue asks for, as the end of a sentence. */
function demandOf(issue: v.BaseIssue<unknown>): string {
	const { message, expected, received } = issue;
	if (message.startsWith('must')) return message;
	if (received === 'undefined') return 'is missing';
	const words = { number: 'a number', string: 'text', boolean: 'true or false', Array: 'a list' };
	const kind = words[expected as keyof typeof words];
	if (kind) return `must be ${kind}`;
	if (expected === null) return `must be a whole number`;
	return `must be ${expected.replace(/^>=/, 'at least ').replace(/^<=/, 'at most ')}`;
}

function wrong(message: string): StartError {
	return new StartError('config', message);
}

function readIfThere(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return undefined;
	}
}
