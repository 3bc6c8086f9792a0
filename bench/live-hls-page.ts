// A page of the bench: hls.js with P2P Media Loader, as its documentation sets it up.
import Hls from 'hls.js';
import { HlsJsP2PEngine } from 'p2p-media-loader-hlsjs';
import { watchFrames, type FrameWatch, type Seen } from './live-frames.ts';

/** How far behind it plays, and from when on it asks the server at once. */
export interface HlsSetting {
	readonly liveSyncS: number;
	readonly highDemandS: number;
}

/** What came of it. */
export interface HlsLook {
	readonly seen: Seen;
	readonly httpBytes: number;
	readonly peerBytes: number;
}

declare global {
	interface Window {
		playHls(playlist: string, announceUrl: string, setting: HlsSetting): void;
		lookHls(): HlsLook;
		resetHls(): void;
	}
}

let watch: FrameWatch;
let httpBytes = 0;
let peerBytes = 0;

window.playHls = (playlist, announceUrl, { liveSyncS, highDemandS }) => {
	const video = document.createElement('video');
	Object.assign(video, { muted: true, width: 480 });
	document.body.append(video);
	watch = watchFrames(video);
	const HlsWithP2P = HlsJsP2PEngine.injectMixin(Hls);
	const hls = new HlsWithP2P({
		liveSyncDuration: liveSyncS,
		liveMaxLatencyDuration: liveSyncS + 6,
		maxLiveSyncPlaybackRate: 1.1,
		p2p: {
			core: {
				swarmId: playlist,
				announceTrackers: [announceUrl],
				rtcConfig: { iceServers: [] },
				highDemandTimeWindow: highDemandS,
			},
			onHlsJsCreated(created: { p2pEngine: InstanceType<typeof HlsJsP2PEngine> }) {
				created.p2pEngine.addEventListener('onChunkDownloaded', (bytes, source) => {
					if (source === 'p2p') peerBytes += bytes;
					else httpBytes += bytes;
				});
			},
		},
	});
	hls.on(Hls.Events.MANIFEST_PARSED, () => void video.play().catch(() => undefined));
	hls.loadSource(playlist);
	hls.attachMedia(video);
};

window.lookHls = () => ({ seen: watch.seen, httpBytes, peerBytes });
window.resetHls = () => {
	watch.reset();
	httpBytes = peerBytes = 0;
};
