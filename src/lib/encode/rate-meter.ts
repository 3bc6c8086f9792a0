const SPAN_MS = 2000;

/** Bits per second over the last two seconds. */
export class RateMeter {
	#entries: { bytes: number; atMs: number }[] = [];

	add(bytes: number, nowMs: number): void {
		this.#entries.push({ bytes, atMs: nowMs });
		this.#forget(nowMs);
	}

	bps(nowMs: number): number {
		this.#forget(nowMs);
		const bytes = this.#entries.reduce((sum, entry) => sum + entry.bytes, 0);
		const spanMs = Math.max(500, nowMs - (this.#entries[0]?.atMs ?? nowMs));
		return Math.round((bytes * 8000) / spanMs);
	}

	#forget(nowMs: number): void {
		const first = this.#entries.findIndex((entry) => entry.atMs > nowMs - SPAN_MS);
		if (first !== 0) this.#entries = first < 0 ? [] : this.#entries.slice(first);
	}
}
