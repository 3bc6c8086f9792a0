import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { startServer } from '../server.ts';
import type { RunningServer, ServerOptions } from '../server.ts';
import { turnCredentials } from './turn-credentials.ts';

let dir: string;
const running: RunningServer[] = [];

beforeAll(() => {
	dir = mkdtempSync(join(tmpdir(), 'shoal-pages-'));
	for (const folder of ['', 'seed', 'watch', 'embed', 'torrents', 'terminal', 'assets']) {
		mkdirSync(join(dir, folder), { recursive: true });
		writeFileSync(join(dir, folder, 'index.html'), `<h1>${folder || 'home'}</h1>`);
	}
	mkdirSync(join(dir, '404'));
	writeFileSync(join(dir, '404/index.html'), '<a href="../">start</a>');
	writeFileSync(join(dir, 'assets/app-1a2b3c.js'), 'export {}');
	writeFileSync(join(dir, 'icon.svg'), '<svg/>');
	writeFileSync(join(dir, '.secret'), 'no');
});
afterAll(() => rmSync(dir, { recursive: true }));
afterEach(async () => {
	for (const server of running.splice(0)) await server.close();
});

async function start(options: ServerOptions = {}): Promise<RunningServer> {
	const server = await startServer({ pagesDir: dir, stun: false, ...options });
	running.push(server);
	return server;
}

/** A GET with any Host header, which fetch would not send. */
function get(server: RunningServer, path: string, headers: Record<string, string> = {}) {
	return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
		(resolve, reject) => {
			const { hostname, port } = new URL(server.url);
			request({ hostname, port, path, headers }, (response) => {
				let body = '';
				response.on('data', (chunk: Buffer) => (body += chunk.toString()));
				response.on('end', () =>
					resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
				);
			})
				.on('error', reject)
				.end();
		},
	);
}

describe('pages', () => {
	test.each([
		['/', 'home'],
		['/seed/', 'seed'],
		['/watch/', 'watch'],
		['/embed/', 'embed'],
		['/torrents/', 'torrents'],
	])('%s is served with its policy', async (path, title) => {
		const server = await start();
		const { status, headers, body } = await get(server, path, { host: 'shoal.example' });
		expect(status).toBe(200);
		expect(body).toContain(title);
		expect(headers).toMatchObject({
			'cache-control': 'no-cache',
			'x-content-type-options': 'nosniff',
			'referrer-policy': 'no-referrer',
			'access-control-allow-origin': '*',
		});
		const policy = String(headers['content-security-policy']);
		expect(policy).toContain(`default-src 'none'`);
		expect(policy).toContain(`script-src 'self' 'wasm-unsafe-eval';`);
		expect(policy).toContain(`worker-src 'self' blob:`);
		expect(policy).toContain(`frame-ancestors ${path === '/embed/' ? '*' : `'none'`}`);
		expect(policy).toContain(
			path === '/torrents/'
				? `connect-src 'self' ws: wss: http: https:;`
				: `connect-src 'self' ws://shoal.example wss://shoal.example;`,
		);
		const permissions = String(headers['permissions-policy']);
		expect(permissions.includes('camera=(self)')).toBe(path === '/seed/');
	});

	test('the embed may be framed by pages that isolate themselves, the others by nobody', async () => {
		const server = await start();
		const embed = await get(server, '/embed/');
		expect(embed.headers).toMatchObject({
			'cross-origin-embedder-policy': 'credentialless',
			'cross-origin-resource-policy': 'cross-origin',
		});
		expect(embed.headers['x-frame-options']).toBeUndefined();
		expect((await get(server, '/watch/')).headers['x-frame-options']).toBe('DENY');
	});

	test('trackers elsewhere, and only those, may be connected to', async () => {
		const server = await start({ trackers: ['wss://tracker.example:444/announce'] });
		const { headers } = await get(server, '/watch/');
		expect(headers['content-security-policy']).toContain('wss://tracker.example:444;');
	});

	test('a file with a hash in its name is kept for ever, others are asked for again', async () => {
		const server = await start();
		const asset = await get(server, '/assets/app-1a2b3c.js');
		expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
		expect(asset.headers['content-type']).toContain('javascript');
		const icon = await get(server, '/icon.svg');
		expect(icon.headers['cache-control']).toBe('no-cache');
		const again = await get(server, '/icon.svg', { 'if-none-match': String(icon.headers.etag) });
		expect(again.status).toBe(304);
	});

	test.each(['bytes=5-2', 'bytes=0-1', 'bytes=-1', 'bytes=9999999-', 'bytes=a-b', 'lines=1-2'])(
		'whoever asks for %s gets the whole file, and the server stays',
		async (range) => {
			const server = await start();
			const { status, body } = await get(server, '/icon.svg', { range });
			expect([status, body]).toEqual([200, '<svg/>']);
			expect((await get(server, '/')).status).toBe(200);
		},
	);

	test('files that go while the server runs are served as they were', async () => {
		const file = join(dir, 'assets/gone-1a2b3c.js');
		writeFileSync(file, 'export const gone = 1;');
		const server = await start();
		rmSync(file);
		const { status, body, headers } = await get(server, '/assets/gone-1a2b3c.js');
		expect([status, body]).toEqual([200, 'export const gone = 1;']);
		expect(headers['content-length']).toBe('22');
	});

	test.runIf(existsSync('/proc/self/fd'))(
		'requests that are broken off leave no file open',
		async () => {
			writeFileSync(join(dir, 'assets/large-1a2b3c.js'), 'x'.repeat(2_000_000));
			const server = await start();
			const open = () => readdirSync('/proc/self/fd').length;
			const before = open();
			const { hostname, port } = new URL(server.url);
			const socket = connect(Number(port), hostname);
			await once(socket, 'connect');
			const one = `GET /assets/large-1a2b3c.js HTTP/1.1\r\nHost: a.example\r\n\r\n`;
			socket.write(one.repeat(100));
			await once(socket, 'data');
			socket.destroy();
			await expect.poll(open).toBeLessThanOrEqual(before + 2);
		},
	);

	test('a page without its slash is led to it', async () => {
		const server = await start();
		const { status, headers } = await get(server, '/watch?x=1');
		expect([status, headers.location]).toEqual([308, '/watch/?x=1']);
		expect((await get(server, '/terminal')).headers.location).toBe('/terminal/');
	});

	test.each([
		'/nowhere',
		'/.secret',
		'/../package.json',
		'/%2e%2e/package.json',
		'/seed/%00',
		'/assets/none.js',
		'/%',
	])('%s is not found, and that is not kept', async (path) => {
		const server = await start();
		const { status, headers } = await get(server, path);
		expect([400, 404]).toContain(status);
		expect(headers['cache-control']).toBeUndefined();
	});

	test.each([
		['/nowhere', './'],
		['/watch/nowhere', '../'],
		['/a/b/', '../../'],
	])('who reads pages is shown the way home from %s', async (path, home) => {
		const server = await start();
		const { status, headers, body } = await get(server, path, { accept: 'text/html,*/*' });
		expect([status, body]).toEqual([404, `<a href="${home}">start</a>`]);
		expect(headers['cache-control']).toBe('no-cache');
		expect(headers['content-security-policy']).toContain(`default-src 'none'`);
		const other = await get(server, path, { accept: '*/*' });
		expect([other.status, other.body]).toEqual([404, 'Not found\n']);
	});

	test('a tracker alone says what it is', async () => {
		const server = await start({ pagesDir: undefined });
		expect((await get(server, '/')).body).toContain('tracker');
		expect((await get(server, '/seed/')).status).toBe(404);
	});

	test('missing pages are said in one sentence', async () => {
		await expect(startServer({ pagesDir: '/nowhere' })).rejects.toThrow(
			'No built pages in /nowhere',
		);
	});
});

