// A process of viewers in Node that pass nothing on; they say each second what they have.
import WebSocket from 'ws';
import { loadConfig, Viewer } from '../src/lib/index.ts';
import { nodeWebRtc } from '../src/lib/node.ts';

const [link = '', count = '1'] = process.argv.slice(2);
const config = await loadConfig(new URL('/config.json', link).href);
const viewers = Array.from(
	{ length: Number(count) },
	() =>
		new Viewer(link, {
			config,
			share: false,
			webrtc: nodeWebRtc,
			webSocket: WebSocket as unknown as typeof globalThis.WebSocket,
		}),
);
for (const viewer of viewers) await viewer.open();
process.on('disconnect', () => process.exit());
setInterval(() => {
	const all = viewers.map(({ stats }) => stats);
	const told = all.map(({ segments, links, bytesFromBroadcaster, bytesFromViewers }) => ({
		segments,
		links,
		bytesFromBroadcaster,
		bytesFromViewers,
	}));
	if (process.connected) process.send?.(told);
}, 1000);
