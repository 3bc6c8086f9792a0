import type { Clock } from './util/clock.ts';
import type { Link } from './model/link.ts';
import type { Manifest } from './model/manifest.ts';
import { manifestChanges, type SignedManifest } from './model/manifest-delta.ts';
import type { WantManifestMessage } from './model/message.ts';
import type { Neighbour } from './schedule/neighbour.ts';
import type { Scheduler } from './schedule/scheduler.ts';
import { TokenBucket } from './util/token-bucket.ts';
import type { DvrWindow } from './store/dvr-window.ts';

/** Manifests asked for at once when some were missed, at most. */
const MAX_GAP = 64;
/** The same missing manifest is asked for again after this long. */
const RETRY_MS = 150;
/** Manifests older than all that are here may be nowhere: the next before the oldest is asked for soon again a few times … */
const QUICK_TRIES = 3;
/** … then after this long … */
const OLDER_RETRY_MS = 2000;
/** … and so many times in all. */
const OLDER_TRIES = 7;
/**
 * Manifests sent to one neighbour that asks for them: a small question must not fetch a large answer for ever. With those of a
 * live edge of ten segments a second they are within what one neighbour may send (`link-budget.ts`).
 */
const ANSWERED_PER_S = 15;
const ANSWERED_BURST = 128;
/** Missing manifests remembered as asked for, at most. */
const MAX_ASKED = 256;

/** Where a peer began to want segments. */
export interface StartPoint {
	readonly epoch: number;
	readonly sequence: number;
}

/** The key frame that this segment needs: where a joiner begins. */
export function keyFrameBefore({ epoch, sequence, sinceKeyFrame }: Manifest): StartPoint {
	return { epoch, sequence: Math.max(0, sequence - sinceKeyFrame) };
}

/** How manifests travel between neighbours: told as differences where the one before is known, asked for where missed. */
export class ManifestExchange {
	readonly #clock: Clock;
	readonly #window: DvrWindow;
	readonly #scheduler: () => Scheduler;
	readonly #askedAtMs = new Map<number, number>();
	readonly #answers = new WeakMap<Neighbour, TokenBucket>();
	/** The sequence numbers that were last asked for to fill a gap, and when they or one of them last moved. */
	#coming: { epoch: number; first: number; last: number; atMs: number } | undefined;
	/** The manifest before which nobody gave any, and how often it was tried. */
	#oldest: { firstPiece: number; tries: number } | undefined;
	#start: StartPoint | undefined;
	#stopWatch: (() => void) | undefined;
	#turn = 0;
	#told:
		{ base: SignedManifest; next: SignedManifest; changes: Uint8Array<ArrayBuffer> } | undefined;

	constructor(clock: Clock, window: DvrWindow, scheduler: () => Scheduler) {
		this.#clock = clock;
		this.#window = window;
		this.#scheduler = scheduler;
	}

	/** The manifest of the segment that begins with this piece. */
	signedAt(firstPiece: number): SignedManifest | undefined {
		const found = this.#window.find(firstPiece);
		return found?.offset === 0 ? found.stored.signed : undefined;
	}

	/** Sends a segment's manifest, as a difference when the receiver knows the one before. */
	inform(link: Link, firstPiece: number): void {
		const signed = this.signedAt(firstPiece);
		if (!signed) return;
		const base = firstPiece > 0 ? this.#window.find(firstPiece - 1)?.stored.signed : undefined;
		const sameRun = base?.manifest.epoch === signed.manifest.epoch;
		if (base && sameRun && this.#scheduler().isInformed(link, base.manifest.firstPiece)) {
			link.send({
				type: 'manifest-delta',
				signature: signed.signature,
				baseFirstPiece: base.manifest.firstPiece,
				changes: this.#changesOf(base, signed),
			});
		} else {
			sendWhole(link, signed);
		}
	}

