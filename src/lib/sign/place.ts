import type { Channel } from '../model/channel.ts';
import { ShoalError } from '../model/error.ts';
import { MAX_PIECE_INDEX } from '../model/manifest.ts';
import type { SignStorage } from './sign-storage.ts';

/** Where the next segment goes. */
export interface Place {
	/** Milliseconds since 1970 when this run began, strictly rising per channel. */
	readonly epoch: number;
	/** Number of the segment in its epoch. */
	readonly sequence: number;
	/** Index of its first piece on the channel. */
	readonly nextPiece: number;
	/** SHA-256 of the signed bytes of the manifest before; zeros on the first of an epoch. */
	readonly previous: Uint8Array;
	/** 16 random bytes per run. */
	readonly session: Uint8Array;
}

/** Pieces reserved on disk at a time: at 2.5 Mbit/s one write every three minutes. */
const RESERVED_PIECES = 4096;

/**
 * Hands out places and never the same one twice, also across reloads and crashes: what is handed out
 * was reserved on disk before. Publishing does not wait for the disk, as reservations run half a block ahead.
 */
export class PlaceKeeper {
	readonly #channelId: string;
	readonly #storage: SignStorage;
	readonly #epoch: number;
	readonly #session: Uint8Array;
	#sequence = 0;
	#nextPiece: number;
	#previous: Uint8Array = new Uint8Array(32);
	#reservedTo: number;
	#reserving: Promise<void> | undefined;

	/** Use `openPlace`. */
	constructor(options: {
		channelId: string;
		storage: SignStorage;
		epoch: number;
		session: Uint8Array;
		nextPiece: number;
	}) {
		this.#channelId = options.channelId;
		this.#storage = options.storage;
		this.#epoch = options.epoch;
		this.#session = options.session;
		this.#nextPiece = options.nextPiece;
		this.#reservedTo = options.nextPiece;
	}

	/** The place of the next segment. To be published there only after `reserve` has covered its pieces. */
	get place(): Place {
		return {
			epoch: this.#epoch,
			sequence: this.#sequence,
			nextPiece: this.#nextPiece,
			previous: this.#previous,
			session: this.#session,
		};
	}

	/**
	 * Resolves when a segment of so many pieces may be published at `place`; at once, nearly always.
	 * Rejects with `storage-failed` when the disk refuses, and with `protocol` when the channel is used up.
	 */
	async reserve(pieces: number): Promise<void> {
		const end = this.#nextPiece + pieces;
		if (end > MAX_PIECE_INDEX) throw new ShoalError('protocol', 'the channel has no pieces left');
		// A reservation under way may cover it; should that one fail, this call makes its own.
		if (end > this.#reservedTo) await this.#reserving?.catch(() => undefined);
		if (end > this.#reservedTo) await this.#extend(end);
		// Ahead of need; should it fail now, the call that needs it tries again and reports.
		if (end > this.#reservedTo - RESERVED_PIECES / 2) this.#extend(end).catch(() => undefined);
	}

	/** Moves on to the next segment: `pieces` were published, `signedSha256` is of the signed bytes of their manifest. */
	advance(pieces: number, signedSha256: Uint8Array): void {
		if (this.#nextPiece + pieces > this.#reservedTo) {
			throw new ShoalError('storage-failed', 'published without a reservation');
		}
		this.#sequence++;
		this.#nextPiece += pieces;
		this.#previous = signedSha256;
	}

	#extend(end: number): Promise<void> {
		const reserveTo = Math.min(end + RESERVED_PIECES, MAX_PIECE_INDEX);
		this.#reserving ??= this.#storage
			.savePlace(this.#channelId, { epoch: this.#epoch, nextPiece: reserveTo })
			.then(() => {
				this.#reservedTo = reserveTo;
			})
			.finally(() => {
				this.#reserving = undefined;
			});
		return this.#reserving;
	}
}

/**
 * Begins a new epoch on the channel, written to disk before this resolves. The caller holds the channel
 * (`holdChannel`), so nobody else begins one meanwhile. Rejects with `storage-failed`.
 */
export async function openPlace(
	channel: Channel,
	storage: SignStorage,
	now: () => number = Date.now,
): Promise<PlaceKeeper> {
	const stored = await storage.loadPlace(channel.id);
	// A clock set back must not bring an epoch below the last one: viewers would take it for a replay.
	const epoch = Math.max(Math.floor(now()), (stored?.epoch ?? -1) + 1);
	const session = crypto.getRandomValues(new Uint8Array(16));
	const nextPiece = stored?.nextPiece ?? 0;
	const keeper = new PlaceKeeper({ channelId: channel.id, storage, epoch, session, nextPiece });
	await keeper.reserve(1);
	return keeper;
}
