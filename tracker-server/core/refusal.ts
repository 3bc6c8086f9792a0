import type { NoRoom } from './roster.ts';

/** Why an announce is turned down. */
export type Refusal = NoRoom | 'forbidden' | 'peer_id_taken';

/** What its sender is told. */
export const refusalText: Record<Refusal, string> = {
	forbidden: 'this tracker does not serve this torrent',
	swarms: 'too many torrents on one connection',
	address: 'too many peers from your address',
	full: 'this tracker is full',
	peer_id_taken: 'peer_id is in use by another connection',
};
