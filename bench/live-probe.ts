// Runs in the site's pages before their own scripts: a source for the broadcaster, a reader of frames for the viewers.
import type { Broadcaster, BroadcasterStats, Profile } from '../src/lib/index.ts';
import type { Player, PlayerStats, Viewer, ViewerStats } from '../src/lib/index.ts';
import { watchFrames, type FrameWatch, type Seen } from './live-frames.ts';
import { openClockSource, type SourceShape } from './live-source.ts';

/** What a page that watches has come to. */
export interface ViewerLook {
	readonly seen: Seen;
	readonly stats: ViewerStats;
	readonly player: PlayerStats;
	/** From the broadcaster's signature to the whole segment here, milliseconds. */
	readonly travelsMs: readonly number[];
	/** Round trips of its links, milliseconds. */
	readonly rttsMs: readonly number[];
}

/** When the first frame was shown, milliseconds. */
export interface Joined {
	/** Since the page began, before its HTML had come. */
	readonly sincePageMs: number;
	/** Since all of the page's first script was there, and so ran. */
	readonly sinceScriptMs: number;
}

/** What the bench asks of pages. */
export interface LiveProbe {
	goLive(profile: Profile, shape: SourceShape): Promise<string>;
	broadcast(): BroadcasterStats;
	stop(): Promise<void>;
	/** `undefined` until the first frame was shown. */
	joined(): Joined | undefined;
	reset(): void;
	look(): Promise<ViewerLook>;
}

interface ShoalWindow {
	shoal?: unknown;
	liveProbe: LiveProbe;
}
const page = window as unknown as ShoalWindow;
const connections = new Set<RTCPeerConnection>();
let watch: FrameWatch | undefined;
const travelsMs: number[] = [];

window.RTCPeerConnection = class extends RTCPeerConnection {
	constructor(configuration?: RTCConfiguration) {
		super(configuration);
		connections.add(this);
	}
};

if (location.pathname.startsWith('/watch')) {
	const observer = new MutationObserver(() => {
		const video = document.querySelector('video');
		if (!video) return;
		observer.disconnect();
		watch = watchFrames(video);
	});
	// The page hands out its player once it is there.
	let player: Player<Viewer> | undefined;
	Object.defineProperty(window, 'shoal', {
		get: () => player,
		set(value: Player<Viewer>) {
			player = value;
			value.viewer.on('segment', ({ manifest }) =>
				travelsMs.push(Date.now() - manifest.signedAtMs),
			);
		},
	});
	observer.observe(document, { childList: true, subtree: true });
}

page.liveProbe = {
	async goLive(profile, shape) {
		const broadcaster = page.shoal as Broadcaster;
		await broadcaster.setProfile(profile);
		await broadcaster.goLive(await openClockSource(shape));
		return broadcaster.channel.id;
	},
	broadcast: () => (page.shoal as Broadcaster).stats,
	stop: () => (page.shoal as Broadcaster).stop(),
	joined() {
		const sincePageMs = watch?.seen.firstFrameMs;
		return sincePageMs === undefined
			? undefined
			: { sincePageMs, sinceScriptMs: sincePageMs - scriptMs() };
	},
	reset() {
		watch?.reset();
		travelsMs.length = 0;
	},
	async look() {
		const player = page.shoal as Player<Viewer>;
		const rttsMs: number[] = [];
		for (const connection of connections) {
			if (connection.connectionState === 'closed') connections.delete(connection);
			if (connection.connectionState !== 'connected') continue;
			for (const entry of (await connection.getStats()).values() as Iterable<
				RTCIceCandidatePairStats & { type: string }
			>) {
				const { type, nominated, currentRoundTripTime: rttS } = entry;
				if (type === 'candidate-pair' && nominated && rttS) rttsMs.push(rttS * 1000);
			}
		}
		const { stats } = player.viewer;
		return { seen: watch!.seen, stats, player: player.stats, travelsMs, rttsMs };
	},
};

/** When the page's first script, with all that it imports, had come: what is loaded later is part of joining. */
function scriptMs(): number {
	const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
	const ranAtMs = navigation?.domContentLoadedEventStart ?? 0;
	const scripts = performance
		.getEntriesByType('resource')
		.filter(({ name }) => name.endsWith('.js')) as PerformanceResourceTiming[];
	return Math.max(0, ...scripts.map((entry) => entry.responseEnd).filter((at) => at <= ranAtMs));
}
