import { expect, test } from 'vitest';
import { linkTarget } from './link-target.ts';

const page = new URL('https://here.example/shoal/watch/');
// The public key of RFC 8032 §7.1, test 1.
const id = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';

test('a bare channel and a link of this site lead to the watch page', () => {
	const here = `https://here.example/shoal/watch/#${id}`;
	expect(linkTarget(id, page)).toBe(here);
	expect(linkTarget(` ${here}\n`, page)).toBe(here);
	expect(linkTarget(`#${id}`, page)).toBe(here);
	expect(linkTarget(`https://here.example/shoal/embed/#${id}`, page)).toBe(here);
});

test('what follows the channel in the fragment is kept', () => {
	expect(linkTarget(`https://here.example/shoal/watch/#${id}.secret`, page)).toBe(
		`https://here.example/shoal/watch/#${id}.secret`,
	);
});

test('a link of another site leads there', () => {
	const there = `https://there.example/watch/#${id}`;
	expect(linkTarget(there, page)).toBe(there);
});

test('no scheme but http leads anywhere', () => {
	expect(linkTarget(`javascript:alert(1)//#${id}`, page)).toBe(
		`https://here.example/shoal/watch/#${id}`,
	);
});

test('a link to a replay leads to the watch page too', () => {
	const infoHash = '0123456789abcdef0123456789abcdef01234567';
	expect(linkTarget(`https://here.example/shoal/watch/#${infoHash}`, page)).toBe(
		`https://here.example/shoal/watch/#${infoHash}`,
	);
	expect(linkTarget(infoHash, page)).toBe(`https://here.example/shoal/watch/#${infoHash}`);
});

test('a cut link is refused', () => {
	const cut = `https://here.example/shoal/watch/#${id.slice(0, 30)}`;
	expect(() => linkTarget(cut, page)).toThrow(expect.objectContaining({ code: 'bad-link' }));
});
