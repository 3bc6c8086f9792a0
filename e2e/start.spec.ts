import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from './fixtures.ts';

const top = join(import.meta.dirname, '..');

test('a busy port is told in one clear sentence', ({ site }) => {
	const { port } = new URL(site.url);
	const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/start.mjs'], {
		cwd: top,
		env: { ...process.env, PORT: port, HOST: 'localhost' },
		encoding: 'utf8',
		timeout: 60_000,
	});
	expect(stderr).toMatch(new RegExp(`^[^\\n]*\\b${port}\\b[^\\n]*\\n$`));
	expect(stdout).toBe('');
	expect(status).not.toBe(0);
	expect(status).not.toBeNull();
});
