/** Proofs of holding a peer id, made with a secret that peers don't have. */
export interface ResumeProofs {
	/** A proof that the peer id has been held since then; text of at most 64 characters. */
	issue(infoHash: string, peerId: string, sinceMs: number): string;
	/** Since when, by a proof; undefined when it isn't one for this name. */
	since(infoHash: string, peerId: string, proof: string): number | undefined;
}
