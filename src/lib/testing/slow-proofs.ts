import type { Proofs } from '../model/proofs.ts';
import type { Clock } from '../util/clock.ts';

/** Proofs that take their time, each as long as `delayMs` says, as a browser's do: one may overtake another. */
export function slowProofs(proofs: Proofs, clock: Clock, delayMs: () => number): Proofs {
	return {
		sha1: (bytes, done) => void clock.after(delayMs(), () => proofs.sha1(bytes, done)),
		sha256: (bytes, done) => void clock.after(delayMs(), () => proofs.sha256(bytes, done)),
		verify: (key, signature, bytes, done) =>
			void clock.after(delayMs(), () => proofs.verify(key, signature, bytes, done)),
	};
}
