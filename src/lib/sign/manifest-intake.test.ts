import { expect, test } from 'vitest';
import { encodeBencode } from '../model/bencode.ts';
import { manifestChanges, type SignedManifest } from '../model/manifest-delta.ts';
import { encodeManifest, manifestDict, pieceCount, type Manifest } from '../model/manifest.ts';
import type { ManifestDeltaMessage, ManifestMessage } from '../model/message.ts';
import { SimMedia } from '../testing/sim-media.ts';
import { Acceptance } from './acceptance.ts';
import { ManifestIntake, type IntakeResult } from './manifest-intake.ts';
import { signedBytes } from './manifest-signer.ts';

const WALL_MS = 1_800_000_000_000;

/** With `waiting` proofs come only when they are let. */
function setup(waiting?: (() => void)[]) {
	const media = new SimMedia({ streamBps: 1_000_000, segmentMs: 500 });
	const known = new Map<number, SignedManifest>();
	let verified = 0;
	let nowMs = 0;
	const proven = (proof: () => void) => (waiting ? void waiting.push(proof) : proof());
	const acceptance = new Acceptance(media.channelKey, 60_000);
	const intake = new ManifestIntake({
		channel: media.channelKey,
		judge: (signed) => acceptance.judge(signed, 0),
		infoDict: (manifest) => media.infoDict(manifest),
		now: () => nowMs,
		known: (firstPiece) => known.get(firstPiece),
		proofs: {
			sha1: (...args) => proven(() => media.proofs.sha1(...args)),
			sha256: (...args) => proven(() => media.proofs.sha256(...args)),
			verify: (...args) => {
				verified++;
				proven(() => media.proofs.verify(...args));
			},
		},
	});
	const take = (message: ManifestMessage | ManifestDeltaMessage): IntakeResult => {
		let came: IntakeResult | undefined;
		intake.take(message, (result) => (came = result));
		if (!came) throw new Error('no result');
		if (came.type === 'verdict' && came.verdict.type === 'accept')
			known.set(came.signed.manifest.firstPiece, came.signed);
		return came;
	};
	const pass = (ms: number) => void (nowMs += ms);
	return { media, intake, take, pass, verified: () => verified };
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

/** A manifest changed by whoever holds the channel's key. */
function signedAnew(
	media: SimMedia,
	manifest: Manifest,
	changes: Partial<Manifest>,
): SignedManifest {
	const changed = { ...manifest, ...changes };
	const dict = encodeManifest(changed);
	let signature = new Uint8Array();
	media.sign(signedBytes(dict), (made) => (signature = made.slice()));
	return { manifest: changed, dict, signature, sha256: new Uint8Array(32) };
}

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
	const { media, take, verified, pass } = setup();
	const results = new Set<string>();
	for (let i = 0; i < 300; i++) results.add(take(whole(media.next(WALL_MS + i * 500))).type);
	expect(verified()).toBe(200);
	expect(results.has('overloaded')).toBe(true);
	pass(999);
	expect(take(whole(media.next(WALL_MS))).type).toBe('overloaded');
	pass(1);
	expect(take(whole(media.next(WALL_MS))).type).toBe('verdict');
});

test('blames a genuine signature over an infohash that does not follow, and verifies nothing of another channel', () => {
	const { media, take, verified } = setup();
	const { manifest } = media.next(WALL_MS);
	const signed = (changes: Partial<Manifest>) => whole(signedAnew(media, manifest, changes));
	const other = signed({ channel: new Uint8Array(32).fill(9) });
	expect(take(other)).toEqual({ type: 'bad', why: 'bad-signature' });
	expect(verified()).toBe(0);
	const unfitting = signed({ infoHash: new Uint8Array(20).fill(1) });
	expect(take(unfitting)).toEqual({ type: 'bad', why: 'protocol' });
	expect(take(signed({}))).toMatchObject({ type: 'verdict', verdict: { type: 'accept' } });
});

test('judges in the order in which manifests came, however their proofs overtake each other', () => {
	const waiting: (() => void)[] = [];
	const { media, intake } = setup(waiting);
	const judged: unknown[] = [];
	const take = (signed: SignedManifest) =>
		intake.take(whole(signed), ({ type }) => judged.push([signed.manifest.sequence, type]));
	for (let i = 0; i < 3; i++) take(media.next(WALL_MS + i * 500));
	const last = waiting.splice(0, 1);
	for (const proof of waiting.reverse()) proof();
	expect(judged).toEqual([]);
	for (const proof of last) proof();
	expect(judged).toEqual([0, 1, 2].map((sequence) => [sequence, 'verdict']));
});

test('what is being proven is not proven twice, and a forged copy is not spared by it', () => {
	const waiting: (() => void)[] = [];
	const { media, intake, verified } = setup(waiting);
	const one = media.next(WALL_MS);
	const results: IntakeResult[] = [];
	const take = (message: ManifestMessage) => intake.take(message, (result) => results.push(result));
	take(whole(one));
	take(whole(one));
	expect(verified()).toBe(1);
	take({ ...whole(one), signature: new Uint8Array(64) });
	for (const proof of waiting) proof();
	expect(results.map(({ type }) => type)).toEqual(['verdict', 'known', 'bad']);
});

test('proves no more than so many at a time', () => {
	const { media, intake, verified } = setup([]);
	const results: string[] = [];
	for (let i = 0; i < 130; i++)
		intake.take(whole(media.next(WALL_MS + i * 500)), ({ type }) => results.push(type));
	expect(verified()).toBe(128);
	expect(results).toEqual(['overloaded', 'overloaded']);
});

test('sees another manifest for a place that is known, told whole or as a difference, and tells all who brought it', () => {
	const { media, take } = setup();
	const [one, two] = [media.next(WALL_MS), media.next(WALL_MS + 500)];
	take(whole(one));
	take(delta(one, two));
	const rival = signedAnew(media, two.manifest, { title: 'not the one' });
	const fork = { type: 'verdict', verdict: { type: 'fork' } };
	expect(take(delta(one, rival))).toMatchObject(fork);
	expect(take(whole(rival))).toMatchObject(fork);
	const waiting: (() => void)[] = [];
	const later = setup(waiting);
	const results: IntakeResult[] = [];
	const first = later.media.next(WALL_MS);
	const other = signedAnew(later.media, first.manifest, { title: 'not the one' });
	for (const message of [whole(first), whole(other), whole(other)])
		later.intake.take(message, (result) => results.push(result));
	for (const proof of waiting) proof();
	expect(results.slice(1)).toMatchObject([fork, fork]);
});

test('passes over a manifest of another version', () => {
	const { media, take, verified } = setup();
	const { manifest, signature } = media.next(WALL_MS);
	const dict = encodeBencode(manifestDict(manifest).set('v', 2));
	expect(take({ type: 'manifest', signature, dict })).toEqual({
		type: 'known',
		firstPiece: undefined,
	});
	expect(verified()).toBe(0);
});
