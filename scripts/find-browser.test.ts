import { afterEach, expect, test, vi } from 'vitest';
import { findBrowser } from './find-browser.mjs';

afterEach(() => {
	vi.unstubAllEnvs();
});

test('a variable that names no browser is told, not passed over', () => {
	vi.stubEnv('SHOAL_BROWSER', '/nowhere/chromium');
	expect(() => findBrowser()).toThrow('SHOAL_BROWSER is set to /nowhere/chromium');
});

test('a program that does not start is no browser', () => {
	vi.stubEnv('SHOAL_BROWSER', '');
	vi.stubEnv('CHROME_PATH', '/bin/false');
	expect(() => findBrowser()).toThrow('CHROME_PATH is set to /bin/false');
});

test('without any installed there is none', () => {
	for (const name of ['SHOAL_BROWSER', 'CHROME_PATH', 'PATH']) vi.stubEnv(name, '');
	vi.stubEnv('PLAYWRIGHT_BROWSERS_PATH', '/nowhere');
	if (process.platform === 'linux') expect(findBrowser()).toBeUndefined();
});