describe('config.json', () => {
	async function config(options: ServerOptions, headers: Record<string, string> = {}) {
		const { body } = await get(await start(options), '/config.json', headers);
		return JSON.parse(body) as {
			trackers: string[];
			iceServers: { urls: string | string[]; username?: string; credential?: string }[];
		};
	}

	test('names the tracker by the host of the request', async () => {
		expect((await config({}, { host: 'shoal.example:8443' })).trackers).toEqual([
			'ws://shoal.example:8443/announce',
		]);
		expect((await config({}, { host: '[2001:db8::1]:8000' })).trackers).toEqual([
			'ws://[2001:db8::1]:8000/announce',
		]);
	});

	test.each(['evil.example/x?', 'a b', 'a"b', 'user@host', '-x', 'x'.repeat(300), ''])(
		'a Host of %j is not believed',
		async (host) => {
			const [tracker] = (await config({}, { host })).trackers;
			expect(tracker).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/announce$/);
		},
	);

	test('wss is said where a trusted proxy says https, and only there', async () => {
		const headers = { host: 'shoal.example', 'x-forwarded-proto': 'https' };
		expect((await config({ trustedHops: 1 }, headers)).trackers).toEqual([
			'wss://shoal.example/announce',
		]);
		expect((await config({}, headers)).trackers).toEqual(['ws://shoal.example/announce']);
	});

	test('STUN of our own is offered to visitors from elsewhere, where nothing else is set', async () => {
		const { iceServers } = await config({ stun: true }, { host: 'shoal.example:8000' });
		expect(iceServers).toEqual([{ urls: expect.stringMatching(/^stun:shoal\.example:\d+$/) }]);
		expect((await config({ stun: true }, { host: 'localhost:8000' })).iceServers).toEqual([]);
		const own = [{ urls: 'stun:stun.example' }];
		expect(
			(await config({ stun: true, iceServers: own }, { host: 'shoal.example' })).iceServers,
		).toEqual(own);
	});

	test('TURN credentials are a visitor’s own and what coturn expects', async () => {
		const turn = { urls: ['turn:turn.example:3478'], secret: 'north', ttlS: 600 };
		const { iceServers } = await config({ turn });
		const [server] = iceServers;
		expect(server?.urls).toEqual(turn.urls);
		const expiry = Number(server?.username?.split(':')[0]);
		expect(Math.abs(expiry - Date.now() / 1000 - 600)).toBeLessThan(60);
		expect(server?.credential).toMatch(/^[A-Za-z0-9+/]{27}=$/);
		const nameOf = (addressKey: string, nowMs = 0) =>
			turnCredentials('north', { addressKey, ttlS: 600 }, nowMs).username;
		expect(nameOf('192.0.2.1')).toMatch(/^600:[0-9a-f]{12}$/);
		// The quota counts by what stands after the colon: asking again brings no second share.
		expect(nameOf('192.0.2.1', 5000).split(':')[1]).toBe(nameOf('192.0.2.1').split(':')[1]);
		expect(nameOf('192.0.2.2')).not.toBe(nameOf('192.0.2.1'));
	});
});
