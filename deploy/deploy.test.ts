// No engine runs here: what the files say is checked against each other and against the settings.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { settingTable } from '../tracker-server/settings.ts';

const read = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8');
const variables = new Set([...settingTable.values()].map(({ env }) => env));
const lines = (name: string) =>
	read(name)
		.replace(/\\\n\s*/g, ' ')
		.split('\n')
		.map((line) => line.trim())
		.filter((line) => line !== '' && !line.startsWith('#'));

interface Service {
	image: string;
	profiles?: string[];
	environment?: Record<string, string>;
	ports?: string[];
	volumes?: string[];
	depends_on?: string[];
	stop_grace_period?: string;
}
const compose = parse(read('compose.yaml')) as {
	services: Record<string, Service>;
	volumes: Record<string, unknown>;
};

describe('Dockerfile', () => {
	const steps = lines('Dockerfile').map((line) => {
		const [word = '', ...rest] = line.split(/\s+/);
		return { word, rest: rest.join(' ') };
	});
	const known = [
		'FROM',
		'WORKDIR',
		'COPY',
		'RUN',
		'ENV',
		'USER',
		'EXPOSE',
		'HEALTHCHECK',
		'STOPSIGNAL',
		'CMD',
	];

	test('has no unknown instruction, and copies only from stages there are', () => {
		expect(steps.filter(({ word }) => !known.includes(word))).toEqual([]);
		const stages = steps.flatMap(({ word, rest }) =>
			word === 'FROM' ? (/ AS (\w+)$/.exec(rest)?.[1] ?? []) : [],
		);
		for (const { rest } of steps.filter(({ word }) => word === 'COPY')) {
			const from = /--from=(\w+)/.exec(rest)?.[1];
			if (from) expect(stages).toContain(from);
		}
	});

	test('ends in a stage of its own that is not root, is watched, and gets its signals', () => {
		const last = steps.slice(steps.findLastIndex(({ word }) => word === 'FROM'));
		const of = (word: string) => last.find((step) => step.word === word)?.rest;
		expect(of('USER')).toBe('node');
		expect(of('HEALTHCHECK')).toContain('/health');
		expect(JSON.parse(of('CMD') ?? '')).toEqual(['node', 'dist/node/tracker-server.js']);
		expect(last.some(({ word }) => word === 'RUN')).toBe(false);
	});

	test('runs a Node that package.json accepts', () => {
		for (const { rest } of steps.filter(({ word }) => word === 'FROM')) {
			expect(Number(/^node:(\d+)-/.exec(rest)?.[1])).toBeGreaterThanOrEqual(20);
		}
	});

	test('names only variables that the server reads', () => {
		const env = steps.find(({ word }) => word === 'ENV')?.rest ?? '';
		for (const [, name = ''] of env.matchAll(/([A-Z_]+)=/g)) {
			if (name !== 'NODE_ENV') expect(variables).toContain(name);
		}
	});
});

describe('compose.yaml', () => {
	test('has a profile for each part that not everybody needs', () => {
		const profiles = Object.values(compose.services).flatMap((service) => service.profiles ?? []);
		expect(profiles.sort()).toEqual(['redis', 'tls', 'turn']);
		expect(compose.services.shoal?.profiles).toBeUndefined();
	});

	test('names only variables that the server reads', () => {
		for (const name of Object.keys(compose.services.shoal?.environment ?? {})) {
			expect(variables).toContain(name);
		}
	});

	test('mounts only files and volumes there are, and depends on services there are', () => {
		for (const { volumes = [], depends_on = [] } of Object.values(compose.services)) {
			for (const volume of volumes) {
				const [source = ''] = volume.split(':');
				if (source.startsWith('.'))
					expect(existsSync(join(import.meta.dirname, source))).toBe(true);
				else expect(Object.keys(compose.volumes)).toContain(source);
			}
			for (const name of depends_on) expect(Object.keys(compose.services)).toContain(name);
		}
	});

	test('keeps the admin port on this machine and waits out the drain', () => {
		const shoal = compose.services.shoal;
		expect(shoal?.ports).toContain('127.0.0.1:9100:9100');
		expect(shoal?.ports).toContain('8000:8000/udp');
		expect(parseInt(shoal?.stop_grace_period ?? '')).toBeGreaterThan(20);
	});
});

describe('Caddyfile', () => {
	test('has its braces in pairs and leads to the service', () => {
		const text = read('Caddyfile')
			.replace(/#.*/g, '')
			.replace(/\{\$[^}]*\}/g, 'x');
		let depth = 0;
		for (const character of text) {
			if (character === '{') depth += 1;
			if (character === '}') depth -= 1;
			expect(depth).toBeGreaterThanOrEqual(0);
		}
		expect(depth).toBe(0);
		expect(text).toContain('reverse_proxy shoal:8000');
	});
});

describe('haproxy.cfg', () => {
	test('has each line in a section, its backend and its limits', () => {
		const sections = lines('haproxy.cfg').filter((line) =>
			/^(global|defaults|frontend|backend)\b/.test(line),
		);
		expect(sections).toEqual([
			'global',
			'defaults',
			'frontend site',
			'backend nodes',
			'backend plain',
		]);
		const text = read('haproxy.cfg');
		for (const need of [
			'default_backend nodes',
			'balance hash url_param(info_hash)',
			'timeout tunnel',
			'timeout http-request',
			'del-header X-Forwarded-For',
			'set-header X-Forwarded-For',
			'/health',
		]) {
			expect(text).toContain(need);
		}
		for (const line of text.split('\n'))
			expect(line).toMatch(/^(\t\S|#|$|global|defaults|frontend|backend)/);
	});
});

test('turnserver.conf shares the secret, and relays into no private network', () => {
	const entries = lines('turnserver.conf');
	for (const line of entries) expect(line).toMatch(/^[a-z-]+(=\S+)?$/);
	expect(entries).toContain('use-auth-secret');
	for (const start of ['10.', '127.', '169.254.', '172.16.', '192.168.', 'fc00:', 'fe80:']) {
		expect(entries.some((line) => line.startsWith(`denied-peer-ip=${start}`))).toBe(true);
	}
	expect(read('turnserver.conf')).not.toMatch(/static-auth-secret=/);
});

test('shoal.service gives the drain its time and names only variables there are', () => {
	const entries = new Map(
		lines('shoal.service')
			.filter((line) => line.includes('='))
			.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
	);
	const env = [...(entries.get('Environment') ?? '').matchAll(/([A-Z_]+)=(\S+)/g)].map(
		([, name, value]) => [name, value] as const,
	);
	for (const [name = ''] of env) if (name !== 'NODE_ENV') expect(variables).toContain(name);
	const drain = Number(env.find(([name]) => name === 'SHOAL_DRAIN')?.[1]);
	expect(Number(entries.get('TimeoutStopSec'))).toBeGreaterThan(drain);
});
