type Listener<T> = (event: T) => void;

/** A small typed event source: `Events` maps each event's name to its payload. */
export class Emitter<Events extends object> {
	readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

	/** Calls `listener` on each `name` event until the returned function is called. */
	on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
		let set = this.#listeners.get(name);
		if (!set) this.#listeners.set(name, (set = new Set()));
		set.add(listener);
		return () => this.off(name, listener);
	}

	/** Calls `listener` on the next `name` event only. */
	once<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
		const stop = this.on(name, (event) => {
			stop();
			listener(event);
		});
		return stop;
	}

	/** Removes a listener; unknown ones are ignored. */
	off<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): void {
		this.#listeners.get(name)?.delete(listener);
	}

	/** Delivers an event to every present listener; one that throws doesn't keep it from the others. */
	protected emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
		const set = this.#listeners.get(name);
		if (!set) return;
		for (const listener of [...set]) {
			try {
				(listener as Listener<Events[Name]>)(event);
			} catch (error) {
				queueMicrotask(() => {
					throw error;
				});
			}
		}
	}

	/** Forgets every listener. */
	protected removeAllListeners(): void {
		this.#listeners.clear();
	}
}
