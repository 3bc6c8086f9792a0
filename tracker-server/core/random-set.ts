/** A set that can be drawn from at random: every operation takes constant time. */
export class RandomSet<T> {
	readonly items: T[] = [];
	readonly #places = new Map<T, number>();

	get size(): number {
		return this.items.length;
	}

	has(item: T): boolean {
		return this.#places.has(item);
	}

	add(item: T): void {
		if (this.#places.has(item)) return;
		this.#places.set(item, this.items.length);
		this.items.push(item);
	}

	/** Removes by moving the last item into the gap. */
	delete(item: T): boolean {
		const place = this.#places.get(item);
		if (place === undefined) return false;
		this.#places.delete(item);
		const last = this.items.pop() as T;
		if (last !== item) {
			this.items[place] = last;
			this.#places.set(last, place);
		}
		return true;
	}

	/** One item; `random` is in [0, 1). */
	pick(random: number): T | undefined {
		return this.items[Math.floor(random * this.items.length)];
	}
}
