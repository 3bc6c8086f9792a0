import { concatBytes, equalBytes } from './util/bytes.ts';
import type { Clock } from './util/clock.ts';
import { pieceHash } from './model/manifest.ts';
import type { Proofs } from './model/proofs.ts';
import type { ReceivedSegment } from './peer-options.ts';
import { isWhole, wholePieces, type DvrWindow, type StoredSegment } from './store/dvr-window.ts';
import { InitCache } from './store/init-cache.ts';

/** What became of a piece. */
export interface PieceVerdict {
	readonly good: boolean;
	/** Segments that fell out of the window for it. */
	readonly out: readonly StoredSegment[];
}

/**
 * From pieces to segments that may be played: a piece is kept when its SHA-1 fits, a segment leaves when its SHA-256
 * fits and its init segment is here. Nothing unverified passes.
 */
export class SegmentIntake {
	readonly inits = new InitCache();
	readonly #proofs: Proofs;
	readonly #window: DvrWindow;
	readonly #clock: Clock;
	readonly #join: (pieces: readonly Uint8Array[]) => Uint8Array<ArrayBuffer>;
	readonly #deliver: (segment: ReceivedSegment) => void;
	readonly #forged: () => void;
	/** Whole segments that wait for their init segment. */
	#waiting: StoredSegment[] = [];

	constructor(options: {
		proofs: Proofs;
		window: DvrWindow;
		clock: Clock;
		/** Joins pieces. @default a new array */
		assemble: ((pieces: readonly Uint8Array[]) => Uint8Array<ArrayBuffer>) | undefined;
		/** Takes a verified segment. */
		deliver: (segment: ReceivedSegment) => void;
		/** A segment whose pieces fit and whose SHA-256 doesn't: SHA-1 was broken. */
		forged: () => void;
	}) {
		this.#proofs = options.proofs;
		this.#window = options.window;
		this.#clock = options.clock;
		this.#join = options.assemble ?? ((pieces) => concatBytes(...pieces));
		this.#deliver = options.deliver;
		this.#forged = options.forged;
	}

	/** Checks a piece and keeps it when it is good; `done` hears of it, and isn't called for pieces of no known segment. */
	takePiece(index: number, bytes: Uint8Array, done: (verdict: PieceVerdict) => void): void {
		const found = this.#window.find(index);
		if (!found) return;
		const { stored, offset } = found;
		this.#proofs.sha1(bytes, (digest) => {
			if (!equalBytes(digest, pieceHash(stored.signed.manifest, offset))) {
				done({ good: false, out: [] });
				return;
			}
			const { whole, out } = this.#window.put(index, bytes);
			done({ good: true, out });
			if (whole) this.#checkSegment(whole);
		});
	}

	/** Keeps a verified init segment; segments that waited for it leave. */
	takeInit(sha256: Uint8Array, bytes: Uint8Array<ArrayBuffer>): void {
		this.inits.put(sha256, bytes);
		const waiting = this.#waiting;
		this.#waiting = [];
		for (const stored of waiting) this.#leave(stored, this.#join(wholePieces(stored)));
	}

	/** Forgets a segment that fell out of the window. */
	forget(stored: StoredSegment): void {
		if (this.#waiting.length > 0) this.#waiting = this.#waiting.filter((one) => one !== stored);
	}

	/** The whole segments in the window that have their init segment, oldest first. */
	*whole(): Iterable<ReceivedSegment> {
		for (const stored of this.#window.segments) {
			const { manifest } = stored.signed;
			const init = this.inits.get(manifest.initSha256);
			if (!init || !isWhole(stored) || manifest.length === 0) continue;
			const bytes = this.#join(wholePieces(stored));
			yield { manifest, bytes, init, receivedAtMs: this.#clock.now() };
		}
	}

	#checkSegment(stored: StoredSegment): void {
		const bytes = this.#join(wholePieces(stored));
		this.#proofs.sha256(bytes, (digest) => {
			if (equalBytes(digest, stored.signed.manifest.sha256)) this.#leave(stored, bytes);
			else this.#forged();
		});
	}

	#leave(stored: StoredSegment, bytes: Uint8Array<ArrayBuffer>): void {
		const { manifest } = stored.signed;
		const init = this.inits.get(manifest.initSha256);
		if (init) this.#deliver({ manifest, bytes, init, receivedAtMs: this.#clock.now() });
		else this.#waiting.push(stored);
	}
}
