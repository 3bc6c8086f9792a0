import { expect, test } from 'vitest';
import { resumeProofs } from './resume-proofs.ts';

const SINCE_MS = 1_790_000_000_000;
const { issue, since } = resumeProofs(new Uint8Array(32).fill(1));
const proof = issue('hash', 'peer', SINCE_MS);

test('a proof tells since when its name is held, and fits into a message', () => {
	expect(since('hash', 'peer', proof)).toBe(SINCE_MS);
	expect(proof.length).toBeLessThanOrEqual(64);
});

test('it is no proof for another name, of an earlier time, or by another secret', () => {
	const [time = '', mac = ''] = proof.split('.');
	const earlier = (SINCE_MS - 1).toString(36);
	expect(since('hash', 'other', proof)).toBeUndefined();
	expect(since('other', 'peer', proof)).toBeUndefined();
	expect(since('hash', 'peer', `${earlier}.${mac}`)).toBeUndefined();
	expect(resumeProofs(new Uint8Array(32)).since('hash', 'peer', proof)).toBeUndefined();
	for (const text of [
		'',
		'.',
		time,
		`${time}.`,
		`.${mac}`,
		`zzzzzzzzzzzzzzz.${mac}`,
		`-1.${mac}`,
	]) {
		expect(since('hash', 'peer', text), text).toBeUndefined();
	}
});
