import type { Random } from '../util/clock.ts';
import { PING_MS, PROBE_MS, SILENT_MS, SLEPT_MS } from './bounds.ts';
import { isLongSilent, owesAnswer, type Neighbour } from './neighbour.ts';

/** Share of the neighbours that are many when they fall silent at once, and the fewest. */
const MANY = 0.3;
const LEAST_MANY = 3;

/** Tells the living from the dead by pings of our own: ICE needs fifteen seconds for it. */
export class Liveness {
	readonly #random: Random;
	#beatAtMs = Infinity;

	constructor(random: Random) {
		this.#random = random;
	}

	/** Whether nothing was heard for so long that the link is to be left. */
	isSilent(neighbour: Neighbour, nowMs: number): boolean {
		return nowMs - neighbour.heardAtMs > SILENT_MS;
	}

	/**
	 * Notes whether many neighbours owe an answer at once: they have gone together, as when a network fails. When all do, it
	 * is our own line that is silent.
	 */
	noteMany(neighbours: readonly Neighbour[], nowMs: number): void {
		let judged = 0;
		let silent = 0;
		for (const neighbour of neighbours) {
			// Who counts as gone by itself says nothing of the others any more.
			if (isLongSilent(neighbour, nowMs)) continue;
			judged++;
			if (owesAnswer(neighbour, nowMs)) silent++;
		}
		const many = silent >= Math.max(LEAST_MANY, MANY * judged);
		const amongMany = many && silent < judged;
		for (const neighbour of neighbours) neighbour.amongMany = amongMany;
	}

	/** Whether a ping is due: every `PING_MS`, and sooner when nothing else is heard of a neighbour. */
	shouldPing(neighbour: Neighbour, nowMs: number): boolean {
		const sinceMs = nowMs - neighbour.pingSentAtMs;
		const unheard = nowMs - neighbour.heardAtMs >= PROBE_MS;
		return sinceMs >= (unheard ? PROBE_MS : PING_MS);
	}

	/** When time has leapt we slept, and nobody else was silent; gives for how long. */
	sleptMs(nowMs: number): number {
		const sinceMs = nowMs - this.#beatAtMs;
		this.#beatAtMs = nowMs;
		return sinceMs > SLEPT_MS ? sinceMs : 0;
	}

	/** Notes a ping and gives its nonce. */
	pinged(neighbour: Neighbour, nowMs: number): number {
		neighbour.pingNonce = Math.floor(this.#random() * 0x1_0000_0000);
		neighbour.pingSentAtMs = nowMs;
		return neighbour.pingNonce;
	}

	/** Takes the round trip from the answer to the latest ping; any other answer is ignored. */
	onPong(neighbour: Neighbour, nonce: number, nowMs: number): void {
		if (nonce !== neighbour.pingNonce) return;
		const rttMs = nowMs - neighbour.pingSentAtMs;
		neighbour.rttMs += (rttMs - neighbour.rttMs) * (neighbour.rttMs === 100 ? 1 : 0.25);
		neighbour.pingNonce = -1;
	}
}
