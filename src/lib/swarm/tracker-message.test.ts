import fc from 'fast-check';
import { expect, it } from 'vitest';
import { binaryStringOfHex } from './binary-id.ts';
import { announceFrame, answerFrame, parseTrackerFrame } from './tracker-message.ts';

const infoHash = 'ff00'.repeat(10);
const peerId = '2d'.repeat(20);
const other = '7fe9'.repeat(10);
const offerId = '00c3'.repeat(10);
const info_hash = binaryStringOfHex(infoHash);
const parse = (value: unknown) => parseTrackerFrame(JSON.stringify(value), infoHash, peerId);
const relayed = {
	action: 'announce',
	info_hash,
	peer_id: binaryStringOfHex(other),
	offer_id: binaryStringOfHex(offerId),
};

it('writes an announce as stock clients do', () => {
	const frame = announceFrame({
		infoHash,
		peerId,
		event: 'started',
		left: 1,
		offers: [{ offerId, sdp: 'v=0' }],
		account: undefined,
		resume: undefined,
	});
	expect(JSON.parse(frame)).toEqual({
		action: 'announce',
		info_hash,
		peer_id: binaryStringOfHex(peerId),
		numwant: 1,
		uploaded: 0,
		downloaded: 0,
		left: 1,
		event: 'started',
		offers: [{ offer_id: binaryStringOfHex(offerId), offer: { type: 'offer', sdp: 'v=0' } }],
	});
});

it('asks for nobody when there are no offers, and tells its account when it has one', () => {
	const frame = announceFrame({
		infoHash,
		peerId,
		event: undefined,
		left: 0,
		offers: [],
		account: { hop: 2, slots: 3, starving: false, uplinkKbps: 900 },
		resume: 'r',
	});
	const fields = JSON.parse(frame) as Record<string, unknown>;
	expect(fields).toMatchObject({ numwant: 0, offers: [], left: 0 });
	expect(fields.shoal).toEqual({ hop: 2, slots: 3, uploadKbps: 900, resume: 'r' });
	expect(fields).not.toHaveProperty('event');
});

it('writes an answer as stock clients do', () => {
	const frame = answerFrame({ infoHash, peerId, toPeerId: other, offerId, sdp: 'v=0' });
	expect(JSON.parse(frame)).toEqual({
		action: 'announce',
		info_hash,
		peer_id: binaryStringOfHex(peerId),
		to_peer_id: binaryStringOfHex(other),
		offer_id: binaryStringOfHex(offerId),
		answer: { type: 'answer', sdp: 'v=0' },
	});
});

it('reads offers, answers, replies and refusals', () => {
	expect(parse({ ...relayed, offer: { type: 'offer', sdp: 'o' } })).toEqual({
		type: 'offer',
		peerId: other,
		offerId,
		sdp: 'o',
	});
	expect(parse({ ...relayed, answer: { type: 'answer', sdp: 'a' } })).toEqual({
		type: 'answer',
		peerId: other,
		offerId,
		sdp: 'a',
	});
	expect(
		parse({ action: 'announce', info_hash, interval: 120, complete: 1, incomplete: 9 }),
	).toEqual({
		type: 'reply',
		intervalS: 120,
		complete: 1,
		incomplete: 9,
		relayed: undefined,
		resume: undefined,
	});
	expect(parse({ action: 'announce', info_hash, 'failure reason': 'not \u202eallowed' })).toEqual({
		type: 'failure',
		reason: 'not  allowed',
	});
	expect(parse({ 'failure reason': 'x'.repeat(5000) })).toEqual({
		type: 'failure',
		reason: 'x'.repeat(120),
	});
});

it('passes over what is malformed, of another swarm, or from itself', () => {
	const offer = { type: 'offer', sdp: 'o' };
	for (const value of [
		null,
		5,
		'announce',
		[],
		{},
		{ action: 'scrape', files: {} },
		{ action: 'announce' },
		{ action: 'announce', info_hash: 5 },
		{ action: 'announce', info_hash: binaryStringOfHex(other), interval: 5 },
		{ action: 'announce', info_hash: '\u4e00'.repeat(20), interval: 5 },
		{ ...relayed, peer_id: binaryStringOfHex(peerId), offer },
		{ ...relayed, peer_id: 'short', offer },
		{ ...relayed, offer_id: undefined, offer },
		{ ...relayed, offer_id: {}, offer },
		{ ...relayed, offer: 'v=0' },
		{ ...relayed, offer: [offer] },
		{ ...relayed, offer: { type: 'answer', sdp: 'o' } },
		{ ...relayed, offer: { type: 'offer', sdp: 7 } },
		{ ...relayed, answer: { type: 'offer', sdp: 'o' } },
	]) {
		expect(parse(value), JSON.stringify(value)).toBeUndefined();
	}
	expect(parseTrackerFrame('{"action":', infoHash, peerId)).toBeUndefined();
});

it('takes numbers that are none as if they were not there', () => {
	const reply = { action: 'announce', info_hash, interval: -5, complete: '7', incomplete: null };
	expect(parse({ ...reply, shoal: { relayed: 'all', resume: 'r'.repeat(65) } })).toEqual({
		type: 'reply',
		intervalS: undefined,
		complete: undefined,
		incomplete: undefined,
		relayed: undefined,
		resume: undefined,
	});
});

it('never throws, whatever the frame', () => {
	const frame = fc.oneof(
		fc.string(),
		fc.json(),
		fc
			.record(
				{
					action: fc.constantFrom('announce', 'scrape', 5),
					info_hash: fc.constantFrom(info_hash, 'x', null),
					peer_id: fc.oneof(fc.constant(binaryStringOfHex(other)), fc.anything()),
					offer_id: fc.oneof(fc.constant(binaryStringOfHex(offerId)), fc.anything()),
					offer: fc.anything(),
					answer: fc.anything(),
					interval: fc.anything(),
					shoal: fc.anything(),
					'failure reason': fc.anything(),
				},
				{ requiredKeys: [] },
			)
			.map((value) => {
				try {
					return JSON.stringify(value);
				} catch {
					return '';
				}
			}),
	);
	fc.assert(
		fc.property(frame, (text) => {
			const message = parseTrackerFrame(text ?? '', infoHash, peerId);
			if (message?.type !== 'offer' && message?.type !== 'answer') return;
			expect(message.peerId).toMatch(/^[0-9a-f]{40}$/);
			expect(typeof message.sdp).toBe('string');
		}),
		{ numRuns: 5000 },
	);
});
