import type { Random } from '../util/clock.ts';
import { PING_MS, PROBE_MS, SILENT_MS, SLEPT_MS } from './bounds.ts';
import type { Neighbour } from './neighbour.ts';

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
