import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_SDP_CHARS } from '../model/message.ts';
import { MAX_CANDIDATES } from './bounds.ts';
import { cleanDescription, fingerprintOf, isLoopbackUrl } from './session-description.ts';

const head = ['v=0', 'o=- 46 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0'];
const media = [
	'm=application 50123 UDP/DTLS/SCTP webrtc-datachannel',
	'c=IN IP4 192.168.1.20',
	'a=ice-ufrag:abcd',
	'a=ice-pwd:0123456789abcdefghijkl',
	'a=ice-options:trickle',
	`a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
	'a=setup:actpass',
	'a=mid:0',
	'a=sctp-port:5000',
	'a=max-message-size:262144',
];
const sdpOf = (...lines: string[]) => [...head, ...media, ...lines, ''].join('\r\n');
const host = (address: string, port = 50123, more = '') =>
	`a=candidate:1 1 udp 2113937151 ${address} ${port} typ host${more}`;
const clean = (sdp: string, allowLoopback = false) => cleanDescription(sdp, { allowLoopback });
const candidatesOf = (sdp: string | undefined) =>
	(sdp ?? '').split('\r\n').filter((line) => line.startsWith('a=candidate:'));

it('keeps what a data channel needs', () => {
	const cleaned = clean(sdpOf(host('203.0.113.7', 50123, ' generation 0 network-cost 999')));
	for (const line of [...head, ...media.slice(2), host('203.0.113.7')]) {
		expect(cleaned?.split('\r\n')).toContain(line);
	}
});

it('is the same when cleaned twice', () => {
	const once = clean(sdpOf(host('203.0.113.7'), host('fd00::2')));
	expect(clean(once ?? '')).toBe(once);
});

it('leaves out everything else', () => {
	const cleaned = clean(
		sdpOf('a=candidate-me:1', 'a=rtpmap:96 VP8/90000', 'a=ssrc:1 cname:x', 'i=hello', 'k=clear:x'),
	);
	expect(cleaned).not.toMatch(/candidate-me|rtpmap|ssrc|i=|k=/);
});

it("doesn't tell the default candidate's address and related addresses", () => {
	const srflx =
		'a=candidate:2 1 udp 1677729535 203.0.113.7 61000 typ srflx raddr 192.168.1.20 rport 50123';
	const cleaned = clean(sdpOf(srflx));
	expect(cleaned).not.toContain('192.168.1.20');
	expect(candidatesOf(cleaned)).toEqual([
		'a=candidate:2 1 udp 1677729535 203.0.113.7 61000 typ srflx raddr 0.0.0.0 rport 9',
	]);
});

it('leaves out candidates that nobody should be made to send packets to', () => {
	const cleaned = clean(
		sdpOf(
			host('127.0.0.1'),
			host('169.254.1.1'),
			host('203.0.113.7', 53),
			host('203.0.113.7', 70_000),
			host('victim.example.com'),
			'a=candidate:1 1 tcp 1518280447 203.0.113.7 9 typ host tcptype active',
			'a=candidate:1 2 udp 2113937150 203.0.113.7 50124 typ host',
			'a=candidate:garbage',
		),
	);
	expect(cleaned).toBeDefined();
	expect(candidatesOf(cleaned)).toEqual([]);
});

it('takes every port but those of well-known services', () => {
	for (const [port, count] of [
		[1023, 0],
		[1024, 1],
		[65_535, 1],
		[65_536, 0],
	] as const) {
		expect(candidatesOf(clean(sdpOf(host('203.0.113.7', port)))), `${port}`).toHaveLength(count);
	}
});

it('takes loopback candidates where everything is on one machine', () => {
	expect(candidatesOf(clean(sdpOf(host('127.0.0.1')), true))).toHaveLength(1);
});

it('cuts candidates beyond the bound and merges repeated ones', () => {
	const many = Array.from({ length: 60 }, (_, i) => host(`203.0.113.${i + 1}`));
	expect(candidatesOf(clean(sdpOf(...many)))).toHaveLength(MAX_CANDIDATES);
	expect(candidatesOf(clean(sdpOf(host('203.0.113.7'), host('203.0.113.7'))))).toHaveLength(1);
});

it('refuses descriptions that are not of one data channel', () => {
	const video = 'm=video 9 UDP/TLS/RTP/SAVPF 96';
	expect(clean(sdpOf(video))).toBeUndefined();
	expect(clean(sdpOf(media[0] ?? ''))).toBeUndefined();
	expect(clean([...head, ''].join('\r\n'))).toBeUndefined();
	expect(clean(sdpOf().replace('v=0', 'v=1'))).toBeUndefined();
	expect(clean(sdpOf().replace('webrtc-datachannel', 'telnet 23'))).toBeUndefined();
	for (const needed of ['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup']) {
		expect(clean(sdpOf().replace(`a=${needed}:`, 'a=x:')), needed).toBeUndefined();
	}
});

it('refuses what is too long or not plain text', () => {
	const lines = (count: number) => sdpOf(...Array.from({ length: count }, () => 'a=x'));
	const most = Math.floor((MAX_SDP_CHARS - sdpOf().length) / 'a=x\r\n'.length);
	expect(clean(lines(most))).toBeDefined();
	expect(clean(lines(most + 1))).toBeUndefined();
	expect(clean(sdpOf('a=mid:' + 'x'.repeat(600)))).toBeUndefined();
	expect(clean(sdpOf('a=mid:\u0000'))).toBeUndefined();
	expect(clean(sdpOf('a=mid:\u202e'))).toBeUndefined();
});

it('never throws and keeps its bounds, whatever is done to a description', () => {
	const junk = fc.oneof(
		fc.string(),
		fc.constantFrom(
			...media,
			host('203.0.113.7'),
			'm=audio 9 RTP/AVP 0',
			'a=candidate:',
			'm=',
			'\n',
		),
	);
	fc.assert(
		fc.property(fc.array(junk, { maxLength: 40 }), fc.nat(10), (lines, at) => {
			const mixed = [...head, ...media];
			mixed.splice(at, 0, ...lines);
			const cleaned = clean(mixed.join('\r\n'));
			if (cleaned === undefined) return;
			expect(cleaned.match(/^m=/gm)).toHaveLength(1);
			expect(candidatesOf(cleaned).length).toBeLessThanOrEqual(MAX_CANDIDATES);
			expect(clean(cleaned)).toBe(cleaned);
		}),
		{ numRuns: 3000 },
	);
});

it('knows the trackers of this very machine', () => {
	for (const url of ['ws://localhost:8000/announce', 'ws://127.0.0.1:1', 'ws://[::1]:8000/']) {
		expect(isLoopbackUrl(url), url).toBe(true);
	}
	for (const url of ['wss://tracker.example', 'ws://127.0.0.1.example', 'ws://192.168.1.2', 'x']) {
		expect(isLoopbackUrl(url), url).toBe(false);
	}
});

describe('the certificate of a description', () => {
	const digits = Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, '0')).join(':');
	const named = (...hashes: string[]) =>
		fingerprintOf(['v=0', ...hashes.map((hash) => `a=fingerprint:${hash}`), 'm=x'].join('\r\n'));

	it('is read, however it is written and however often it is said', () => {
		const bytes = new Uint8Array(32).map((_, i) => i);
		expect(named(`sha-256 ${digits}`)).toEqual(bytes);
		expect(named(`SHA-256 ${digits.toUpperCase()}`, `sha-256 ${digits}`)).toEqual(bytes);
	});

	it('is none when there are several, or none, or it is by another hash or cut', () => {
		const other = digits.replace('00:', 'ff:');
		expect(named(`sha-256 ${digits}`, `sha-256 ${other}`)).toBeUndefined();
		expect(named(`sha-256 ${digits}`, `sha-1 ${other.slice(0, 59)}`)).toBeUndefined();
		for (const hash of [
			`sha-512 ${digits}`,
			`sha-256 ${digits.slice(3)}`,
			`sha-256 ${digits}:00`,
		]) {
			expect(named(hash), hash).toBeUndefined();
		}
		expect(named()).toBeUndefined();
	});
});
