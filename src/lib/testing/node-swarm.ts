import { WebSocket as NodeWebSocket } from 'ws';
import type { Clock } from '../util/clock.ts';
import { Swarm, type SwarmOptions } from '../swarm/swarm.ts';
import { nodeWebRtc } from '../swarm/webrtc.node.ts';
import { createWire } from '../wire/wire.ts';

/** The wire that swarms speak. */
export const realWire = createWire;

/** Node's WebSocket under the browser's type. */
export const nodeWebSocket = NodeWebSocket as unknown as typeof WebSocket;

/** The machine's own clock. */
export const machineClock: Clock = {
	now: () => performance.now(),
	wallNow: () => Date.now(),
	after(delayMs, callback) {
		const timer = setTimeout(callback, delayMs);
		return () => clearTimeout(timer);
	},
};

/** A real swarm in Node: real WebRTC, real WebSockets, the real wire. Not open yet. */
export function nodeSwarm(
	options: Pick<SwarmOptions, 'infoHash' | 'trackers'> & Partial<SwarmOptions>,
): Swarm {
	return new Swarm({
		iceServers: [],
		role: 'viewer',
		wire: createWire,
		clock: machineClock,
		random: Math.random,
		webrtc: nodeWebRtc,
		webSocket: nodeWebSocket,
		...options,
	});
}
