import { BLOCK_BYTES } from '../model/segment.ts';

// Every bound on what one wire may claim, in one place. A message's length is checked when its
// first four bytes are in, so nothing beyond these is ever buffered.

/** Longest `piece` frame: id, index, begin and one block (BEP 3). */
export const MAX_PIECE_FRAME_BYTES = BLOCK_BYTES + 9;
/** Longest extended frame (BEP 10). */
export const MAX_EXTENDED_FRAME_BYTES = 64 * 1024;
/** Longest `bitfield` frame; it means nothing on a channel and is passed over. */
export const MAX_BITFIELD_FRAME_BYTES = 8 * 1024;
/** Longest frame of every other kind. */
export const MAX_PLAIN_FRAME_BYTES = 17;
/** Longest extended handshake dictionary. */
export const MAX_EXTENDED_HANDSHAKE_BYTES = 8 * 1024;
/** Most extension names in it. */
export const MAX_EXTENSION_NAMES = 32;
/** Longest extension name in it, bytes. */
export const MAX_EXTENSION_NAME_BYTES = 32;
/** Extended handshakes taken from one peer. */
export const MAX_EXTENDED_HANDSHAKES = 2;
/** Blocks that a peer may keep queued with us (`reqq`, BEP 10). */
export const MAX_QUEUED_REQUESTS = 64;
