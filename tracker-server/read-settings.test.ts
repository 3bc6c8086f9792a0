import { expect, test } from 'vitest';

import { helpText, readSettings } from './read-settings.ts';
import { settingTable } from './settings.ts';
import { StartError } from './start-error.ts';

const noFile = () => undefined;

function settingsOf(args: string[], env: Record<string, string> = {}, file?: string) {
	const command = readSettings(args, env, () => file);
	return command.type === 'run' ? command.settings : command;
}

test('flags come before the environment, the environment before the file', () => {
	const file = '{"port":1,"host":"file","drain":1}';
	const env = { PORT: '2', HOST: 'env' };
	expect(settingsOf(['--port', '3'], env, file)).toEqual({ port: 3, host: 'env', drain: 1 });
});

test('lists, JSON and switches are read from text', () => {
	const env = {
		SHOAL_TRACKERS: 'wss://a.example/announce, wss://b.example/announce',
		SHOAL_NO_STUN: '1',
	};
	expect(settingsOf(['--ice', '[{"urls":"stun:s.example"}]'], env)).toEqual({
		trackers: ['wss://a.example/announce', 'wss://b.example/announce'],
		ice: [{ urls: 'stun:s.example' }],
		noStun: true,
	});
});

test.each<[string, string[], Record<string, string>, string | undefined, string]>([
	[
		'a port that is none',
		[],
		{ PORT: '80a' },
		undefined,
		'The setting port (from the variable PORT) must be a number. It is "80a".',
	],
	[
		'a port too high',
		['--port', '70000'],
		{},
		undefined,
		'The setting port (from --port) must be at most 65535. It is "70000".',
	],
	[
		'a broken port',
		['--port', '1.5'],
		{},
		undefined,
		'The setting port (from --port) must be a whole number. It is "1.5".',
	],
	[
		'a tracker that is no WebSocket',
		['--trackers', 'http://x'],
		{},
		undefined,
		'The setting trackers.0 (from --trackers) must be a URL that begins with ws: or wss:. It is "http://x".',
	],
	[
		'a short secret, which is not shown',
		['--token-secret', 'short'],
		{},
		undefined,
		'The setting tokenSecret (from --token-secret) must have 32 characters or more.',
	],
	[
		'ICE that is no JSON',
		['--ice', 'stun:x'],
		{},
		undefined,
		'The setting ice (from --ice) must be a list.',
	],
	[
		'ICE without urls',
		['--ice', '[{}]'],
		{},
		undefined,
		'The setting ice.0.urls (from --ice) is missing.',
	],
	['an unknown flag', ['--prot', '1'], {}, undefined, "Unknown option '--prot'. See --help."],
	[
		'an unknown field of the file',
		[],
		{},
		'{"prot":1}',
		'shoal.config.json has an unknown setting "prot".',
	],
	[
		'text where the file needs a number',
		[],
		{},
		'{"port":"80"}',
		'The setting port (from the file) must be a number. It is "80".',
	],
	['a file that is no JSON', [], {}, '{', 'shoal.config.json is not JSON'],
	['a file that is a list', [], {}, '[]', 'shoal.config.json must hold one JSON object.'],
	[
		'a hash of the wrong length',
		['--allow', 'abc'],
		{},
		undefined,
		'The setting allow.0 (from --allow) must be 40 hexadecimal digits. It is "abc".',
	],
	[
		'a choice that is none',
		[],
		{ SHOAL_SCRAPE: 'all' },
		undefined,
		'The setting scrape (from the variable SHOAL_SCRAPE) must be ("named" | "joined" | "off"). It is "all".',
	],
])('%s is refused by name', (_, args, env, file, sentence) => {
	expect(() => settingsOf(args, env, file)).toThrow(StartError);
	expect(() => settingsOf(args, env, file)).toThrow(sentence);
});

test('a file that was named must be there', () => {
	expect(() => readSettings(['--config', '/nowhere.json'], {}, noFile)).toThrow(
		'There is no file /nowhere.json.',
	);
});

test('help names every setting with its flag and its variable', () => {
	expect(readSettings(['--help'], {}, noFile)).toEqual({ type: 'help' });
	const help = helpText();
	for (const { env, help: line } of settingTable.values()) {
		expect(help).toContain(env);
		expect(help).toContain(line);
	}
	expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
});
