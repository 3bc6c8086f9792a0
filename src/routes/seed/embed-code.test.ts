import { expect, test } from 'vitest';
import { embedCode } from './embed-code.ts';

test('the embed code is one iframe with the rights a player needs', () => {
	const code = embedCode('https://a.example/embed/#key');
	expect(code).toMatch(/^<iframe src="https:\/\/a\.example\/embed\/#key" .*><\/iframe>$/);
	expect(code).toContain('autoplay; fullscreen; picture-in-picture');
	expect(code).toContain('local-network; loopback-network');
	expect(code).toContain('allowfullscreen');
});

test('an address can’t break out of its attribute', () => {
	const code = embedCode('https://a.example/?a=1&b="><script>#key');
	expect(code).toContain('src="https://a.example/?a=1&amp;b=&quot;><script>#key"');
});
