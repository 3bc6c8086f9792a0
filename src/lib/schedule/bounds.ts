// Every bound of the scheduler, in one place. Times in milliseconds.

/** Neighbours at most of whom something is heard, by what this peer is; with the silent there may be `SLOTS` for a while. */
export const MAX_LINKS = { viewer: 16, relay: 24, broadcaster: 24 } as const;
/** Links that are formed as fast as they can be; the rest come at leisure. */
export const QUICK_LINKS = 4;
/** Blocks a neighbour may keep queued with us; more are rejected. */
export const MAX_QUEUED_BLOCKS = 64;
/** How long a request for a piece we don't have yet is held before it is rejected. */
export const HOLD_REQUEST_MS = 2000;
/** Pieces asked of one neighbour and not yet answered, at most. */
export const MAX_OUTSTANDING_PIECES = 32;
/** A request unanswered for this long, or four round trips if that is more, is taken back even when nobody else can be asked; a parent that is late by so much more than is waited for is left. */
export const REQUEST_TIMEOUT_MS = 400;
/** Added to a round trip before another source is asked for a piece that is late. */
export const REPAIR_SLACK_MS = 200;
/** The same at most, when parents turn out to have been only late. */
export const MAX_REPAIR_SLACK_MS = 300;
/** A segment not whole after this long is given up. */
export const GIVE_UP_MS = 8000;
/** Pieces that nobody asked for, tolerated from one neighbour in its life. */
export const MAX_UNSOLICITED = 3;
/** Blocks that brought nothing (held already, or of no known segment), tolerated from one neighbour in a short time. */
export const MAX_WASTED_BLOCKS = 1000;
/** Of these, forgotten every second. */
export const WASTED_BLOCKS_PER_S = 100;
/** After a subscription ends, pieces already on their way are still taken for this long. */
export const SUBSCRIPTION_GRACE_MS = 3000;
/** Broken promises (claimed or subscribed, not delivered) before a neighbour is passed over for a while. */
export const BROKEN_PROMISES = 3;
/** How long a neighbour is passed over; longer each time until it delivers. */
export const SNUB_MS = 10_000;
/** Period of pings. */
export const PING_MS = 2000;
/** A neighbour not heard for this long is pinged, and again as often while nothing is heard. */
export const PROBE_MS = 200;
/** A neighbour not heard for this long and two round trips isn't counted on. */
export const UNHEARD_MS = 300;
/** A neighbour not heard for this long, or three round trips more than `UNHEARD_MS`, is asked for nothing and holds no place. */
export const QUIET_MS = 750;
/** The same at least where many fell silent at once: a lost packet, which costs as much, silences one. */
export const QUIET_TOGETHER_MS = 400;
/** A neighbour not heard for this long is left. */
export const SILENT_MS = 5000;
/** Announcements of pieces are gathered for this long. */
export const HAVE_BATCH_MS = 40;
/** A tick that comes this late says that this machine slept. */
export const SLEPT_MS = 500;
/** Period in which late pieces and neighbours are looked at. */
export const TICK_MS = 50;
/** A parent is kept at least this long before a better one takes its place. */
export const PARENT_KEEP_MS = 1500;
/** The same before one that stands much nearer to the broadcaster does: who joins takes what it finds first. */
export const PARENT_TRIAL_MS = 500;
/** What a parent that was left has sent by then may still come for this long. */
export const HANDOVER_MS = 50;
/** Bits of a piece as they are usually cut. */
export const PIECE_BITS = 16 * 1024 * 8;
/** Share of the measured uplink that subscriptions may fill; the rest is for repairs. */
export const UPLINK_FILL = 0.75;
/** Share of it that they may fill when somebody would be served by nobody otherwise. */
export const UPLINK_BRIM = 0.92;
/** Bytes handed to one link ahead of the network, at most. */
export const LINK_AHEAD_BYTES = 32 * 1024;
/** Time's worth of the uplink handed to all links ahead of the network together. */
export const AHEAD_MS = 30;
/**
 * Bytes that may always be ahead: one block leaving and one behind it. Nothing overtakes what the network was given, and with one block
 * alone a simulated swarm is 4 % quicker; but a page is told late that a buffer has drained, and real ones were slower.
 */
export const MIN_AHEAD_BYTES = 32 * 1024;
/** A piece that waited this long to be sent is no longer sent unless asked again. */
export const STALE_SEND_MS = 1500;
/** The broadcaster sends a piece to a second neighbour when nobody else announces it for this long. */
export const SPREAD_MS = 400;
/** When blocks wait longer than this, with the broadcaster twice as long, requests are refused: somebody else is quicker. */
export const BUSY_DELAY_MS = 250;
/** A neighbour that refused isn't asked again for this long. */
export const BUSY_PAUSE_MS = 300;
/** Least time between two tellings of our depths to one neighbour. */
export const TELL_DEPTHS_MS = 150;
/** When pushes wait longer than this, no child is taken on: the uplink no longer empties between segments. */
export const CONGESTED_MS = 400;
/** A parent's usual lateness is waited out up to this; whoever is slower is not waited for. */
export const MAX_PATIENCE_MS = 600;
