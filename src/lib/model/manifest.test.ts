import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleManifest, sampleRun } from '../testing/signed-manifests.ts';
import { encodeBencode, type Bencoded } from './bencode.ts';
import { ShoalError } from './error.ts';
import {
	decodeManifest,
	encodeManifest,
	isForeignVersion,
	manifestDict,
	MAX_MANIFEST_BYTES,
	pieceBytes,
	pieceCount,
	type Manifest,
} from './manifest.ts';
import { applyManifestChanges, manifestChanges } from './manifest-delta.ts';

const tampered = (change: (dict: Map<string, Bencoded>) => void) => {
	const dict = manifestDict(sampleManifest());
	change(dict);
	return encodeBencode(dict);
};

describe('a manifest', () => {
	it('comes back as it was encoded', () => {
		for (const manifest of [
			sampleManifest(),
			sampleManifest({ title: 'Hafenkamera – Süd', sinceKeyFrame: 7, discontinuity: true }),
			sampleManifest({ status: 'ended', length: 0, pieceHashes: new Uint8Array(), durationUs: 0 }),
			sampleManifest({ encryption: new Uint8Array(32).fill(1) }),
		]) {
			expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
		}
	});

	it('knows its pieces', () => {
		const manifest = sampleManifest();
		expect(pieceCount(manifest)).toBe(3);
		expect([0, 1, 2].map((i) => pieceBytes(manifest, i))).toEqual([16_384, 16_384, 7232]);
	});

	it('is refused with any field out of its bounds', () => {
		const breaches: [string, Bencoded][] = [
			['ch', new Uint8Array(31)],
			['ep', -1],
			['sid', new Uint8Array(15)],
			['tr', 16],
			['sq', -1],
			['pv', new Uint8Array(33)],
			['ih', new Uint8Array(21)],
			['h', new Uint8Array(0)],
			['ln', 0],
			['ln', 17 * 1024 * 1024],
			['ln', 16_384],
			['pl', 16_385],
			['pl', 0],
			['ps', new Uint8Array(59)],
			['pi', 2 ** 31 - 2],
			['in', 5],
			['cd', new TextEncoder().encode('video/mp4<script>')],
			['cd', new Uint8Array([0xff, 0xfe])],
			['du', 0],
			['du', 10_000_001],
			['dc', 2],
			['kf', 1001],
			['st', 3],
			['ti', new Uint8Array(121).fill(65)],
			['ti', new Uint8Array(0)],
			['en', new Uint8Array(33)],
			['en', new Uint8Array(0)],
			['zz', 1],
		];
		for (const [key, value] of breaches) {
			const bytes = tampered((dict) => dict.set(key, value));
			expect(() => decodeManifest(bytes), key).toThrow(ShoalError);
		}
		for (const key of manifestDict(sampleManifest()).keys()) {
			const bytes = tampered((dict) => dict.delete(key));
			expect(() => decodeManifest(bytes), `without ${key}`).toThrow(ShoalError);
		}
	});

	it('is refused without a segment while live, with too many pieces, and when it is none', () => {
		const none: [string, Bencoded][] = [
			['ln', 0],
			['ps', new Uint8Array()],
		];
		const many: [string, Bencoded][] = [
			['ln', 65 * 16_384],
			['ps', new Uint8Array(65 * 20)],
		];
		for (const [changes, why] of [
			[none, /empty segment/],
			[many, /too many pieces/],
		] as const) {
			const bytes = tampered((dict) => changes.forEach(([key, value]) => dict.set(key, value)));
			expect(() => decodeManifest(bytes)).toThrow(why);
		}
		expect(() => decodeManifest(encodeBencode([1]))).toThrow(/not a dictionary/);
		expect(() => decodeManifest(new Uint8Array(MAX_MANIFEST_BYTES - 63))).toThrow(/too long/);
	});

	it('that would be too long is not encoded', () => {
		const title = (length: number) => sampleManifest({ title: 'x'.repeat(length) });
		const room = MAX_MANIFEST_BYTES - 64 - encodeManifest(title(1000)).length;
		expect(encodeManifest(title(1000 + room)).length).toBe(MAX_MANIFEST_BYTES - 64);
		expect(() => encodeManifest(title(1001 + room))).toThrow(ShoalError);
	});

	it('of another version is told apart from a broken one', () => {
		expect(isForeignVersion(tampered((dict) => dict.set('v', 2)))).toBe(true);
		expect(isForeignVersion(tampered((dict) => dict.set('st', 9)))).toBe(false);
		expect(isForeignVersion(new Uint8Array([1, 2, 3]))).toBe(false);
	});

	it('keeps a title that begins with a byte order mark as it is', () => {
		const manifest = sampleManifest({ title: '\ufeff\ufeffx' });
		expect(decodeManifest(encodeManifest(manifest)).title).toBe(manifest.title);
	});

	it.each(['epoch', 'signedAtMs', 'nextAtMs'] as const)('takes no %s that is no date', (field) => {
		const last = sampleManifest({ [field]: 8.64e15 });
		expect(new Date(decodeManifest(encodeManifest(last))[field]).getTime()).toBe(8.64e15);
		const beyond = encodeManifest(sampleManifest({ [field]: 8.64e15 + 1 }));
		expect(() => decodeManifest(beyond)).toThrow();
	});

	it('stays under its cap with the most pieces and the longest title', () => {
		const manifest = sampleManifest({
			length: 16 * 1024 * 1024,
			pieceLength: 256 * 1024,
			pieceHashes: new Uint8Array(64 * 20),
			title: 'x'.repeat(120),
			mime: 'v'.repeat(80),
		});
		expect(encodeManifest(manifest).length + 64).toBeLessThanOrEqual(MAX_MANIFEST_BYTES);
		expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
	});

	it('throws nothing but protocol errors when its bytes are flipped', () => {
		const bytes = encodeManifest(sampleManifest({ title: 'a' }));
		fc.assert(
			fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
				const broken = bytes.slice();
				broken[at] = (broken[at] ?? 0) ^ flip;
				try {
					expect(encodeManifest(decodeManifest(broken))).toEqual(broken);
				} catch (error) {
					expect((error as ShoalError).code).toBe('protocol');
				}
			}),
			{ numRuns: 3000 },
		);
	});
});

