import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';

import { bindingResponse } from './stun-message.ts';
import { startStunServer } from './stun-server.ts';

function bindingRequest(attributes: number[] = []): Uint8Array {
	const transaction = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];
	return Uint8Array.from([
		0,
		1,
		0,
		attributes.length,
		0x21,
		0x12,
		0xa4,
		0x42,
		...transaction,
		...attributes,
	]);
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0)) await cleanup();
});

test('the mapped addresses of RFC 5769 §2.2 and §2.3 are reproduced', () => {
	const v4 = bindingResponse(bindingRequest(), '192.0.2.1', 32853);
	expect([...(v4 ?? []).slice(20)]).toEqual([
		0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
	]);
	const v6 = bindingResponse(bindingRequest(), '2001:db8:1234:5678:11:2233:4455:6677', 32853);
	expect(Buffer.from((v6 ?? new Uint8Array()).slice(24)).toString('hex')).toBe(
		'0002a1470113a9faa5d3f179bc25f4b5bed2b9d9',
	);
});

test('the response has the request’s transaction and is hardly longer', () => {
	const request = bindingRequest();
	const response = bindingResponse(request, '192.0.2.1', 1) ?? new Uint8Array();
	expect([...response.slice(0, 2)]).toEqual([1, 1]);
	expect(response.slice(4, 20)).toEqual(request.slice(4, 20));
	// With the 28 bytes of IP and UDP around each: 60 for 48.
	expect(response.length + 28).toBeLessThanOrEqual(1.5 * (request.length + 28));
});

test.each<[string, Uint8Array]>([
	['nothing', new Uint8Array()],
	['half a header', bindingRequest().slice(0, 10)],
	['no magic cookie', bindingRequest().map((byte, i) => (i === 4 ? 0 : byte))],
	['a response', bindingRequest().map((byte, i) => (i === 0 ? 1 : byte))],
	['an allocation', bindingRequest().map((byte, i) => (i === 1 ? 3 : byte))],
	['a wrong length', Uint8Array.from([...bindingRequest(), 0, 0, 0, 0])],
	['an attribute that overruns', bindingRequest([0x80, 0x22, 0, 9, 1, 2, 3, 4])],
	['a very long request', bindingRequest(Array<number>(120).fill(0))],
])('%s gets no answer', (_, request) => {
	expect(bindingResponse(request, '192.0.2.1', 1)).toBeUndefined();
});

test('who claims to ask from port 0, where nothing can be sent, gets no answer', () => {
	expect(bindingResponse(bindingRequest(), '192.0.2.1', 0)).toBeUndefined();
});

test('a whole attribute is skipped over', () => {
	const software = [0x80, 0x22, 0, 3, 0x61, 0x62, 0x63, 0];
	expect(bindingResponse(bindingRequest(software), '192.0.2.1', 1)).toBeDefined();
});

test('over UDP a client learns its own port, and only so often', async () => {
	const server = await startStunServer('127.0.0.1', 0);
	const client = createSocket('udp4');
	cleanups.push(
		() => server.close(),
		() => client.close(),
	);
	client.bind(0, '127.0.0.1');
	await once(client, 'listening');
	let answers = 0;
	client.on('message', () => answers++);
	client.send(Buffer.from('garbage'), server.port, '127.0.0.1');
	client.send(bindingRequest(), server.port, '127.0.0.1');
	const [response] = (await once(client, 'message')) as [Buffer];
	expect(response.readUInt16BE(26) ^ 0x2112).toBe(client.address().port);

	for (let i = 0; i < 200; i++) client.send(bindingRequest(), server.port, '127.0.0.1');
	while (server.answered + server.dropped < 202) {
		await new Promise((resolve) => {
			setTimeout(resolve, 5);
		});
	}
	expect(server.answered).toBeLessThan(60);
	expect(answers).toBeLessThanOrEqual(server.answered);
});
