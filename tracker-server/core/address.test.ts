import { expect, test } from 'vitest';

import { addressKey, clientAddress, isLoopbackHost, parseAddress, subnetOf } from './address.ts';

test('IPv6 customers are counted by their /64, mapped IPv4 by its address', () => {
	expect(addressKey('2001:db8:1:2:aaaa::1')).toBe('2001:db8:1:2::/64');
	expect(addressKey('2001:db8:1:2:bbbb::9')).toBe('2001:db8:1:2::/64');
	expect(addressKey('::ffff:198.51.100.7')).toBe('198.51.100.7');
	expect(addressKey('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
	expect(addressKey('no address')).toBe('unknown');
});

test('a subnet is a /24 or a /48, and private ones say nothing', () => {
	expect(subnetOf('198.51.100.7')).toBe('198.51.100');
	expect(subnetOf('2001:db8:1:2::1')).toBe('2001:db8:1::/48');
	for (const local of [
		'127.0.0.1',
		'10.1.2.3',
		'192.168.1.2',
		'172.20.0.1',
		'169.254.1.1',
		'::1',
		'fd00::1',
		'fe80::1',
	]) {
		expect(subnetOf(local)).toBe('');
	}
});

test.each([
	'1.2.3',
	'1.2.3.256',
	'1:2:3',
	'::1::',
	':::',
	'g::1',
	'1:2:3:4:5:6:7:8:9',
	'',
	'12345::',
	'1::2::3',
	'::ffff:1.2.3.256',
])('%j is no address', (text) => {
	expect(parseAddress(text)).toBeUndefined();
});

test('without trusted proxies X-Forwarded-For is not believed', () => {
	expect(clientAddress('198.51.100.7', '203.0.113.9', 0)).toBe('198.51.100.7');
});

test('behind trusted proxies the entry they wrote counts, not what the client claimed', () => {
	const claimed = '203.0.113.66, 203.0.113.9';
	expect(clientAddress('10.0.0.1', claimed, 1)).toBe('203.0.113.9');
	expect(clientAddress('10.0.0.1', `${claimed}, 10.0.0.2`, 2)).toBe('203.0.113.9');
	expect(clientAddress('10.0.0.1', '203.0.113.9:4711', 1)).toBe('203.0.113.9');
	expect(clientAddress('10.0.0.1', '[2001:db8::1]:4711', 1)).toBe('[2001:db8::1]');
	expect(clientAddress('10.0.0.1', 'unknown', 1)).toBe('10.0.0.1');
	expect(clientAddress('10.0.0.1', undefined, 1)).toBe('10.0.0.1');
});

test('this machine is known by its names', () => {
	for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '[::1]', '::1']) {
		expect(isLoopbackHost(host)).toBe(true);
	}
	for (const host of ['example.org', '192.168.1.2', '[2001:db8::1]']) {
		expect(isLoopbackHost(host)).toBe(false);
	}
});
