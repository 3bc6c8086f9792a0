import type { Random } from '../util/clock.ts';
import { PING_MS, QUIET_MS, SILENT_MS } from './bounds.ts';
import type { Neighbour } from './neighbour.ts';

/** Tells the living from the dead by pings of our own: ICE needs fifteen seconds for it. */
export class Liveness {
	readonly #random: Random;

	constructor(random: Random) {
		this.#random = random;
	}

	/** Whether nothing was heard for so long that the link is to be left. */
	isSilent(neighbour: Neighbour, nowMs: number): boolean {
		return nowMs - neighbour.heardAtMs > SILENT_MS;
	}

	/** Whether a ping is due: every `PING_MS`, and sooner when a neighbour has gone quiet. */
	shouldPing(neighbour: Neighbour, nowMs: number): boolean {
		const sinceMs = nowMs - neighbour.pingSentAtMs;
		const quiet = nowMs - neighbour.heardAtMs > QUIET_MS;
		return sinceMs >= (quiet ? PING_MS / 2 : PING_MS);
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
