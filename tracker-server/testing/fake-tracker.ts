import type { CloseReason, Link, Origin } from '../core/connection.ts';
import type { Connection } from '../core/peer.ts';
import { Tracker } from '../core/tracker.ts';
import type { TrackerOptions } from '../core/tracker.ts';
import { textOfWire, wireOfText } from '../core/wire-text.ts';
import { announceMessage } from './messages.ts';
import type { Json } from './raw-client.ts';

/** A link that only remembers. */
export class FakeLink implements Link {
	readonly sent: Json[] = [];
	queuedBytes = 0;
	probes = 0;
	closed: { code: number; reason: CloseReason } | undefined;

	send(wire: string): void {
		this.sent.push(JSON.parse(textOfWire(wire)) as Json);
	}

	probe(): void {
		this.probes += 1;
	}

	close(code: number, reason: CloseReason): void {
		this.closed = { code, reason };
	}

	get replies(): Json[] {
		return this.sent.filter((message) => 'interval' in message);
	}

	get offers(): Json[] {
		return this.sent.filter((message) => 'offer' in message);
	}

	get answers(): Json[] {
		return this.sent.filter((message) => 'answer' in message);
	}

	get failures(): Json[] {
		return this.sent.filter((message) => 'failure reason' in message);
	}
}

/** One client of a fake tracker. */
export class FakeClient {
	readonly link = new FakeLink();
	readonly connection: Connection;
	readonly #world: FakeTracker;

	constructor(world: FakeTracker, origin: Partial<Origin>) {
		this.#world = world;
		this.connection = world.tracker.connect(
			this.link,
			{ addressKey: '192.0.2.1', subnet: '', region: '', token: undefined, ...origin },
			world.nowMs,
		);
	}

	send(message: unknown): void {
		const text = typeof message === 'string' ? message : JSON.stringify(message);
		this.#world.tracker.receive(this.connection, wireOfText(text), this.#world.nowMs);
	}

	announce(infoHash: string, peerId: string, fields: Json = {}): void {
		this.send(announceMessage(infoHash, peerId, fields));
	}

	leave(): void {
		this.#world.tracker.disconnect(this.connection);
	}
}

/** The core with a clock that stands until it is moved, and a seeded die. */
export class FakeTracker {
	nowMs = 1_000_000;
	readonly tracker: Tracker;

	constructor(options: Partial<TrackerOptions> = {}, seed = 1) {
		this.tracker = new Tracker({ random: seededRandom(seed), ...options });
	}

	connect(origin: Partial<Origin> = {}): FakeClient {
		return new FakeClient(this, origin);
	}

	wait(ms: number): void {
		this.nowMs += ms;
	}
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}
