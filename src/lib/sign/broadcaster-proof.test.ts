import { expect, it } from 'vitest';
import type { Fingerprints } from '../model/link.ts';
import type { BroadcasterProofMessage, Message } from '../model/message.ts';
import type { Sign } from '../model/proofs.ts';
import { fakeNeighbour } from '../testing/fake-neighbour.ts';
import { BroadcasterProof } from './broadcaster-proof.ts';
import { generateKeyPair, keysOfPair } from './keys.ts';
import { webProofs } from './web-proofs.ts';

const certificate = (byte: number) => new Uint8Array(32).fill(byte);
const BROADCASTER = certificate(1);
const VIEWER = certificate(2);
const STRANGER = certificate(3);

async function setUp() {
	const keys = await keysOfPair(await generateKeyPair());
	const sign: Sign = (bytes, done) => void keys.sign(bytes).then(done);
	const { channel } = keys;
	const broadcaster = new BroadcasterProof({ channel, proofs: webProofs(), sign });
	const viewer = new BroadcasterProof({ channel, proofs: webProofs() });
	return { keys, broadcaster, viewer };
}

/** What a peer sends to prove itself over a link. */
function given(by: BroadcasterProof, fingerprints: Fingerprints) {
	return new Promise<BroadcasterProofMessage>((resolve) => {
		const { link } = fakeNeighbour(0);
		const send = (message: Message) => resolve(message as BroadcasterProofMessage);
		by.give({ ...link, fingerprints, send });
	});
}

/** What the other end makes of it. */
function checked(by: BroadcasterProof, fingerprints: Fingerprints, proof: BroadcasterProofMessage) {
	return new Promise<boolean>((resolve) => by.check({ fingerprints }, proof, resolve));
}

it('shows the broadcaster to the other end of the same link, and to nobody else', async () => {
	const { broadcaster, viewer } = await setUp();
	const proof = await given(broadcaster, { ours: BROADCASTER, theirs: VIEWER });
	expect(proof.type).toBe('broadcaster-proof');
	expect(proof.signature).toHaveLength(64);
	const believed = (ours: Uint8Array, theirs: Uint8Array) =>
		checked(viewer, { ours, theirs }, proof);
	expect(await believed(VIEWER, BROADCASTER)).toBe(true);
	// Handed on: by whom it was given to, to somebody else; to the broadcaster itself; over another link of the viewer's.
	expect(await believed(STRANGER, VIEWER)).toBe(false);
	expect(await believed(BROADCASTER, VIEWER)).toBe(false);
	expect(await believed(VIEWER, STRANGER)).toBe(false);
});

it("is refused when another channel's key signed it", async () => {
	const [ours, other] = [await setUp(), await setUp()];
	const proof = await given(other.broadcaster, { ours: BROADCASTER, theirs: VIEWER });
	expect(await checked(ours.viewer, { ours: VIEWER, theirs: BROADCASTER }, proof)).toBe(false);
});

it('is not given by who has no key, nor looked at where the link cannot be told from another', async () => {
	const { broadcaster, viewer } = await setUp();
	const { link, sent } = fakeNeighbour(0);
	// Reading a link's certificates takes parsing: who has nothing to sign doesn't.
	viewer.give({
		...link,
		get fingerprints() {
			return expect.unreachable('read');
		},
	});
	broadcaster.give({ ...link, fingerprints: undefined });
	const proof = await given(broadcaster, { ours: BROADCASTER, theirs: VIEWER });
	viewer.check({ fingerprints: undefined }, proof, () => expect.unreachable('told'));
	await new Promise((resolve) => setTimeout(resolve, 50));
	expect(sent).toEqual([]);
});
