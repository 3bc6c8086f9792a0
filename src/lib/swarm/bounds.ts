// Every bound of the swarm in one place. Times in milliseconds.

/** RTCPeerConnections at one time, links included. Chromium refuses the 501st and frees closed ones late. */
export const MAX_CONNECTIONS = 34;
/** RTCPeerConnections that are not links yet, unanswered offers included. */
export const MAX_ATTEMPTS = 10;
/** Offers that wait for whoever a tracker picks. */
export const MAX_OPEN_OFFERS = 5;
/** Attempts through a common neighbour that we began. */
export const MAX_EXCHANGE_ATTEMPTS = 4;
/** Attempts under way beyond the links wanted: some of them fail. */
export const SPARE_ATTEMPTS = 2;

/** Offers in one announce; stock clients send at most 5. */
export const MAX_OFFERS_PER_ANNOUNCE = 4;
/** Life of an unanswered offer. Stock trackers and peers forget it after 50 to 60 s. */
export const OFFER_LIFE_MS = 55_000;
/** Silence after which an announced offer counts as not passed on, and may be announced again under a new id. */
export const OFFER_IDLE_MS = 5_000;

/** From session descriptions exchanged to an open data channel. */
export const CONNECT_DEADLINE_MS = 15_000;
/** An attempt this old gives its place to a newcomer: most connect in a second, or never. */
export const STALE_ATTEMPT_MS = 4_000;
/** How long the first attempts may take before more offers are made beside them. */
export const FIRST_LINK_MS = 1_000;
/** From an open data channel to the wire's handshake. */
export const HANDSHAKE_DEADLINE_MS = 6_000;
/** How long who answered waits for who offered to speak first. */
export const ANSWERER_PATIENCE_MS = 300;
/** How long ICE candidates are gathered at most, once there is one. */
export const GATHER_LIMIT_MS = 1_500;
/** How long others are waited for after one of the best kind there can be… */
export const GATHER_BEST_SETTLE_MS = 40;
/** …or after one that at least reaches beyond the local network. */
export const GATHER_SETTLE_MS = 300;
/** How long the first candidate is waited for. */
export const GATHER_NONE_MS = 5_000;
/** How long a closing connection may take to send what it was given, how often it looks, and the rest it then takes. */
export const LINGER_MS = 500;
export const LINGER_STEP_MS = 20;
export const LAST_WORDS_MS = 60;

/**
 * Bytes in one data-channel message. For each message that it is given, Chromium's SCTP sends four packets of about 1,150 bytes and
 * keeps the rest until an acknowledgement comes: a block of 16 KiB in one message takes a round trip longer than in parts.
 */
export const MESSAGE_BYTES = 4000;
/** `onDrain` is called when a link's unsent bytes fall to this; Chromium tells of no other change on the way down. */
export const LOW_WATER_BYTES = 4 * 1024;
/** Unsent bytes at which a link is beyond help and ends; Chromium's own queue is 16 MiB. */
export const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/** Offers taken from others: tokens per second, and how many may come at once. One budget for each origin. */
export const INBOUND_OFFERS_PER_S = 1;
export const INBOUND_OFFERS_BURST = 10;
/** ICE candidates of one description that are used; the rest are cut. */
export const MAX_CANDIDATES = 20;

/** Longest message from a tracker, characters. */
export const MAX_TRACKER_FRAME_CHARS = 64 * 1024;
/** Messages read from a tracker: tokens per second and burst; what is beyond is dropped unread. */
export const TRACKER_FRAMES_PER_S = 50;
export const TRACKER_FRAMES_BURST = 200;
/** Dropped messages that end a connection to a tracker. */
export const MAX_DROPPED_FRAMES = 1_000;
/** Unsent bytes to a tracker beyond which nothing more is sent. */
export const MAX_TRACKER_BUFFERED_BYTES = 256 * 1024;

/** Trackers of a channel in use; more are ignored. */
export const MAX_TRACKERS = 8;
/** Opening a WebSocket, and waiting for the answer to an announce. */
export const TRACKER_OPEN_DEADLINE_MS = 10_000;
export const TRACKER_REPLY_DEADLINE_MS = 20_000;
/** Reconnecting: full jitter between the least and a ceiling that doubles up to the most. */
export const RETRY_LEAST_MS = 300;
export const RETRY_MOST_MS = 10_000;
/** A connection that lived this long was a good one: the next failure starts over at the least. */
export const GOOD_CONNECTION_MS = 10_000;
/** The tracker's own interval is honoured between these. */
export const ANNOUNCE_LEAST_MS = 10_000;
export const ANNOUNCE_MOST_MS = 300_000;
/** Where the tracker names none. */
export const ANNOUNCE_DEFAULT_MS = 60_000;
/** Between announces while links are wanted: doubles from the least to the most. */
export const PROMPT_LEAST_MS = 5_500;
export const PROMPT_MOST_MS = 30_000;
/** So many of them also when everybody seems to be known already. */
export const PROMPTS_IN_DOUBT = 3;
/** The first announce waits this long for the other offers once one is ready… */
export const FIRST_OFFERS_MS = 40;
/** …and this long for any. */
export const FIRST_ANNOUNCE_MS = 400;

/** Peers that broke the protocol or don't speak the live extension are not met again for this long. */
export const SHUN_MS = 600_000;
export const MAX_SHUNNED = 1_000;
/** Failed paths without one success that are reported as `ice-failed`. */
export const ICE_FAILURES_TO_TELL = 3;
