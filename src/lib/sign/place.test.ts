import fc from 'fast-check';
import { expect, test } from 'vitest';
import { channelOf } from '../model/channel.ts';
import { ShoalError } from '../model/error.ts';
import { MAX_PIECE_INDEX } from '../model/manifest.ts';
import { openPlace } from './place.ts';
import type { SignStorage, StoredPlace } from './sign-storage.ts';

const channel = channelOf(new Uint8Array(32).fill(7));

class Disk implements SignStorage {
	place: StoredPlace | undefined;
	writes = 0;
	broken = false;

	loadPair = () => Promise.reject(new Error('not asked for'));

	loadPlace = async (): Promise<StoredPlace | undefined> => this.place;

	savePlace = async (_: string, place: StoredPlace): Promise<void> => {
		await Promise.resolve();
		if (this.broken) throw new ShoalError('storage-failed', 'no space');
		this.place = place;
		this.writes++;
	};
}

test('a new channel begins at sequence 0 and piece 0, written down before anything is published', async () => {
	const disk = new Disk();
	const keeper = await openPlace(channel, disk, () => 1000.7);
	expect(keeper.place).toMatchObject({ epoch: 1000, sequence: 0, nextPiece: 0 });
	expect(keeper.place.previous).toEqual(new Uint8Array(32));
	expect(keeper.place.session).toHaveLength(16);
	expect(disk.place?.epoch).toBe(1000);
	expect(disk.place?.nextPiece).toBeGreaterThan(0);
});

test('each segment moves sequence, piece and previous on', async () => {
	const keeper = await openPlace(channel, new Disk(), () => 1000);
	const hash = new Uint8Array(32).fill(1);
	await keeper.reserve(10);
	keeper.advance(10, hash);
	expect(keeper.place).toMatchObject({ sequence: 1, nextPiece: 10, previous: hash });
});

test('the epoch rises even when the clock was set back', async () => {
	const disk = new Disk();
	await openPlace(channel, disk, () => 5000);
	const later = await openPlace(channel, disk, () => 4000);
	expect(later.place.epoch).toBe(5001);
});

test('whenever the tab dies, the next run uses no piece twice', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 30 }), { maxLength: 5 }),
			async (runs) => {
				const disk = new Disk();
				let highest = -1;
				for (const segments of runs) {
					const keeper = await openPlace(channel, disk, () => 1);
					for (const pieces of segments) {
						await keeper.reserve(pieces);
						const first = keeper.place.nextPiece;
						expect(first).toBeGreaterThan(highest);
						highest = first + pieces - 1;
						expect(disk.place?.nextPiece).toBeGreaterThan(highest);
						keeper.advance(pieces, new Uint8Array(32));
					}
				}
			},
		),
	);
});

test('the disk is written once for many segments', async () => {
	const disk = new Disk();
	const keeper = await openPlace(channel, disk, () => 1);
	for (let i = 0; i < 1000; i++) {
		await keeper.reserve(10);
		keeper.advance(10, new Uint8Array(32));
	}
	expect(disk.writes).toBeLessThan(10);
});

test('a disk that fails is only felt when the reservation is used up', async () => {
	const disk = new Disk();
	const keeper = await openPlace(channel, disk, () => 1);
	disk.broken = true;
	for (let i = 0; i < 30; i++) {
		await keeper.reserve(100);
		keeper.advance(100, new Uint8Array(32));
	}
	await expect(keeper.reserve(4096)).rejects.toMatchObject({ code: 'storage-failed' });
	disk.broken = false;
	await keeper.reserve(4096);
	keeper.advance(4096, new Uint8Array(32));
	expect(keeper.place.nextPiece).toBe(30 * 100 + 4096);
});

test('nothing can be published without a reservation', async () => {
	const keeper = await openPlace(channel, new Disk(), () => 1);
	expect(() => keeper.advance(100_000, new Uint8Array(32))).toThrow('reservation');
});

test('a channel whose piece numbers are used up says so', async () => {
	const disk = new Disk();
	disk.place = { epoch: 1, nextPiece: MAX_PIECE_INDEX - 5 };
	const keeper = await openPlace(channel, disk, () => 1);
	await expect(keeper.reserve(6)).rejects.toMatchObject({ code: 'protocol' });
	await keeper.reserve(5);
	keeper.advance(5, new Uint8Array(32));
});
