import { compareBytes, equalBytes } from '../util/bytes.ts';
import { pieceCount, type Manifest } from '../model/manifest.ts';
import type { SignedManifest } from '../model/manifest-delta.ts';

/** What becomes of a manifest whose signature is genuine. */
export type Verdict =
	/** New and in place: use it and pass it on. */
	| { readonly type: 'accept'; readonly newRun: boolean }
	/** Known already, or too old to matter: dropped without blame. */
	| { readonly type: 'ignore'; readonly why: 'duplicate' | 'stale' | 'ended' | 'other-session' }
	/** Another manifest for a place that is taken: the channel is signed by two devices. */
	| { readonly type: 'fork' }
	/** Can't come from an honest peer: costs the sender its link. */
	| { readonly type: 'reject'; readonly why: 'other-channel' | 'fast-forward' };

/** Segments that may be missed at once even when no time seems to have passed. */
const FAST_FORWARD_SEGMENTS = 64;
/** A session that was silent for this many segment lengths may be followed by another of the same epoch. */
const SILENT_SEGMENTS = 3;
const MIN_SILENT_MS = 1500;

interface Run {
	readonly epoch: number;
	readonly session: Uint8Array;
	newest: Manifest;
	newestAtMs: number;
	ended: boolean;
}

/**
 * The state rules of a channel (PROTOCOL.md, "Which manifests count"): which verified manifest is the next, which is a
 * replay, which proves a fork. Pure: time comes in as monotonic milliseconds. Invariants:
 * 1. the epoch never falls; 2. within an epoch one session at a time is followed; 3. nothing follows `ended` in its
 * epoch; 4. one manifest per sequence number; 5. neighbours in sequence are linked by `previous`.
 */
export class Acceptance {
	readonly #channel: Uint8Array;
	readonly #windowMs: number;
	#run: Run | undefined;
	/** The latest run that others brought to the broadcaster before its own began. */
	#othersEpoch = -1;
	readonly #bySequence = new Map<number, SignedManifest>();

	/** `windowMs` is how far behind the newest a manifest may be. */
	constructor(channel: Uint8Array, windowMs: number) {
		this.#channel = channel;
		this.#windowMs = windowMs;
	}

	/** The newest accepted manifest of the run that is followed. */
	get newest(): Manifest | undefined {
		return this.#run?.newest;
	}

	/** Whether the run that is followed has ended. */
	get ended(): boolean {
		return this.#run?.ended ?? false;
	}

	/** When the newest manifest was accepted, monotonic milliseconds. */
	get newestAtMs(): number | undefined {
		return this.#run?.newestAtMs;
	}

