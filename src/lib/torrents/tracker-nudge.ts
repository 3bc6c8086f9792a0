import type { Torrent, Tracker } from 'webtorrent';

const RECONNECT_FIRST_MS = 3_000;
const RECONNECT_MOST_MS = 60_000;
/** A torrent that knows of others and has no link to any asks again this often. */
const LONELY_MS = 10_000;

/**
 * Brings a lost tracker back within seconds, where webtorrent takes up to five minutes, and asks again when a
 * torrent is alone though others are there: a connection may fail, and the next announce is a minute away.
 * Call `tick` now and then and `stop` before the torrent is destroyed.
 */
export class TrackerNudge {
	readonly #torrent: Torrent;
	readonly #downSince = new Map<Tracker, { sinceMs: number; tries: number }>();
	#lonelySinceMs: number | undefined;

	constructor(torrent: Torrent) {
		this.#torrent = torrent;
	}

	/** Reopens trackers that have been down long enough; `others` is how many peers the trackers know of. */
	tick(nowMs: number, others: number): void {
		this.#reopen(nowMs);
		if (others < 1 || this.#torrent.wires.length > 0) {
			this.#lonelySinceMs = undefined;
			return;
		}
		this.#lonelySinceMs ??= nowMs;
		if (nowMs - this.#lonelySinceMs < LONELY_MS) return;
		this.#lonelySinceMs = nowMs;
		this.#torrent.discovery?.tracker?.update();
	}

	/** Stops reconnect timers: they would open sockets, and announce, after the torrent is gone. */
	stop(): void {
		for (const tracker of this.#torrent.discovery?.tracker?._trackers ?? []) {
			clearTimeout(tracker.reconnectTimer ?? undefined);
			tracker._openSocket = () => undefined;
		}
	}

	#reopen(nowMs: number): void {
		for (const tracker of this.#torrent.discovery?.tracker?._trackers ?? []) {
			if (!tracker.reconnecting || !tracker._openSocket) {
				this.#downSince.delete(tracker);
				continue;
			}
			let down = this.#downSince.get(tracker);
			if (!down) this.#downSince.set(tracker, (down = { sinceMs: nowMs, tries: 0 }));
			// The wait doubles each time.
			const waitMs = Math.min(RECONNECT_FIRST_MS * 2 ** down.tries, RECONNECT_MOST_MS);
			if (nowMs - down.sinceMs < waitMs) continue;
			down.sinceMs = nowMs;
			down.tries++;
			if (!tracker.destroyed) continue; // a socket is on its way
			clearTimeout(tracker.reconnectTimer ?? undefined);
			tracker._openSocket();
		}
	}
}
