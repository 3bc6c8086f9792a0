/** What makes way when the bus is full: an offer is one of five, an answer is the only one. */
export type Urgency = 'offer' | 'answer' | 'beat';

/** Messages between nodes, each delivered at most once; a lost one costs one slot of one peer. */
export interface Bus {
	/** Whether messages get through, as far as this end can tell. */
	readonly up: boolean;
	/** Messages not taken since the start. */
	readonly dropped: number;
	/** Sends to whoever listens on `channel`; false where it was dropped. Never waits. */
	publish(channel: string, text: string, urgency: Urgency): boolean;
	/** Listens for the life of the bus, through its outages. */
	subscribe(channel: string, hear: (text: string) => void): void;
	close(): Promise<void>;
}
