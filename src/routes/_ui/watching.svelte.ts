import type {
	HeldSegment,
	PlayerPort,
	PlayerState,
	Sharing,
	ViewerPort,
	ViewerState,
	ViewerStatsPort,
} from './halls.ts';
import { keep, recall } from './keepsakes.ts';
import { refusalOf } from './refusal.ts';
import { keepUplink, recallUplink } from './uplink-memory.ts';
import { watchWords, type Words } from './words.ts';

/** A channel that is being joined. */
export interface Joined {
	readonly viewer: ViewerPort;
	/** Makes the player, once there is a video element. */
	playOn(video: HTMLVideoElement): PlayerPort;
}

/** What a page knows when it joins. */
export interface JoinOptions extends Sharing {
	/** What the uplink carried on the last visit, bits a second. */
	readonly uplinkGuessBps?: number | undefined;
}

/** What a watch page is made of; main.ts gives the real halls, tests their doubles. */
export interface WatchingParts {
	/** Goes to the trackers of a link's channel; may throw `bad-link`, `bad-config` and the like. */
	join(options: JoinOptions): Promise<Joined>;
	/** Whether choices may be kept for the next visit. */
	readonly remembers: boolean;
}

/** How often the delay on show is renewed. */
const BEHIND_TICK_MS = 500;
/** A search for peers as long as this means that nobody is there yet. */
const LONELY_AFTER_MS = 4000;
/** What a capped viewer passes on at most, bits a second. */
export const CAPPED_UPLOAD_BPS = 1_000_000;

/** How much of what it receives a viewer passes on. */
export type SharingChoice = 'share' | 'cap' | 'watch-only';

/** Failures that the same link in the same browser meets again. */
const HOPELESS: ReadonlySet<string> = new Set([
	'no-link',
	'bad-link',
	'bad-key',
	'unsupported-codec',
]);

const CHOICES: readonly SharingChoice[] = ['share', 'cap', 'watch-only'];

function sharingOf(choice: SharingChoice): Sharing {
	if (choice === 'watch-only') return { share: false };
	return choice === 'cap' ? { share: true, maxUploadBps: CAPPED_UPLOAD_BPS } : { share: true };
}

/** A page that watches: the states of viewer and player, and the words for them. */
export class Watching {
	viewer: ViewerState = $state.raw({ type: 'connecting' });
	player: PlayerState = $state.raw({ type: 'idle' });
	stats: ViewerStatsPort | undefined = $state.raw();
	title = $state('');
	online = $state(true);
	/** Why no tracker took the channel, in the words of one. */
	refusal: string | undefined = $state();
	/** Whether the search for peers has found nobody for a while. */
	lonely = $state(false);
	blocked = $state(false);
	atEdge = $state(true);
	behindMs = $state(0);
	/** Whether this device leaves out pictures that came in time. */
	overloaded = $state(false);
	muted = $state(true);
	/** Whether the person has been asked, and has answered, about sound. */
	soundSettled = $state(false);
	/** Whether a picture has been seen since the page opened. */
	hasPlayed = $state(false);
	sharing: SharingChoice = $state('share');
	/** Whether the line on IP addresses was acknowledged. */
	noticed = $state(true);

	readonly #parts: WatchingParts;
	readonly #stops: (() => void)[] = [];
	#video: HTMLVideoElement | undefined;
	#viewerPort: ViewerPort | undefined;
	#playerPort: PlayerPort | undefined;
	#lonelyTimer: ReturnType<typeof setTimeout> | undefined;
	#joining: Promise<Joined> | undefined;
	#closed = false;

	constructor(parts: WatchingParts) {
		this.#parts = parts;
		if (!parts.remembers) return;
		this.noticed = recall('noticed') === 'yes';
		const choice = CHOICES.find((known) => known === recall('sharing'));
		if (choice) this.sharing = choice;
	}

	/** What is happening, why, and what to do. */
	get words(): Words {
		return watchWords(this);
	}

	/** Whether the picture moves, so that words may step back. */
	get moving(): boolean {
		return this.player.type === 'playing' && !this.blocked;
	}

	/** Whether the person stopped the picture, who then needs no words for it. */
	get paused(): boolean {
		return this.player.type === 'paused' && !this.blocked;
	}

	/** Whether all that came was shown and nothing comes: there is nothing newer to jump to. */
	get shownAll(): boolean {
		return this.viewer.type !== 'receiving' && !this.moving && !this.paused;
	}

	/** Whether the broadcast is over, though some of it may be left to see. */
	get over(): boolean {
		return this.viewer.type === 'ended';
	}

	/** Whether it is over and nothing is left to see. */
	get ended(): boolean {
		return this.player.type === 'ended' || (this.over && !this.moving && !this.paused);
	}

	/** Why only a person can get on from here: a code of the library. */
	get failure(): string | undefined {
		if (this.moving) return undefined; // what came before it failed is still worth seeing
		if (this.viewer.type === 'failed') return this.viewer.error.code;
		return this.player.type === 'failed' ? this.player.error.code : undefined;
	}

	/** Whether beginning again may help. */
	get retriable(): boolean {
		return this.failure !== undefined && !HOPELESS.has(this.failure);
	}