	/** The difference of the two, which every child is told: worked out once. */
	#changesOf(base: SignedManifest, next: SignedManifest): Uint8Array<ArrayBuffer> {
		if (this.#told?.base !== base || this.#told.next !== next) {
			this.#told = { base, next, changes: manifestChanges(base, next.manifest) };
		}
		return this.#told.changes;
	}

	/** Sends a manifest without pieces to everybody; there is nothing to push that would carry it. */
	flood(signed: SignedManifest, except: Neighbour | undefined): void {
		for (const neighbour of this.#scheduler().neighbours) {
			if (neighbour !== except && neighbour.role !== undefined) sendWhole(neighbour.link, signed);
		}
	}

	/** Answers who asks for manifests, and says what is held of their segments. */
	answer(from: Neighbour, { piece, before }: Pick<WantManifestMessage, 'piece' | 'before'>): void {
		const { segments } = this.#window;
		const found = piece === undefined ? this.#window.newest : this.#window.find(piece)?.stored;
		const last = found ? segments.lastIndexOf(found) : -1;
		if (!found || last < 0) return;
		// Whoever asks for the newest is about to join, and can only begin at a key frame.
		const back = piece === undefined ? found.signed.manifest.sinceKeyFrame : 0;
		const scheduler = this.#scheduler();
		let budget = this.#answers.get(from);
		if (!budget) {
			budget = new TokenBucket(ANSWERED_PER_S, ANSWERED_BURST, () => this.#clock.now());
			this.#answers.set(from, budget);
		}
		// The oldest first: it is wanted first, and the first to leave the window.
		for (const { signed } of segments.slice(Math.max(0, last - Math.max(before, back)), last + 1)) {
			if (!budget.take()) return;
			sendWhole(from.link, signed);
			scheduler.noteInformed(from, signed.manifest.firstPiece);
			scheduler.announceTo(from.link, signed.manifest.firstPiece);
		}
	}

	/** Asks a neighbour for the manifest of the segment that holds `piece` and so many before it. */
	ask(link: Link, piece: number, before: number, retryMs = RETRY_MS): void {
		const nowMs = this.#clock.now();
		if (nowMs - (this.#askedAtMs.get(piece) ?? -Infinity) < retryMs) return;
		if (this.#askedAtMs.size >= MAX_ASKED) this.#askedAtMs.clear();
		this.#askedAtMs.set(piece, nowMs);
		link.send({ type: 'want-manifest', piece, before });
	}

	/**
	 * Asks whoever just told of a manifest for the newest ones that are missing before it, back to `start` and as far as the window
	 * reaches: a gap that another neighbour was asked to fill and didn't is asked for again.
	 */
	fillGap(from: Neighbour, manifest: Manifest, start: StartPoint): void {
		if (manifest.epoch !== start.epoch) return;
		this.#start = start;
		this.#noteCame(manifest);
		this.#fill(from, start);
	}

	/** Stops asking. */
	close(): void {
		this.#stopWatch?.();
	}

	#fill(from: Neighbour, start: StartPoint): void {
		const retryMs = Math.max(RETRY_MS, 2 * from.rttMs);
		const { segments } = this.#window;
		let after: Manifest | undefined;
		for (let i = segments.length - 1; i >= 0; i--) {
			const before = segments[i]?.signed.manifest;
			if (before?.epoch !== start.epoch) continue;
			if (after && after.sequence - before.sequence > 1) {
				this.#askBefore(from, after, { back: before.sequence, retryMs });
				return;
			}
			if (before.sequence <= start.sequence) return;
			after = before;
		}
		if (!after || !this.#window.hasRoomBefore(after)) return;
		if (this.#oldest?.firstPiece !== after.firstPiece) {
			this.#oldest = { firstPiece: after.firstPiece, tries: 0 };
		}
		if (this.#oldest.tries >= OLDER_TRIES) return;
		const waitMs = this.#oldest.tries < QUICK_TRIES ? retryMs : OLDER_RETRY_MS;
		const asked = this.#askBefore(from, after, { back: start.sequence - 1, retryMs: waitMs });
		if (asked) this.#oldest.tries++;
	}

	/** Asks for the newest of those between `back` and a manifest, unless they are on their way; whether it did. */
	#askBefore(
		from: Neighbour,
		after: Manifest,
		{ back, retryMs }: { back: number; retryMs: number },
	): boolean {
		if (after.firstPiece === 0) return false;
		const nowMs = this.#clock.now();
		this.#watch(retryMs + RETRY_MS);
		const last = after.sequence - 1;
		const coming = this.#coming;
		const isComing = coming?.epoch === after.epoch && coming.first <= last && last <= coming.last;
		if (isComing && nowMs - coming.atMs < retryMs) return false;
		const count = Math.min(MAX_GAP, last - back);
		this.#coming = { epoch: after.epoch, first: after.sequence - count, last, atMs: nowMs };
		this.ask(from.link, after.firstPiece - 1, count - 1, retryMs);
		return true;
	}

	/** Looks again with another neighbour: who was asked may stay silent, or give some of them, and no manifest come that would remind us. */
	#watch(delayMs: number): void {
		this.#stopWatch?.();
		this.#stopWatch = this.#clock.after(delayMs, () => {
			const { neighbours } = this.#scheduler();
			const next = neighbours[this.#turn++ % Math.max(1, neighbours.length)];
			if (next && this.#start) this.#fill(next, this.#start);
		});
	}

	/** As long as some of what was asked for comes, the rest is on its way. */
	#noteCame({ epoch, sequence }: Manifest): void {
		const coming = this.#coming;
		if (coming?.epoch !== epoch || sequence < coming.first || sequence > coming.last) return;
		coming.atMs = this.#clock.now();
	}
}

function sendWhole(link: Link, { signature, dict }: SignedManifest): void {
	link.send({ type: 'manifest', signature, dict });
}
