/**
 * Shoal: live streaming carried by the people who watch it. The one door to the library, for pages, the command line and
 * npm users alike.
 * @module
 */
export { Broadcaster } from './broadcaster.ts';
export type {
	BroadcasterEvents,
	BroadcasterOptions,
	BroadcasterState,
	BroadcasterStats,
	BroadcasterWarning,
} from './broadcaster.ts';
export { Viewer } from './viewer.ts';
export type {
	ReceivedSegment,
	ViewerEvents,
	ViewerOptions,
	ViewerState,
	ViewerStats,
} from './viewer.ts';
export { Player } from './player.ts';
export type { PlayerEvents, PlayerOptions, PlayerState, PlayerStats } from './player.ts';
export { loadConfig } from './config.ts';
export type { SiteConfig } from './config.ts';
export { openCamera } from './capture/camera.ts';
export { listDevices } from './capture/devices.ts';
export { openFile } from './capture/file.ts';
export { openScreen } from './capture/screen.ts';
export type { Source, SourceKind } from './capture/source.ts';
export { LOW_DELAY, STEADY } from './encode/profile.ts';
export type { Profile } from './encode/profile.ts';
export { parseChannel } from './model/channel.ts';
export type { Channel } from './model/channel.ts';
export { ShoalError } from './model/error.ts';
export type { ShoalErrorCode } from './model/error.ts';
export type { Manifest } from './model/manifest.ts';
export type { InitSegment } from './model/segment.ts';
export { fitTitle } from './model/title.ts';
export { makeInWorker } from './torrents/make-in-worker.ts';
export type { BlobFile } from './torrents/make-in-worker.ts';
export { decodeMetainfo } from './torrents/metainfo.ts';
export type { Metainfo } from './torrents/metainfo.ts';
export type {
	FilePriority,
	TorrentFileStatus,
	TorrentStatus,
	TorrentTracker,
} from './torrents/status.ts';
export { openSharedTorrents } from './torrents/shared-torrents.ts';
export { makeTorrent } from './torrents/torrent-maker.ts';
export type { MadeTorrent, MakerFile, MakerOptions } from './torrents/torrent-maker.ts';
export type { TorrentPatron } from './torrents/torrent-patron.ts';
export { TorrentService } from './torrents/torrent-service.ts';
export { magnetOf, resolveSource, sharedTorrent } from './torrents/torrent-source.ts';
export { recordSegments } from './record-segments.ts';
export type { RecordedFile } from './record-segments.ts';
export { RecordingJoin, partName } from './store/recording.ts';
export { TorrentPlayer } from './torrent-player.ts';
export type { TorrentPlayerState } from './torrent-player.ts';
