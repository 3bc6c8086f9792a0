/** Patrons of this owner share one list of torrents, in every tab: the torrents page, and replays. */
export const TORRENTS_OWNER = 'torrents page';
