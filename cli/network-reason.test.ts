import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { findProgram } from '../scripts/find-program.mjs';
import { loadSite } from './site.ts';
import { tidyFolder, tidyUp } from './testing/shoal.ts';

const servers: Server[] = [];
afterAll(async () => {
	for (const server of servers) server.close();
	await tidyUp();
});

async function serve(server: Server): Promise<number> {
	servers.push(server);
	await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
	return (server.address() as AddressInfo).port;
}

/** An address where nothing listens: one that was free a moment ago. */
async function refusing(): Promise<string> {
	const port = await serve(createServer());
	await new Promise((resolve) => servers.pop()?.close(resolve));
	return `http://localhost:${port}`;
}

async function selfSigned(): Promise<string> {
	const folder = tidyFolder();
	const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
	const how = [
		'req',
		'-x509',
		'-newkey',
		'rsa:2048',
		'-nodes',
		'-days',
		'1',
		'-subj',
		'/CN=localhost',
	];
	execFileSync('openssl', [...how, '-keyout', key, '-out', cert], { stdio: 'ignore' });
	const pair = { key: readFileSync(key), cert: readFileSync(cert) };
	return `https://localhost:${await serve(createTlsServer(pair))}`;
}

const answering = async (answer: string) =>
	`http://localhost:${await serve(createServer((_, response) => response.end(answer)))}`;

async function faultOf(app: string): Promise<string> {
	const fault = await loadSite({ app }).catch((error: unknown) => error);
	expect(fault).toMatchObject({ exitCode: 4 });
	const { message } = fault as Error;
	expect(message).not.toMatch(/TypeError|fetch failed|ENOTFOUND|ECONN/);
	return message;
}

it.each<[string, () => string | Promise<string>, RegExp]>([
	[
		'a name that is none',
		() => 'http://nowhere.invalid',
		/config\.json could not .*: its name was not found\. Is/,
	],
	['nobody there', refusing, /: the connection was refused, so nothing listens at that port\. Is/],
	[
		'https: where there is http:',
		async () => (await answering('')).replace('http', 'https'),
		/: it speaks no TLS there/,
	],
	[
		'a server that hangs up',
		async () =>
			`http://localhost:${await serve(createServer(({ socket }) => void socket.destroy()))}`,
		/: the connection broke off\. Is/,
	],
	[
		'a page instead',
		() => answering('<!doctype html>'),
		/known: the configuration is not JSON\. Is/,
	],
])('a site that can’t be asked for its trackers is said in words: %s', async (_, site, words) => {
	expect(await faultOf(await site())).toMatch(words);
});

it.skipIf(!findProgram('openssl'))('so is a certificate that nobody vouches for', async () => {
	expect(await faultOf(await selfSigned())).toMatch(
		/: its certificate is not one that is trusted here\. Is/,
	);
});
