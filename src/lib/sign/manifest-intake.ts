import { equalBytes, toHex } from '../util/bytes.ts';
import { ShoalError } from '../model/error.ts';
import { decodeManifest, isForeignVersion, pieceCount, type Manifest } from '../model/manifest.ts';
import { applyManifestChanges, type SignedManifest } from '../model/manifest-delta.ts';
import type { ManifestDeltaMessage, ManifestMessage } from '../model/message.ts';
import type { Proofs } from '../model/proofs.ts';
import type { Verdict } from './acceptance.ts';
import { signedBytes } from './manifest-signer.ts';

/** What came of a manifest message. */
export type IntakeResult =
	| { readonly type: 'verdict'; readonly verdict: Verdict; readonly signed: SignedManifest }
	/** The manifest it is told from is not known: ask for the whole one of the segment that holds `piece`. */
	| { readonly type: 'no-base'; readonly piece: number }
	/** Known already, or of another version: nothing to do. */
	| { readonly type: 'known'; readonly firstPiece: number | undefined }
	/** More than can be verified now. */
	| { readonly type: 'overloaded' }
	| { readonly type: 'bad'; readonly why: 'protocol' | 'bad-signature' };

/** Reads and validates a manifest's canonical bencoding; throws `protocol`. */
export type ReadManifest = (dict: Uint8Array) => Pick<SignedManifest, 'dict' | 'manifest'>;

/** A manifest whose proofs are under way. */
interface Check {
	readonly done: ((result: IntakeResult) => void)[];
	readonly firstPiece: number;
	/** Set when all proofs are here. */
	judge: (() => IntakeResult) | undefined;
}

/** Signatures checked a second, at most, over all links. */
const MAX_VERIFICATIONS_PER_S = 200;
/** Manifests being checked at one time, at most. */
const MAX_CHECKING = 128;

/**
 * The gate for manifests: bytes from a wire become a verified manifest with a verdict. Nothing is verified twice at the
 * same time, and repeated bytes of an accepted manifest aren't verified again.
 */
export class ManifestIntake {
	readonly #channel: Uint8Array;
	readonly #proofs: Proofs;
	readonly #judge: (signed: SignedManifest) => Verdict;
	readonly #infoDict: (manifest: Manifest) => Uint8Array;
	readonly #now: () => number;
	readonly #known: (firstPiece: number) => SignedManifest | undefined;
	readonly #read: ReadManifest;
	/** In the order in which they came. */
	readonly #checking = new Map<string, Check>();
	#windowStartMs = 0;
	#verifiedInWindow = 0;

	constructor(options: {
		channel: Uint8Array;
		proofs: Proofs;
		/** What becomes of a manifest whose proofs are good. */
		judge: (signed: SignedManifest) => Verdict;
		/** The info dictionary that follows from a manifest; its SHA-1 must be the infohash. */
		infoDict: (manifest: Manifest) => Uint8Array;
		/** Monotonic milliseconds. */
		now: () => number;
		/** The accepted manifest of the segment that begins with this piece. */
		known: (firstPiece: number) => SignedManifest | undefined;
		/** Reads a manifest's bytes. @default one's own reading of them */
		read?: ReadManifest | undefined;
	}) {
		this.#channel = options.channel;
		this.#proofs = options.proofs;
		this.#judge = options.judge;
		this.#infoDict = options.infoDict;
		this.#now = options.now;
		this.#known = options.known;
		this.#read = options.read ?? ((dict) => ({ dict, manifest: decodeManifest(dict) }));
	}

