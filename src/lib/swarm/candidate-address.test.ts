import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isCandidateAddress } from './candidate-address.ts';

const fine = (address: string, allowLoopback = false) => isCandidateAddress(address, allowLoopback);

it('takes public and local-network addresses, and mDNS names', () => {
	for (const address of [
		'203.0.113.7',
		'10.0.0.2',
		'192.168.1.20',
		'100.64.0.1',
		'2001:db8::1',
		'fd00::2',
		'2001:db8:0:1:2:3:4:5',
		'2001:db8:1:2::4:5:6',
		'203.0.113.255',
		'169.1.2.3',
		'10.254.0.1',
		'::ffff:203.0.113.7',
		'64:ff9b::203.0.113.7',
		'0b3c27a8-3f4f-4a53-9c3e-2f7a1f0c9d11.local',
	]) {
		expect(fine(address), address).toBe(true);
	}
});

it('refuses what no peer can be at', () => {
	for (const address of [
		'0.0.0.0',
		'0.1.2.3',
		'169.254.1.1',
		'224.0.0.251',
		'240.0.0.1',
		'255.255.255.255',
		'::',
		'::2',
		'fe80::1',
		'febf::1',
		'fe80::1%eth0',
		'ff00::1',
		'ff02::1',
		'::1:0:1',
		'::1:1',
		'::ffff:169.254.1.1',
		'::ffff:0:1',
		'::203.0.113.7',
	]) {
		expect(fine(address, true), address).toBe(false);
	}
});

it('refuses names and every other spelling of an address', () => {
	for (const address of [
		'',
		'example.com',
		'localhost',
		'router.local',
		'0b3c27a8-3f4f-4a53-9c3e-2f7a1f0c9d11.local.example.com',
		'010.0.0.1',
		'0x7f.0.0.1',
		'2130706433',
		'127.1',
		'1.2.3.4.5',
		'256.1.1.1',
		'1::2::3',
		'1:2:3:4:5:6:7',
		'1:2:3:4:5:6:7:8:9',
		'1:2:3:4::5:6:7:8',
		'1:2:3:4::5:6:7:8:9',
		'12345::1',
		'::g',
		'1.2.3.4::',
		'2001:db8::1.2.3.4:5',
		`2001:db8::${'0'.repeat(80)}1`,
	]) {
		expect(fine(address, true), address).toBe(false);
	}
});

it('takes loopback only where everything is on one machine', () => {
	for (const address of ['127.0.0.1', '127.8.9.1', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1']) {
		expect(fine(address), address).toBe(false);
		expect(fine(address, true), address).toBe(true);
	}
});

it('agrees with itself however an IPv6 address is written', () => {
	fc.assert(
		fc.property(
			fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }),
			(groups) => {
				const long = groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
				const upper = groups.map((group) => group.toString(16).toUpperCase()).join(':');
				expect(fine(upper)).toBe(fine(long));
			},
		),
	);
});

it('judges any text without throwing', () => {
	fc.assert(
		fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.domain()), (text) => {
			expect(typeof fine(text)).toBe('boolean');
		}),
		{ numRuns: 2000 },
	);
});
