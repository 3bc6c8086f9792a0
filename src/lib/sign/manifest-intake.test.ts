import { expect, test } from 'vitest';
import { manifestChanges, type SignedManifest } from '../model/manifest-delta.ts';
import { pieceCount } from '../model/manifest.ts';
import type { ManifestDeltaMessage, ManifestMessage } from '../model/message.ts';
import { SimMedia } from '../testing/sim-media.ts';
import { Acceptance } from './acceptance.ts';
import { ManifestIntake, type IntakeResult } from './manifest-intake.ts';

const WALL_MS = 1_800_000_000_000;

function setup() {
	const media = new SimMedia({ streamBps: 1_000_000, segmentMs: 500 });
	const known = new Map<number, SignedManifest>();
	let verified = 0;
	const acceptance = new Acceptance(media.channelKey, 60_000);
	const intake = new ManifestIntake({
		channel: media.channelKey,
		judge: (signed) => acceptance.judge(signed, 0),
		infoDict: (manifest) => media.infoDict(manifest),
		now: () => 0,
		known: (firstPiece) => known.get(firstPiece),
		proofs: {
			...media.proofs,
			verify: (...args) => {
				verified++;
				media.proofs.verify(...args);
			},
		},
	});
	const take = (message: ManifestMessage | ManifestDeltaMessage): IntakeResult => {
		let came: IntakeResult | undefined;
		intake.take(message, (result) => (came = result));
		if (!came) throw new Error('no result');
		if (came.type === 'verdict') known.set(came.signed.manifest.firstPiece, came.signed);
		return came;
	};
	return { media, take, verified: () => verified };
}

const whole = ({ signature, dict }: SignedManifest): ManifestMessage => ({
	type: 'manifest',
	signature,
	dict,
});
const delta = (base: SignedManifest, next: SignedManifest): ManifestDeltaMessage => ({
	type: 'manifest-delta',
	signature: next.signature,
	baseFirstPiece: base.manifest.firstPiece,
	changes: manifestChanges(base, next.manifest),
});

test('accepts a genuine manifest, and the next as a difference to it', () => {
	const { media, take } = setup();
	const [one, two] = [media.next(WALL_MS), media.next(WALL_MS + 500)];
	expect(take(whole(one))).toMatchObject({ type: 'verdict', verdict: { type: 'accept' } });
	const second = take(delta(one, two));
	expect(second).toMatchObject({ type: 'verdict', verdict: { type: 'accept' } });
	if (second.type === 'verdict') expect(second.signed.dict).toEqual(two.dict);
	expect(two.manifest.firstPiece).toBe(pieceCount(one.manifest));
});

test('verifies the same bytes once', () => {
	const { media, take, verified } = setup();
	const [one, two] = [media.next(WALL_MS), media.next(WALL_MS + 500)];
	take(whole(one));
	take(delta(one, two));
	expect(verified()).toBe(2);
	expect(take(whole(one)).type).toBe('known');
	expect(take(delta(one, two)).type).toBe('known');
	expect(verified()).toBe(2);
});

test('asks for the whole manifest when the base of a difference is unknown', () => {
	const { media, take } = setup();
	const [one, two] = [media.next(WALL_MS), media.next(WALL_MS + 500)];
	expect(take(delta(one, two))).toEqual({ type: 'no-base', piece: one.manifest.firstPiece });
});

test('blames a forged signature, another channel and bytes that are no manifest', () => {
	const { media, take } = setup();
	const one = media.next(WALL_MS);
	const forged = one.signature.slice();
	forged[0] = (forged[0] ?? 0) ^ 1;
	expect(take({ ...whole(one), signature: forged })).toEqual({ type: 'bad', why: 'bad-signature' });
	const garbage = new Uint8Array(100).fill(0x64);
	expect(take({ ...whole(one), dict: garbage })).toEqual({ type: 'bad', why: 'protocol' });
	expect(take(whole(one))).toMatchObject({ type: 'verdict' });
});

test('verifies no more than it can bear', () => {
	const { media, take, verified } = setup();
	const results = new Set<string>();
	for (let i = 0; i < 300; i++) results.add(take(whole(media.next(WALL_MS + i * 500))).type);
	expect(verified()).toBe(200);
	expect(results.has('overloaded')).toBe(true);
});
