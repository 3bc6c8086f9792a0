import { expect, test } from 'vitest';
import { programLog } from './program-log.ts';

function written(isTTY: boolean, level?: string): string {
	let text = '';
	const log = programLog(level, { isTTY, write: (more) => (text += more) });
	log.info({ port: 8000 }, 'the server is up');
	log.warn({ err: new Error('EACCES') }, 'STUN is off');
	return text;
}

test('a terminal sees warnings in words, and more only when asked for', () => {
	expect(written(true)).toBe('STUN is off: EACCES\n');
	expect(written(true, 'info')).toBe('the server is up\nSTUN is off: EACCES\n');
});

test('everything else gets JSON lines', () => {
	const lines = written(false).trim().split('\n');
	expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
		'the server is up',
		'STUN is off',
	]);
});
