import type { Bus } from './bus.ts';

/** The medium that several in-memory buses share; can be cut, as a network can. */
export class MemoryMedium {
	readonly #ears = new Map<string, Set<(text: string) => void>>();
	isCut = false;

	/** One node's end of it. */
	bus(): Bus {
		const isCut = () => this.isCut;
		let dropped = 0;
		const own: [string, (text: string) => void][] = [];
		return {
			get up() {
				return !isCut();
			},
			get dropped() {
				return dropped;
			},
			publish: (channel, text) => {
				if (this.isCut) {
					dropped += 1;
					return false;
				}
				queueMicrotask(() => {
					for (const hear of this.#ears.get(channel) ?? []) hear(text);
				});
				return true;
			},
			subscribe: (channel, hear) => {
				const ears = this.#ears.get(channel) ?? new Set();
				ears.add(hear);
				this.#ears.set(channel, ears);
				own.push([channel, hear]);
			},
			close: () => {
				for (const [channel, hear] of own.splice(0)) this.#ears.get(channel)?.delete(hear);
				return Promise.resolve();
			},
		};
	}
}