describe('a manifest told as a difference', () => {
	const [first, second] = sampleRun(2);
	if (!first || !second) throw new Error('no run');
	const roundTrip = (next: Manifest) => applyManifestChanges(first, manifestChanges(first, next));

	it('rebuilds to the same bytes, whatever changed', () => {
		const nexts: Manifest[] = [
			second.manifest,
			{ ...second.manifest, title: 'now with a title', discontinuity: true },
			{
				...second.manifest,
				status: 'ended',
				length: 0,
				pieceHashes: new Uint8Array(),
				durationUs: 0,
			},
			{
				...second.manifest,
				sequence: 9,
				startUs: 1,
				firstPiece: 7,
				previous: new Uint8Array(32).fill(9),
			},
			{ ...second.manifest, epoch: 1_790_000_099_000, session: new Uint8Array(16) },
		];
		for (const next of nexts) expect(roundTrip(next)).toEqual(encodeManifest(next));
	});

	it('takes a title away again', () => {
		const titled = { ...first, manifest: { ...first.manifest, title: 'before' } };
		const changes = manifestChanges(titled, second.manifest);
		expect(applyManifestChanges(titled, changes)).toEqual(encodeManifest(second.manifest));
	});

	it('is small: what can be foretold does not travel', () => {
		const changes = manifestChanges(first, {
			...second.manifest,
			infoHash: new Uint8Array(20).fill(9),
			sha256: new Uint8Array(32).fill(9),
			pieceHashes: new Uint8Array(60).fill(9),
		});
		expect(changes.length).toBeLessThan(170);
		expect(encodeManifest(second.manifest).length).toBeGreaterThan(400);
	});

	it('is refused when it is none', () => {
		for (const bad of [
			new Uint8Array(),
			encodeBencode(new Map()),
			encodeBencode([1]),
			encodeBencode(5),
		]) {
			expect(() => applyManifestChanges(first, bad)).toThrow(ShoalError);
		}
	});
});
