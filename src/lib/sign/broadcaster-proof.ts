import type { Channel } from '../model/channel.ts';
import type { Fingerprints, Link } from '../model/link.ts';
import type { BroadcasterProofMessage } from '../model/message.ts';
import type { Proofs, Sign } from '../model/proofs.ts';
import { concatBytes, utf8 } from '../util/bytes.ts';

const DOMAIN = utf8('shoal/broadcaster/1\0');

/** What a broadcaster signs: its own end of the link before the other, so that nobody can hand its proof on as their own. */
export function broadcasterProofBytes(
	broadcaster: Uint8Array,
	other: Uint8Array,
): Uint8Array<ArrayBuffer> {
	return concatBytes(DOMAIN, broadcaster, other);
}

/** Shows neighbours that this peer is the broadcaster, and checks who else says so. */
export class BroadcasterProof {
	readonly #publicKey: Uint8Array;
	readonly #proofs: Proofs;
	readonly #sign: Sign | undefined;

	/** `sign` is there for the broadcaster only. */
	constructor(options: { channel: Channel; proofs: Proofs; sign?: Sign | undefined }) {
		this.#publicKey = options.channel.publicKey;
		this.#proofs = options.proofs;
		this.#sign = options.sign;
	}

	/** Sends the proof over a link, a moment later; viewers and relays have none. */
	give(link: Link): void {
		const sign = this.#sign;
		const ends = sign && link.fingerprints;
		if (!ends) return;
		sign(broadcasterProofBytes(ends.ours, ends.theirs), (signature) => {
			link.send({ type: 'broadcaster-proof', signature });
		});
	}

	/** Tells whether a proof is genuine, now or later; nothing where the link can't be told from another. */
	check(
		{ fingerprints }: { readonly fingerprints: Fingerprints | undefined },
		{ signature }: BroadcasterProofMessage,
		done: (genuine: boolean) => void,
	): void {
		if (!fingerprints) return;
		const bytes = broadcasterProofBytes(fingerprints.theirs, fingerprints.ours);
		this.#proofs.verify(this.#publicKey, signature, bytes, done);
	}
}
