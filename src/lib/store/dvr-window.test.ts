import { describe, expect, it } from 'vitest';
import type { SignedManifest } from '../model/manifest-delta.ts';
import { asSigned, sampleRun } from '../testing/signed-manifests.ts';
import { DvrWindow, isWhole, wholePieces } from './dvr-window.ts';

const bytes = new Uint8Array(40_000).map((_, i) => i % 251);
const firstPieces = (segments: Iterable<{ signed: SignedManifest }>) =>
	[...segments].map(({ signed }) => signed.manifest.sequence);

describe('the DVR window', () => {
	it('serves any block of a piece it holds, and no other', () => {
		const [signed] = sampleRun(1);
		if (!signed) return expect.unreachable();
		const window = new DvrWindow();
		window.addWhole(signed, bytes);
		expect(window.block(101, 0, 16_384)).toEqual(bytes.subarray(16_384, 32_768));
		expect(window.block(102, 0, 7232)).toEqual(bytes.subarray(32_768));
		expect(window.block(102, 0, 16_384)).toBeUndefined();
		expect(window.block(102, 7232, 1)).toBeUndefined();
		expect(window.block(99, 0, 1)).toBeUndefined();
		expect(window.block(103, 0, 1)).toBeUndefined();
	});

	it('says when a segment becomes whole, once', () => {
		const [signed] = sampleRun(1);
		if (!signed) return expect.unreachable();
		const window = new DvrWindow();
		window.add(signed);
		expect(window.put(102, bytes.subarray(32_768)).whole).toBeUndefined();
		expect(window.put(100, bytes.subarray(0, 16_384)).whole).toBeUndefined();
		const { whole } = window.put(101, bytes.subarray(16_384, 32_768));
		expect(whole && isWhole(whole)).toBe(true);
		expect(whole && wholePieces(whole).map(({ length }) => length)).toEqual([16_384, 16_384, 7232]);
		expect(window.put(101, bytes.subarray(0, 16_384)).whole).toBeUndefined();
		expect(window.bytes).toBe(40_000);
	});

	it('keeps to its time and names what falls out', () => {
		const window = new DvrWindow({ windowMs: 2000 });
		const out = sampleRun(10).flatMap((signed) => window.addWhole(signed, bytes));
		expect(firstPieces(out)).toEqual([0, 1, 2, 3, 4]);
		expect(firstPieces(window.segments)).toEqual([5, 6, 7, 8, 9]);
		expect(window.bytes).toBe(5 * 40_000);
	});

	it('keeps to its bytes', () => {
		const window = new DvrWindow({ maxBytes: 100_000 });
		for (const signed of sampleRun(10)) {
			window.addWhole(signed, bytes);
			expect(window.bytes).toBeLessThanOrEqual(100_000);
		}
		expect(firstPieces(window.segments)).toEqual([8, 9]);
	});

	it('gives piece numbers that two epochs claim to the newer, and those above, so that the newest is its own', () => {
		const window = new DvrWindow();
		const old = sampleRun(3);
		for (const signed of old) window.addWhole(signed, bytes);
		const [fresh] = sampleRun(1, { epoch: 1_790_000_600_000 });
		const moved = asSigned({ ...(fresh?.manifest ?? expect.unreachable()), firstPiece: 102 });
		expect(firstPieces(window.add(moved))).toEqual([0, 1, 2]);
		expect(window.newest?.signed).toBe(moved);
		expect(window.find(102)?.stored.signed).toBe(moved);
		expect(window.block(102, 0, 1)).toBeUndefined();
	});

	it('takes segments in any order and finds each by its pieces', () => {
		const window = new DvrWindow();
		const run = sampleRun(5);
		for (const i of [3, 0, 4, 2, 1]) window.addWhole(run[i] ?? expect.unreachable(), bytes);
		expect(firstPieces(window.segments)).toEqual([0, 1, 2, 3, 4]);
		expect(window.find(110)?.stored.signed).toBe(run[3]);
		expect(window.find(110)?.offset).toBe(1);
	});

	it('keeps an older run that ends where the newer begins', () => {
		const window = new DvrWindow();
		for (const signed of sampleRun(2)) window.addWhole(signed, bytes);
		const [fresh] = sampleRun(1, { epoch: 1_790_000_600_000 });
		const after = { ...(fresh?.manifest ?? expect.unreachable()), firstPiece: 106 };
		expect(window.add(asSigned({ ...after, signedAtMs: 1_790_000_001_500 }))).toEqual([]);
		expect(window.segments.length).toBe(3);
		expect(window.oldestOfRun?.signed.manifest.epoch).toBe(after.epoch);
	});

	it('has room before a segment as far back as it reaches in time, of the run that is followed', () => {
		const run = sampleRun(6).map(({ manifest }) => manifest);
		const window = new DvrWindow({ windowMs: 2000 });
		expect(run.some((manifest) => window.hasRoomBefore(manifest))).toBe(false);
		for (const manifest of run.slice(2)) window.add(asSigned(manifest));
		// The newest begins at 2.5 s, and the one before segment 1 would at 0.
		expect(run.map((manifest) => window.hasRoomBefore(manifest))).toEqual(
			run.map(({ sequence }) => sequence > 1),
		);
		expect(window.hasRoomBefore({ ...(run[5] ?? expect.unreachable()), epoch: 1 })).toBe(false);
		const full = new DvrWindow({ maxBytes: 40_000 });
		const [first] = sampleRun(1) as [SignedManifest];
		full.addWhole(first, bytes);
		expect(full.hasRoomBefore(first.manifest)).toBe(false);
	});

	it('keeps to a number of segments, whatever their times say', () => {
		const window = new DvrWindow();
		const [{ manifest }] = sampleRun(1) as [SignedManifest];
		for (let i = 0; i < 2050; i++)
			window.add({ ...asSigned(manifest), manifest: { ...manifest, firstPiece: 3 * i } });
		expect(window.segments.length).toBe(2048);
		expect(window.segments[0]?.signed.manifest.firstPiece).toBe(6);
		expect(window.hasRoomBefore(manifest)).toBe(false);
	});
});
