import { spawn } from 'node:child_process';
import {
	cpSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const top = join(import.meta.dirname, '..');
let house: string;

/** A house with one page and a server that prints its address; the scripts and configurations are the real ones. */
beforeEach(() => {
	house = mkdtempSync(join(tmpdir(), 'shoal-start-'));
	for (const real of ['scripts', 'vite.config.ts', 'vite.node.config.ts', 'package.json'])
		cpSync(join(top, real), join(house, real), { recursive: true });
	symlinkSync(join(top, 'node_modules'), join(house, 'node_modules'), 'dir');
	write('src/routes/index.html', '<script type="module" src="./main.ts"></script>');
	write('src/routes/main.ts', `document.title = 'one';`);
	write('tracker-server/main.ts', `console.log('http://localhost:1/seed/');`);
});
afterEach(() => {
	rmSync(house, { recursive: true, force: true });
});

function write(path: string, text: string): void {
	mkdirSync(dirname(join(house, path)), { recursive: true });
	writeFileSync(join(house, path), text);
}

function start(): Promise<{ code: number | null; out: string; err: string }> {
	return new Promise((resolve, reject) => {
		const child = spawn(process.execPath, ['scripts/start.mjs'], { cwd: house });
		let out = '';
		let err = '';
		child.stdout.on('data', (text: Buffer) => (out += text.toString()));
		child.stderr.on('data', (text: Buffer) => (err += text.toString()));
		child.on('error', reject);
		child.on('close', (code) => {
			resolve({ code, out, err });
		});
	});
}

test('the first start builds pages and server, the next builds nothing', async () => {
	const first = await start();
	expect(first).toMatchObject({ code: 0, err: '' });
	expect(first.out).toMatch(
		/Building the pages … .*\nBuilding the server … .*\nhttp:\/\/localhost:1\/seed\/\n$/,
	);
	expect(readdirSync(join(house, 'dist')).sort()).toEqual([
		'node',
		'pages',
		'pages.stamp',
		'server.stamp',
	]);

	expect(await start()).toEqual({ code: 0, out: 'http://localhost:1/seed/\n', err: '' });
});

test('a changed, a new and a removed source are each built again', async () => {
	await start();
	write('src/routes/main.ts', `import './more.ts';`);
	write('src/routes/more.ts', `document.title = 'two';`);
	expect((await start()).out).toMatch(/^Building the pages …[^\n]*\nhttp/);

	write('src/routes/main.ts', `document.title = 'one';`);
	rmSync(join(house, 'src/routes/more.ts'));
	expect((await start()).out).toMatch(/^Building the pages …[^\n]*\nhttp/);
});

test('a broken page is told in one sentence, and the build before it stays', async () => {
	await start();
	write('src/routes/main.ts', 'let broken = = 1;');
	const { code, err } = await start();
	expect(code).toBe(1);
	expect(err).toBe(
		'The pages cannot be built: Unexpected token (src/routes/main.ts:1:14). Run npm run build to see more.\n',
	);
	expect(readdirSync(join(house, 'dist/pages'))).toContain('index.html');
	expect((await start()).code).toBe(1);
});

test('missing packages are told in one sentence', async () => {
	rmSync(join(house, 'node_modules'));
	expect(await start()).toEqual({
		code: 1,
		out: '',
		err: 'The packages that Shoal is built with are missing: run "npm ci" first.\n',
	});
});

test("the server's exit code is the program's own", async () => {
	write('tracker-server/main.ts', `console.error('Port 80 is taken.'); process.exit(3);`);
	const { code, err } = await start();
	expect({ code, err }).toEqual({ code: 3, err: 'Port 80 is taken.\n' });
});