	/** Judges a manifest and, when it is accepted, remembers it. The broadcaster's own is a fork when viewers follow a later run. */
	judge(signed: SignedManifest, nowMs: number): Verdict {
		const { manifest } = signed;
		if (!equalBytes(manifest.channel, this.#channel)) {
			return { type: 'reject', why: 'other-channel' };
		}
		const run = this.#run;
		if (!run || manifest.epoch > run.epoch) return this.#begin(signed, nowMs);
		if (manifest.epoch < run.epoch) return { type: 'ignore', why: 'stale' };
		if (!equalBytes(manifest.session, run.session)) return this.#otherSession(signed, run, nowMs);
		return this.#sameSession(signed, run, nowMs);
	}

	/**
	 * Judges what others bring to the broadcaster itself. It follows nobody: what it signed in an earlier run, which viewers still hold
	 * when it comes back, is old to it, and anything that it did not sign shows that somebody else does.
	 */
	judgeOthers({ manifest, sha256 }: SignedManifest): Verdict {
		if (!equalBytes(manifest.channel, this.#channel)) {
			return { type: 'reject', why: 'other-channel' };
		}
		const run = this.#run;
		if (!run) this.#othersEpoch = Math.max(this.#othersEpoch, manifest.epoch);
		if (!run || manifest.epoch < run.epoch) return { type: 'ignore', why: 'stale' };
		if (manifest.epoch > run.epoch || !equalBytes(manifest.session, run.session)) {
			return { type: 'fork' };
		}
		const known = this.#bySequence.get(manifest.sequence);
		if (known && equalBytes(known.sha256, sha256)) return { type: 'ignore', why: 'duplicate' };
		const isForgotten = !known && manifest.sequence < run.newest.sequence;
		return isForgotten ? { type: 'ignore', why: 'stale' } : { type: 'fork' };
	}

	#begin(signed: SignedManifest, nowMs: number): Verdict {
		const { manifest } = signed;
		this.#bySequence.clear();
		this.#run = {
			epoch: manifest.epoch,
			session: new Uint8Array(manifest.session),
			newest: manifest,
			newestAtMs: nowMs,
			ended: manifest.status === 'ended',
		};
		this.#bySequence.set(manifest.sequence, signed);
		if (manifest.epoch < this.#othersEpoch) return { type: 'fork' };
		return { type: 'accept', newRun: true };
	}

	#otherSession(signed: SignedManifest, run: Run, nowMs: number): Verdict {
		const { manifest } = signed;
		const quietMs = nowMs - run.newestAtMs;
		const patienceMs = Math.max(MIN_SILENT_MS, (SILENT_SEGMENTS * run.newest.durationUs) / 1000);
		if (quietMs <= patienceMs) return { type: 'fork' };
		// A tie between two silent sessions of one epoch goes to the larger id, whatever the order of arrival.
		if (manifest.sequence <= run.newest.sequence && compareBytes(manifest.session, run.session) < 0)
			return { type: 'ignore', why: 'other-session' };
		return this.#begin(signed, nowMs);
	}

	#sameSession(signed: SignedManifest, run: Run, nowMs: number): Verdict {
		const { manifest } = signed;
		const known = this.#bySequence.get(manifest.sequence);
		if (known) {
			return equalBytes(known.sha256, signed.sha256)
				? { type: 'ignore', why: 'duplicate' }
				: { type: 'fork' };
		}
		const newest = run.newest;
		if (run.ended && manifest.sequence > newest.sequence) return { type: 'ignore', why: 'ended' };
		if ((newest.startUs - manifest.startUs) / 1000 > this.#windowMs) {
			return { type: 'ignore', why: 'stale' };
		}
		const ahead = manifest.sequence - newest.sequence;
		const possible = ((nowMs - run.newestAtMs) * 1000 * 2) / Math.max(1, newest.durationUs);
		if (ahead > Math.max(FAST_FORWARD_SEGMENTS, possible)) {
			return { type: 'reject', why: 'fast-forward' };
		}
		if (!this.#linksUp(signed)) return { type: 'fork' };
		this.#bySequence.set(manifest.sequence, signed);
		if (ahead > 0) {
			run.newest = manifest;
			run.newestAtMs = nowMs;
			run.ended = manifest.status === 'ended';
			this.#forgetOld(newest.sequence);
		}
		return { type: 'accept', newRun: false };
	}

	/** Whether `previous` and the piece numbers agree with the neighbours in sequence that are known. */
	#linksUp(signed: SignedManifest): boolean {
		const { manifest } = signed;
		const before = this.#bySequence.get(manifest.sequence - 1);
		const after = this.#bySequence.get(manifest.sequence + 1);
		return (!before || follows(before, signed)) && (!after || follows(signed, after));
	}

	#forgetOld(newestSequence: number): void {
		for (const [sequence, { manifest }] of this.#bySequence) {
			const newest = this.#run?.newest ?? manifest;
			const behindMs = (newest.startUs - manifest.startUs) / 1000;
			if (behindMs <= this.#windowMs && newestSequence - sequence < MAX_REMEMBERED) return;
			this.#bySequence.delete(sequence);
		}
	}
}

/** Most manifests remembered, whatever their times say. */
const MAX_REMEMBERED = 4096;

function follows(before: SignedManifest, after: SignedManifest): boolean {
	return (
		equalBytes(after.manifest.previous, before.sha256) &&
		after.manifest.firstPiece === before.manifest.firstPiece + pieceCount(before.manifest)
	);
}
