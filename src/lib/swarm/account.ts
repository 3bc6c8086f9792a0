/** What this peer tells trackers about itself, so that they introduce it well. Believed with care. */
export interface Account {
	/** Hops to the broadcaster, 255 when unknown. */
	readonly hop: number;
	/** Links it could still take. */
	readonly slots: number;
	/** It gets less than the stream needs. */
	readonly starving: boolean;
	/** Kilobits per second that it can send in all, as measured or as taken for until then; 0 when it doesn't share. */
	readonly uplinkKbps: number;
}
