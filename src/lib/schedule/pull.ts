import { BROKEN_PROMISES, MAX_OUTSTANDING_PIECES, PIECE_BITS } from './bounds.ts';
import { canBeAsked, type Neighbour } from './neighbour.ts';

/** Pieces that a neighbour is taken to send for each one that we asked of it: others ask too. */
const PIECES_AHEAD = 2;
/** A neighbour with less uplink to spare than this would take it from its children. */
const NO_SPARE_KBPS = 300;
const NO_SPARE_MS = 150;
/** What each promise that a neighbour broke since it last delivered counts for. */
const FAILURE_MS = 200;
/** The broadcaster's uplink is everybody's: it is asked when nobody else can be. */
const BROADCASTER_MS = 2000;

/** The neighbour among `holders` (a bit per slot) that most likely delivers a piece first; `except` is passed over. */
export function chooseSource(
	neighbours: readonly Neighbour[],
	holders: number,
	except: number,
	nowMs: number,
): Neighbour | undefined {
	let best: Neighbour | undefined;
	let bestMs = Infinity;
	for (const neighbour of neighbours) {
		if ((holders & (1 << neighbour.slot)) === 0 || neighbour.slot === except) continue;
		if (neighbour.outstanding >= MAX_OUTSTANDING_PIECES || !canBeAsked(neighbour, nowMs)) continue;
		// Whoever just refused is left alone for a moment, and whoever says that it doesn't share altogether.
		if (nowMs < neighbour.busyUntilMs || neighbour.uplinkKbps === 0) continue;
		// Who never keeps its promises is asked for one piece at a time.
		if (neighbour.failures >= BROKEN_PROMISES && neighbour.outstanding > 0) continue;
		// A weak uplink is busy for longer with each piece, and others know less of it than we do.
		const sendMs = PIECE_BITS / neighbour.uplinkKbps;
		const waitMs =
			(Number.isNaN(neighbour.serviceMs) ? neighbour.rttMs + sendMs : neighbour.serviceMs) +
			sendMs +
			(neighbour.spareKbps < NO_SPARE_KBPS ? NO_SPARE_MS : 0) +
			neighbour.outstanding * PIECES_AHEAD * sendMs +
			(neighbour.role === 'broadcaster' ? BROADCASTER_MS : 0) +
			neighbour.failures * FAILURE_MS;
		if (waitMs < bestMs) {
			best = neighbour;
			bestMs = waitMs;
		}
	}
	return best;
}
