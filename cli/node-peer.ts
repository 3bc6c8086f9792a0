import WebSocket from 'ws';
import { nodeWebRtc } from '../src/lib/node.ts';

/** What a peer of a channel takes from Node where browsers bring their own. */
export const NODE_PEER = {
	webrtc: nodeWebRtc,
	webSocket: WebSocket as unknown as typeof globalThis.WebSocket,
};

/** The longest window a relay holds, seconds. */
export const LONGEST_WINDOW_S = 3600;
