/** Signs with the channel's key (Ed25519, RFC 8032); `done` is called once, now or later, or never when the key refuses. */
export type Sign = (bytes: Uint8Array, done: (signature: Uint8Array) => void) => void;

/**
 * Hashes and signatures as the engine asks for them. Answers may come at once or later, in any order; a simulator
 * answers at once. WebCrypto stands behind it in the browser and in Node.
 */
export interface Proofs {
	/** SHA-1 of the bytes: the name of pieces and torrents (BEP 3). */
	sha1(bytes: Uint8Array, done: (digest: Uint8Array) => void): void;
	/** SHA-256 of the bytes. */
	sha256(bytes: Uint8Array, done: (digest: Uint8Array) => void): void;
	/** Whether the Ed25519 signature (RFC 8032) is the key's on exactly these bytes. */
	verify(
		publicKey: Uint8Array,
		signature: Uint8Array,
		bytes: Uint8Array,
		done: (genuine: boolean) => void,
	): void;
}
