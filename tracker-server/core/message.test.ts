import fc from 'fast-check';
import { expect, test } from 'vitest';

import { announceMessage, sampleOffers, sampleSdp, wireId } from '../testing/messages.ts';
import { defaultLimits as limits } from './limits.ts';
import { parseMessage } from './message.ts';
import type { Announce } from './message.ts';
import { isRelayableLiteral, relayableSdp } from './sdp.ts';
import { hasWideEscape, idOfWire, textOfWire, wireOfId, wireOfText } from './wire-text.ts';

const swarm = wireId('swarm');
const peer = wireId('peer');

function parse(text: string) {
	return parseMessage(wireOfText(text), limits);
}

const anyId = fc
	.array(fc.integer({ min: 0, max: 255 }), { minLength: 20, maxLength: 20 })
	.map((bytes) => String.fromCharCode(...bytes));

test('any id survives the wire, and nothing but ids does', () => {
	fc.assert(
		fc.property(anyId, (id) => {
			expect(idOfWire(wireOfText(id))).toBe(id);
			expect(wireOfId(id)).toBe(wireOfText(JSON.stringify(id)));
		}),
	);
	fc.assert(
		fc.property(fc.string({ unit: 'binary', minLength: 10, maxLength: 40 }), (text) => {
			const isId = text.length === 20 && !/[\u0100-\uffff]/.test(text);
			expect(idOfWire(wireOfText(text))).toBe(isId ? text : undefined);
		}),
	);
});

test('bytes that are no UTF-8 make no id', () => {
	for (const bytes of [
		'\xc2'.repeat(20),
		'\x80'.repeat(20),
		`${'x'.repeat(19)}\xc3`,
		`\xc1\x81${'x'.repeat(19)}`,
	]) {
		expect(idOfWire(bytes)).toBeUndefined();
	}
});

test('wire text is UTF-8', () => {
	fc.assert(
		fc.property(fc.string({ unit: 'grapheme' }), (text) => {
			expect(wireOfText(text)).toBe(Buffer.from(text).toString('latin1'));
			expect(textOfWire(wireOfText(text))).toBe(text);
		}),
	);
});

test('however a client writes its JSON, the same announce is read', () => {
	const ascii = (text: string) =>
		text.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
	fc.assert(
		fc.property(anyId, anyId, anyId, (infoHash, peerId, offerId) => {
			const offer = { offer_id: offerId, offer: { type: 'offer', sdp: sampleSdp() } };
			const message = announceMessage(infoHash, peerId, { offers: [offer] });
			const expected = parse(JSON.stringify(message));
			expect(expected).toMatchObject({ type: 'announce', infoHash, peerId });
			expect((expected as Announce).offers).toEqual([
				{ offerId, sdpJson: JSON.stringify(sampleSdp()) },
			]);
			for (const text of [
				ascii(JSON.stringify(message)),
				JSON.stringify(message, undefined, '\t'),
				JSON.stringify(message).replaceAll('":"', '": "'),
			]) {
				expect(parse(text)).toEqual(expected);
			}
		}),
		{ numRuns: 30 },
	);
});

test('wide escapes are told from those of bytes', () => {
	expect(hasWideEscape(String.raw`"\u0000\u001f\u007f\n"`)).toBe(false);
	for (const wide of ['0080', '00ff', '0100', '4e00', '00']) {
		expect(hasWideEscape(`"\\u${wide}"`)).toBe(wide !== '00');
	}
});

test('an SDP is relayed as the literal it came in', () => {
	const sdp = sampleSdp(20);
	expect(relayableSdp(sdp, limits)).toBe(JSON.stringify(sdp));
	expect(isRelayableLiteral(JSON.stringify(sdp), limits)).toBe(true);
	expect(isRelayableLiteral(JSON.stringify(sampleSdp(21)), limits)).toBe(false);
	expect(isRelayableLiteral(`${JSON.stringify(sdp)} `, limits)).toBe(false);
	expect(isRelayableLiteral(`"${sdp}"`, limits)).toBe(false);
});

test('candidates that hide behind escapes are counted all the same', () => {
	const text = JSON.stringify(
		announceMessage(swarm, peer, { offers: sampleOffers('o', 1, sampleSdp(30)) }),
	);
	const hidden = text.replaceAll('a=candidate', String.raw`\u0061=c\u0061ndidate`);
	const read = parse(hidden) as Announce;
	expect(read.offers[0]?.sdpJson.match(/a=candidate/g)).toHaveLength(20);
});

test('a number in place of an SDP finds nothing that the client did not send itself', () => {
	const offers = [{ offer_id: wireId('o'), offer: { type: 'offer', sdp: 0 } }];
	expect(parse(JSON.stringify(announceMessage(swarm, peer, { offers })))).toMatchObject({
		reason: 'offer',
	});
});

test('text that looks like an SDP key inside another string changes nothing', () => {
	const message = announceMessage(swarm, peer, {
		trick: `a"sdp":"${sampleSdp()}`,
		offers: sampleOffers('o', 1),
	});
	expect((parse(JSON.stringify(message)) as Announce).offers).toHaveLength(1);
	const key = { [`a"sdp`]: sampleSdp(), ...message };
	expect((parse(JSON.stringify(key)) as Announce).offers).toHaveLength(1);
});

test('raw control characters in a string are no JSON, in an SDP as anywhere', () => {
	const text = JSON.stringify(announceMessage(swarm, peer, { offers: sampleOffers('o', 1) }));
	expect(parse(text.replaceAll(String.raw`\n`, '\n'))).toMatchObject({ reason: 'json' });
});

test('an SDP behind a raw line break is not looked past', () => {
	const text = JSON.stringify(announceMessage(swarm, peer, { offers: sampleOffers('o', 1) }));
	const hidden = text.replace(String.raw`\r\n"`, String.raw`\r\n` + '\nm=video 9 x"');
	expect(hidden).not.toBe(text);
	expect(parse(hidden)).toMatchObject({ reason: 'json' });
});

test('an announce may come without offers', () => {
	for (const offers of [undefined, null, []]) {
		expect(parse(JSON.stringify(announceMessage(swarm, peer, { offers })))).toMatchObject({
			type: 'announce',
			offers: [],
		});
	}
});