	/** Takes a manifest message; `done` is called once, now or later. Never throws. */
	take(
		message: ManifestMessage | ManifestDeltaMessage,
		done: (result: IntakeResult) => void,
	): void {
		let dict: Uint8Array;
		let manifest: Manifest;
		try {
			if (message.type === 'manifest') {
				dict = message.dict;
			} else {
				const base = this.#known(message.baseFirstPiece);
				if (!base) {
					done({ type: 'no-base', piece: message.baseFirstPiece });
					return;
				}
				const next = this.#known(base.manifest.firstPiece + pieceCount(base.manifest));
				if (next && equalBytes(next.signature, message.signature)) {
					done({ type: 'known', firstPiece: next.manifest.firstPiece });
					return;
				}
				dict = applyManifestChanges(base, message.changes);
			}
			({ dict, manifest } = this.#read(dict));
		} catch (error) {
			if (!(error instanceof ShoalError)) throw error;
			if (message.type === 'manifest' && isForeignVersion(message.dict)) {
				done({ type: 'known', firstPiece: undefined });
			} else {
				done({ type: 'bad', why: 'protocol' });
			}
			return;
		}
		const known = this.#known(manifest.firstPiece);
		if (known && equalBytes(known.dict, dict)) {
			done({ type: 'known', firstPiece: manifest.firstPiece });
			return;
		}
		if (!equalBytes(manifest.channel, this.#channel)) {
			done({ type: 'bad', why: 'bad-signature' });
			return;
		}
		this.#check({ manifest, dict, signature: message.signature }, done);
	}

	#check(unproven: Omit<SignedManifest, 'sha256'>, done: (result: IntakeResult) => void): void {
		const { manifest, dict, signature } = unproven;
		// The signature is part of the name: a forged one must not be spared by a genuine one under way.
		const name = toHex(signature) + toHex(manifest.sha256) + manifest.sequence;
		const waiting = this.#checking.get(name);
		if (waiting) {
			waiting.done.push(done);
			return;
		}
		if (this.#checking.size >= MAX_CHECKING || !this.#mayVerify()) {
			done({ type: 'overloaded' });
			return;
		}
		const check: Check = { done: [done], firstPiece: manifest.firstPiece, judge: undefined };
		this.#checking.set(name, check);
		const bytes = signedBytes(dict);
		// Side by side: pieces are right behind, and every one of these may take a while in a browser.
		let genuine: boolean | undefined;
		let infoHash: Uint8Array | undefined;
		let sha256: Uint8Array | undefined;
		const settle = () => {
			if (genuine === undefined || !infoHash || !sha256) return;
			const isGenuine = genuine;
			const isFitting = equalBytes(infoHash, manifest.infoHash);
			const signed = { manifest, dict, signature, sha256 };
			check.judge = () => {
				if (!isGenuine) return { type: 'bad', why: 'bad-signature' };
				if (!isFitting) return { type: 'bad', why: 'protocol' };
				return { type: 'verdict', verdict: this.#judge(signed), signed };
			};
			this.#finish();
		};
		this.#proofs.verify(this.#channel, signature, bytes, (verified) => {
			genuine = verified;
			settle();
		});
		this.#proofs.sha1(this.#infoDict(manifest), (digest) => {
			infoHash = digest;
			settle();
		});
		this.#proofs.sha256(bytes, (digest) => {
			sha256 = digest;
			settle();
		});
	}

	/** Judges what has been checked, in the order it came in: proofs may overtake each other, and a gap would be seen where none is. */
	#finish(): void {
		for (const [name, { done, firstPiece, judge }] of this.#checking) {
			if (!judge) return;
			this.#checking.delete(name);
			const result = judge();
			done.forEach((each, i) => {
				// Only the first to bring it has brought news.
				const repeat = i > 0 && result.type === 'verdict' && result.verdict.type === 'accept';
				each(repeat ? { type: 'known', firstPiece } : result);
			});
		}
	}

	#mayVerify(): boolean {
		const nowMs = this.#now();
		if (nowMs - this.#windowStartMs >= 1000) {
			this.#windowStartMs = nowMs;
			this.#verifiedInWindow = 0;
		}
		return ++this.#verifiedInWindow <= MAX_VERIFICATIONS_PER_S;
	}
}
