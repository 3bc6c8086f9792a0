/** Where a channel stands on disk: everything published lies before it. */
export interface StoredPlace {
	/** Newest epoch ever begun. */
	readonly epoch: number;
	/** No piece with this index or a higher one was ever published. */
	readonly nextPiece: number;
}

/** What the broadcaster keeps between visits. A real one is `openSignStorage`; tests hold it in memory. */
export interface SignStorage {
	/** The pair of this browser's channel; `make` is called when there is none, and its pair kept. */
	loadPair(make: () => Promise<CryptoKeyPair>): Promise<CryptoKeyPair>;
	loadPlace(channelId: string): Promise<StoredPlace | undefined>;
	/** Resolves once the place is on disk. */
	savePlace(channelId: string, place: StoredPlace): Promise<void>;
}
