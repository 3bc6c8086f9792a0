import type { SourceEvents } from './source-stretch.ts';

/** Says when the sender that is listened for comes, leaves and is back. */
export class Senders {
	readonly #events: Pick<SourceEvents, 'onMessage' | 'onFault' | 'signal'>;
	#left = false;

	constructor(events: Pick<SourceEvents, 'onMessage' | 'onFault' | 'signal'>) {
		this.#events = events;
	}

	/** One is here with these bytes; their end is its leaving, unless it is us who read no further. */
	welcome(bytes: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
		if (this.#left) this.#events.onFault('A sender is back; the broadcast goes on.');
		else this.#events.onMessage('A sender is here.');
		this.#left = false;
		return bytes.pipeThrough(new TransformStream({ flush: () => this.#leave() }));
	}

	#leave(): void {
		if (this.#events.signal.aborted) return;
		this.#left = true;
		this.#events.onFault('The sender has left; viewers wait. It goes on when a sender comes.');
	}
}