	/** Whether there is something of a broadcast to keep. */
	get keepable(): boolean {
		return (this.stats?.windowBytes ?? 0) > 0;
	}

	/** What is held of it, oldest first. */
	heldSegments(): Iterable<HeldSegment> {
		return this.#viewerPort?.heldSegments() ?? [];
	}

	/** The library's player; the page's debugging handle. */
	get handle(): PlayerPort | undefined {
		return this.#playerPort;
	}

	/** Begins to join, before there is anything to play on. Settles when that is under way, or fails: `open` tells why. */
	async join(): Promise<void> {
		this.#joining ??= this.#parts.join({
			...sharingOf(this.sharing),
			uplinkGuessBps: this.#parts.remembers ? recallUplink() : undefined,
		});
		await this.#joining.catch(() => undefined);
	}

	/** Joins, unless that has begun, and plays in `video`; failures become states. */
	async open(video: HTMLVideoElement): Promise<void> {
		this.#video = video;
		this.#watchBrowser(video);
		try {
			await this.join();
			const { viewer, playOn } = await this.#joining!;
			if (this.#closed) return;
			const player = playOn(video);
			this.#follow(viewer, player, video);
			await player.play();
		} catch (cause) {
			if (this.failure !== undefined || this.blocked || this.#closed) return;
			this.viewer = { type: 'failed', error: cause as { code: string } };
		}
	}

	#follow(viewer: ViewerPort, player: PlayerPort, video: HTMLVideoElement) {
		this.#viewerPort = viewer;
		this.#playerPort = player;
		this.#takeViewerState(viewer.state);
		this.player = player.state;
		this.title = viewer.title;
		this.#stops.push(
			viewer.on('state', (state) => this.#takeViewerState(state)),
			viewer.on('stats', (stats) => {
				this.stats = stats;
				this.refusal = refusalOf(stats.trackers);
				// What a cap lets through says nothing of the uplink.
				if (this.#parts.remembers && this.sharing === 'share') keepUplink(stats.uplinkBps);
				this.title = viewer.title;
			}),
			player.on('state', (state) => {
				this.player = state;
				if (state.type !== 'playing') return;
				this.blocked = false;
				this.hasPlayed = true;
			}),
			player.on('stats', ({ overloaded }) => (this.overloaded = overloaded)),
			player.on('autoplayblocked', () => (this.blocked = video.paused)),
			player.on('livechange', ({ atEdge, behindMs }) => {
				this.atEdge = atEdge;
				this.behindMs = behindMs;
			}),
		);
		const behind = setInterval(() => {
			if (this.moving || this.paused) this.behindMs = player.behindMs ?? 0;
		}, BEHIND_TICK_MS);
		this.#stops.push(
			() => clearInterval(behind),
			() => clearTimeout(this.#lonelyTimer),
		);
	}

	#takeViewerState(state: ViewerState) {
		this.viewer = state;
		this.lonely = false;
		clearTimeout(this.#lonelyTimer);
		if (state.type !== 'finding-peers') return;
		this.#lonelyTimer = setTimeout(() => (this.lonely = true), LONELY_AFTER_MS);
	}

	#watchBrowser(video: HTMLVideoElement) {
		const stop = new AbortController();
		const { signal } = stop;
		this.#stops.push(() => stop.abort());
		const setOnline = () => (this.online = navigator.onLine);
		setOnline();
		addEventListener('online', setOnline, { signal });
		addEventListener('offline', setOnline, { signal });
		// Media keys say here what a person wants; a hidden tab's video could not tell.
		const { mediaSession } = navigator as { mediaSession?: MediaSession };
		mediaSession?.setActionHandler('play', () => this.play());
		mediaSession?.setActionHandler('pause', () => this.pause());
		this.#stops.push(() => {
			mediaSession?.setActionHandler('play', null);
			mediaSession?.setActionHandler('pause', null);
		});
		this.muted = video.muted;
		video.addEventListener('volumechange', () => (this.muted = video.muted), { signal });
	}

	/** The person's own press of Play: allowed where the page's was not. */
	play(): void {
		this.#playerPort?.play().then(
			() => (this.blocked = false),
			() => {}, // still blocked; the button stays
		);
	}

	pause(): void {
		this.#playerPort?.pause();
	}

	/** Turns the sound on, for good as far as this page is concerned. */
	unmute(): void {
		if (!this.#video) return;
		this.#video.muted = false;
		if (this.#video.volume === 0) this.#video.volume = 1;
		this.soundSettled = true;
		if (this.#video.paused) this.play();
	}

	seekToLive(): void {
		this.#playerPort?.seekToLive();
		if (this.player.type === 'paused') this.play();
	}

	setSharing(choice: SharingChoice): void {
		this.sharing = choice;
		this.#viewerPort?.setSharing(sharingOf(choice));
		if (this.#parts.remembers) keep('sharing', choice);
	}

	/** The line on IP addresses was read. */
	acknowledge(): void {
		this.noticed = true;
		if (this.#parts.remembers) keep('noticed', 'yes');
	}

	/** Lets go of everything; idempotent. */
	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		for (const stop of this.#stops.splice(0)) stop();
		const joined = await this.#joining?.catch(() => undefined);
		await Promise.all([this.#playerPort?.close(), joined?.viewer.close()]);
	}
}
