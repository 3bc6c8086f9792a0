import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { FakeTracker, seededRandom } from '../testing/fake-tracker.ts';
import type { FakeClient } from '../testing/fake-tracker.ts';
import { announceMessage, answerTo, sampleOffers, wireId } from '../testing/messages.ts';
import { invalidReasons } from './message.ts';
import type { Invalid } from './message.ts';
import { wireOfText } from './wire-text.ts';

// SHOAL_FUZZ=1000000 is the full run; the usual one is a part of it, to stay within seconds.
const messages = Number(process.env.SHOAL_FUZZ ?? 40_000);
const seed = Number(process.env.SHOAL_FUZZ_SEED ?? 1);

const swarms = Array.from({ length: 8 }, (_, i) => wireId(`swarm${i}`));

/** What real clients send: the recordings that are then mutated. */
function recordings(): string[] {
	const offer = { info_hash: swarms[0], peer_id: wireId('b'), offer_id: wireId('o0') };
	return [
		announceMessage(swarms[0] ?? '', wireId('a')),
		announceMessage(swarms[1] ?? '', wireId('b'), { offers: sampleOffers('o', 5) }),
		announceMessage(swarms[2] ?? '', wireId('c'), { event: 'completed', left: 0 }),
		announceMessage(swarms[0] ?? '', wireId('d'), { event: 'stopped' }),
		announceMessage(swarms[3] ?? '', '\x00\xff'.repeat(10), {
			shoal: { hop: 3, slots: 1, starving: true, resume: 'x' },
		}),
		answerTo(offer, wireId('a')),
		{ action: 'scrape', info_hash: swarms[0] },
		{ action: 'scrape', info_hash: swarms },
	].map((message) => wireOfText(JSON.stringify(message)));
}

const tokens = [
	'null',
	'[]',
	'{}',
	'"',
	'\\',
	'\\u0000',
	'\\ud800',
	'\\u4e00',
	'0',
	'-1',
	'1e999',
	'true',
	'[null]',
	'"__proto__":',
	'"sdp":"',
	'"sdp":"v=0',
	'\n',
	'\x00',
	'\xff',
	'"offers":5,',
	'"info_hash":5,',
	'"answer":{},',
	',',
	'}',
	']',
];

/** A recording with a few bytes flipped, cut, doubled or replaced by what parsers dislike. */
function mutate(text: string, random: () => number): string {
	let mutated = text;
	for (let times = 1 + Math.floor(random() * 4); times > 0; times--) {
		const at = Math.floor(random() * mutated.length);
		const to = Math.min(mutated.length, at + Math.floor(random() * 30));
		const token = tokens[Math.floor(random() * tokens.length)] ?? '';
		switch (Math.floor(random() * 5)) {
			case 0:
				mutated = mutated.slice(0, at) + token + mutated.slice(at);
				break;
			case 1:
				mutated = mutated.slice(0, at) + token + mutated.slice(to);
				break;
			case 2:
				mutated = mutated.slice(0, at) + mutated.slice(to);
				break;
			case 3:
				mutated = mutated.slice(0, to) + mutated.slice(at);
				break;
			default:
				mutated =
					mutated.slice(0, at) +
					String.fromCharCode(Math.floor(random() * 256)) +
					mutated.slice(at + 1);
		}
	}
	return mutated;
}

test(`${messages} mutated messages: no throw, every bad one counted, nothing grows`, () => {
	const random = seededRandom(seed);
	const originals = recordings();
	const world = new FakeTracker({ limits: { peersPerAddress: 1e9 } }, seed);
	const { tracker } = world;
	const clients: FakeClient[] = [];
	let read = 0;
	let bad = 0;
	let atTheDoor = 0;
	for (let i = 0; i < messages; i++) {
		world.wait(Math.floor(random() * 20));
		const place = Math.floor(random() * 100);
		let client = clients[place];
		if (!client || client.connection.closed || random() < 0.01) {
			client?.leave();
			client = clients[place] = world.connect();
		}
		const original = originals[Math.floor(random() * originals.length)] ?? '';
		const text = random() < 0.2 ? original : mutate(original, random);
		// The socket refuses text that is no UTF-8; the core never sees it.
		if (!isUtf8(Buffer.from(text, 'latin1'))) {
			atTheDoor += 1;
			continue;
		}
		const kind = tracker.receive(client.connection, text, world.nowMs);
		if (kind === 'invalid') bad += 1;
		else if (kind) read += 1;
		client.link.sent.length = 0;
	}
	const { invalid, messagesIn, flooded } = tracker.tally;
	const counted = Object.entries(invalid).reduce(
		(sum, [reason, n]) => sum + (reason === 'second-peer-id' ? 0 : n),
		0,
	);
	expect(counted).toBe(bad);
	expect(Object.values(messagesIn).reduce((sum, n) => sum + n, 0)).toBe(read);
	expect(read + bad + flooded + atTheDoor).toBe(messages);
	expect(bad).toBeGreaterThan(messages / 10);
	expect(read).toBeGreaterThan(messages / 20);
	// A hundred connections of at most twenty swarms each.
	expect(tracker.peerCount).toBeLessThanOrEqual(2_000);
	for (const client of clients) client?.leave();
	expect(tracker.peerCount).toBe(0);
	expect(tracker.swarms.size).toBe(0);
	expect(tracker.connections.size).toBe(0);
}, 600_000);

test('arbitrary JSON never throws, and is refused for a reason on the list', () => {
	const world = new FakeTracker();
	const value = fc.jsonValue({ maxDepth: 4 });
	const fields = fc.record(
		{
			action: fc.oneof(fc.constantFrom('announce', 'scrape'), value),
			info_hash: fc.oneof(fc.constant(swarms[0]), value),
			peer_id: fc.oneof(fc.constant(wireId('p')), value),
			to_peer_id: value,
			offer_id: value,
			event: value,
			left: value,
			numwant: value,
			offers: fc.oneof(
				fc.array(fc.record({ offer_id: value, offer: value }, { requiredKeys: [] })),
				value,
			),
			answer: value,
			shoal: value,
		},
		{ requiredKeys: ['action'] },
	);
	fc.assert(
		fc.property(fc.oneof(fields, value), (message) => {
			const client = world.connect();
			client.send(message);
			client.leave();
		}),
		{ numRuns: Math.min(20_000, messages / 10), seed },
	);
	const reasons = Object.keys(world.tracker.tally.invalid) as Invalid['reason'][];
	expect(reasons.filter((reason) => !invalidReasons.includes(reason))).toEqual([]);
	expect(reasons.length).toBeGreaterThan(5);
});

test('arbitrary bytes never throw', () => {
	const world = new FakeTracker();
	fc.assert(
		fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
			const client = world.connect();
			world.tracker.receive(client.connection, wireOfText(text), world.nowMs);
			world.tracker.receive(
				client.connection,
				text.replace(/[\u0100-\uffff]/g, '\xff'),
				world.nowMs,
			);
			client.leave();
		}),
		{ numRuns: 2_000, seed },
	);
	expect(world.tracker.peerCount).toBe(0);
});
