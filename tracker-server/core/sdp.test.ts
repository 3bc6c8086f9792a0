import { describe, expect, test } from 'vitest';

import { announceMessage, answerTo, sampleOffers, sampleSdp, wireId } from '../testing/messages.ts';
import { anna, swarm, victim, withVictim } from '../testing/victim.ts';

describe('SDP', () => {
	const offerOf = (sdp: unknown) =>
		announceMessage(swarm, anna, {
			offers: [{ offer_id: wireId('o'), offer: { type: 'offer', sdp } }],
		});

	test.each<[string, unknown]>([
		['of more than 8 KiB', sampleSdp(2, 9_000)],
		[
			'with a second media section',
			`${sampleSdp()}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n`,
		],
		['with video', sampleSdp().replace('m=application', 'm=video')],
		['with no media section', 'v=0\r\n'],
		['that is none', 'hello'],
		['that is no text', { toString: 'x' }],
	])('%s is not relayed', (_, sdp) => {
		const { world, client } = withVictim();
		world.connect().send(offerOf(sdp));
		expect(client.link.offers).toEqual([]);
		expect(world.tracker.tally.invalid).toEqual({ offer: 1 });
	});

	test('candidates beyond twenty are cut', () => {
		const { world, client } = withVictim();
		world.connect().send(offerOf(sampleSdp(30)));
		const { sdp } = client.link.offers[0]?.offer as { sdp: string };
		expect(sdp.match(/a=candidate:/g)).toHaveLength(20);
		expect(sdp.startsWith('v=0\r\n')).toBe(true);
		expect(sdp.endsWith('a=max-message-size:262144\r\n')).toBe(true);
	});

	test('an offer cannot pass as an answer', () => {
		const { world, client } = withVictim();
		const offerer = world.connect();
		offerer.announce(swarm, anna, { offers: sampleOffers('o', 1) });
		client.send(
			answerTo(client.link.offers[0] ?? {}, victim, {
				answer: { type: 'offer', sdp: sampleSdp() },
			}),
		);
		expect(offerer.link.answers).toEqual([]);
	});
});
