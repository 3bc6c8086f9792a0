/**
 * What Node programs need beside `index.ts`: WebRTC, and publishing without a browser's capture.
 * @module
 */
export { Publisher } from './publisher.ts';
export type { PublisherOptions } from './publisher.ts';
export type { EncodedSegment } from './model/segment.ts';
export { channelOf } from './model/channel.ts';
export { keysOfPair } from './sign/keys.ts';
export type { ChannelKeys } from './sign/keys.ts';
export { openPlace } from './sign/place.ts';
export type { SignStorage, StoredPlace } from './sign/sign-storage.ts';
export { boxes, boxesIn, find, viewOf } from './store/mp4-box.ts';
export type { Box } from './store/mp4-box.ts';
export { segmentTorrentFile } from './store/segment-torrent.ts';
export { nodeWebRtc } from './swarm/webrtc.node.ts';
export { fromBase64Url, toBase64Url, toHex } from './util/bytes.ts';
