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
export const MAX_GAP = 64;
/** The same missing manifest is asked for again after this long. */
const RETRY_MS = 150;
/** Manifests sent to one neighbour that asks for them: a small question must not fetch a large answer for ever. */
const ANSWERED_PER_S = 25;
const ANSWERED_BURST = 150;
/** Missing manifests remembered as asked for, at most. */
const MAX_ASKED = 256;

/** Where a peer began to want segments. */
export interface StartPoint {
	readonly epoch: number;
	readonly sequence: number;
}

/** How manifests travel between neighbours: told as differences where the one before is known, asked for where missed. */
export class ManifestExchange {
	readonly #clock: Clock;
	readonly #window: DvrWindow;
	readonly #scheduler: () => Scheduler;
	readonly #askedAtMs = new Map<number, number>();
	readonly #answers = new WeakMap<Neighbour, TokenBucket>();
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
		for (const { signed } of segments.slice(Math.max(0, last - Math.max(before, back)), last + 1)) {
			if (!budget.take()) return;
			sendWhole(from.link, signed);
			scheduler.noteInformed(from, signed.manifest.firstPiece);
			scheduler.announceTo(from.link, signed.manifest.firstPiece);
		}
	}

	/** Asks a neighbour for the manifest of the segment that holds `piece` and so many before it. */
	ask(link: Link, piece: number, before: number): void {
		const nowMs = this.#clock.now();
		if (nowMs - (this.#askedAtMs.get(piece) ?? -Infinity) < RETRY_MS) return;
		if (this.#askedAtMs.size >= MAX_ASKED) this.#askedAtMs.clear();
		this.#askedAtMs.set(piece, nowMs);
		link.send({ type: 'want-manifest', piece, before });
	}

	/**
	 * Asks whoever just told of a manifest for the newest ones that are missing before it, back to `start`: a gap that another
	 * neighbour was asked to fill and didn't is asked for again.
	 */
	fillGap(link: Link, manifest: Manifest, start: StartPoint): void {
		if (manifest.epoch !== start.epoch) return;
		const { segments } = this.#window;
		let after: Manifest | undefined;
		for (let i = segments.length - 1; i >= Math.max(0, segments.length - MAX_GAP); i--) {
			const before = segments[i]?.signed.manifest;
			if (before?.epoch !== start.epoch) continue;
			if (after && after.sequence - before.sequence > 1) {
				this.#askBefore(link, after, after.sequence - before.sequence - 1);
				return;
			}
			if (before.sequence <= start.sequence) return;
			after = before;
		}
		if (after && segments.length <= MAX_GAP) {
			this.#askBefore(link, after, after.sequence - start.sequence);
		}
	}

	#askBefore(link: Link, { firstPiece }: Manifest, missing: number): void {
		if (firstPiece > 0) this.ask(link, firstPiece - 1, Math.min(MAX_GAP, missing) - 1);
	}
}

function sendWhole(link: Link, { signature, dict }: SignedManifest): void {
	link.send({ type: 'manifest', signature, dict });
}
