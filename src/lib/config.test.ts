import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_CONFIG_CHARACTERS, loadConfig, parseConfig } from './config.ts';
import { ShoalError } from './model/error.ts';

function codeAndMessage(run: () => unknown): { code: string; message: string } {
	try {
		run();
	} catch (error) {
		if (error instanceof ShoalError) return { code: error.code, message: error.message };
		throw error;
	}
	throw new Error('nothing was thrown');
}

const parse = (value: unknown) => parseConfig(JSON.stringify(value));

describe('a site’s configuration', () => {
	test('keeps trackers and ICE servers in their order', () => {
		const config = parse({
			trackers: ['wss://a.example/announce', 'ws://b.example:8000/announce'],
			iceServers: [
				{ urls: 'stun:a.example:3478' },
				{
					urls: ['turn:b.example', 'turns:b.example?transport=tcp'],
					username: 'u',
					credential: 'c',
				},
			],
		});
		expect(config.trackers).toEqual(['wss://a.example/announce', 'ws://b.example:8000/announce']);
		expect(config.iceServers).toEqual([
			{ urls: ['stun:a.example:3478'] },
			{ urls: ['turn:b.example', 'turns:b.example?transport=tcp'], username: 'u', credential: 'c' },
		]);
	});

	test('needs no ICE servers and ignores fields it does not know', () => {
		expect(parse({ trackers: ['wss://a.example'], colour: 'red' })).toEqual({
			trackers: ['wss://a.example'],
			iceServers: [],
		});
	});

	test.each([
		['no object', [], 'it is not an object'],
		['no trackers', {}, 'trackers'],
		['an empty list of trackers', { trackers: [] }, 'trackers is empty'],
		['a tracker by http', { trackers: ['https://a.example'] }, 'trackers[0]'],
		['a tracker that is no text', { trackers: ['wss://a.example', 7] }, 'trackers[1]'],
		['too many trackers', { trackers: Array(17).fill('wss://a.example') }, 'more than 16'],
		['an over-long tracker', { trackers: [`wss://a.example/${'a'.repeat(600)}`] }, 'trackers[0]'],
		[
			'an ICE server by http',
			{ trackers: ['wss://a.example'], iceServers: [{ urls: 'http://a.example' }] },
			'iceServers[0].urls',
		],
		[
			'an ICE server without address',
			{ trackers: ['wss://a.example'], iceServers: [{}] },
			'iceServers[0].urls',
		],
		[
			'a credential that is no text',
			{ trackers: ['wss://a.example'], iceServers: [{ urls: 'turn:a.example', credential: 1 }] },
			'iceServers[0].credential',
		],
	])('is refused with %s, and the field is named', (_, value, field) => {
		const { code, message } = codeAndMessage(() => parse(value));
		expect(code).toBe('bad-config');
		expect(message).toContain(field);
	});

	test('is refused when it is too long to be one', () => {
		const text = JSON.stringify({ trackers: ['wss://a.example'] });
		const { code } = codeAndMessage(() => parseConfig(text + ' '.repeat(MAX_CONFIG_CHARACTERS)));
		expect(code).toBe('bad-config');
	});

	test('throws nothing but bad-config, whatever the text', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
				try {
					expect(parseConfig(text).trackers.length).toBeGreaterThan(0);
				} catch (error) {
					expect(error).toBeInstanceOf(ShoalError);
					expect((error as ShoalError).code).toBe('bad-config');
				}
			}),
		);
	});
});

describe('loading', () => {
	const answer = (body: string, status = 200) =>
		(() => Promise.resolve(new Response(body, { status }))) as typeof fetch;

	test('gives the configuration of a good answer', async () => {
		const config = await loadConfig('/config.json', answer('{"trackers":["wss://a.example"]}'));
		expect(config.trackers).toEqual(['wss://a.example']);
	});

	test('turns a missing file and a dead network into bad-config', async () => {
		await expect(loadConfig('/config.json', answer('', 404))).rejects.toMatchObject({
			code: 'bad-config',
		});
		const dead = (() => Promise.reject(new TypeError('Failed to fetch'))) as typeof fetch;
		await expect(loadConfig('/config.json', dead)).rejects.toMatchObject({ code: 'bad-config' });
	});

	test('reads no more of an endless answer than it needs to refuse it', async () => {
		let given = 0;
		const body = new ReadableStream<Uint8Array>({
			pull(controller) {
				given += 64 * 1024;
				controller.enqueue(new Uint8Array(64 * 1024).fill(0x20));
			},
		});
		const endless = (() => Promise.resolve(new Response(body))) as typeof fetch;
		await expect(loadConfig('/config.json', endless)).rejects.toMatchObject({ code: 'bad-config' });
		expect(given).toBeLessThan(8 * MAX_CONFIG_CHARACTERS);
	});
});
