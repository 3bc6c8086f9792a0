// What this device's uplink carried on the last visit: who knows it shares the right amount from its first second.
import { keep, recall } from './keepsakes.ts';

const NAME = 'uplink';
/** Nearer than this to what is kept isn't worth a write, as a share. */
const ALIKE = 0.1;

/** Bits per second, or undefined on a first visit. */
export function recallUplink(): number | undefined {
	const bps = Number(recall(NAME));
	return Number.isFinite(bps) && bps > 0 ? bps : undefined;
}

/** Keeps a rate, bits per second; `undefined` and what is much like the one kept change nothing. */
export function keepUplink(bps: number | undefined): void {
	if (bps === undefined || bps <= 0) return;
	const kept = recallUplink() ?? 0;
	if (Math.abs(bps - kept) > ALIKE * kept) keep(NAME, String(Math.round(bps)));
}
