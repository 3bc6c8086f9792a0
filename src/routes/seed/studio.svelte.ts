import type {
	BroadcasterPort,
	BroadcasterState,
	BroadcasterStatsPort,
	CameraChoice,
	Device,
	DeviceKind,
	SourceEnd,
	SourceKind,
	SourcePort,
} from '../_ui/halls.ts';
import { keep, recall } from '../_ui/keepsakes.ts';
import { trackerWords } from '../_ui/tracker-words.ts';
import { keepUplink, recallUplink } from '../_ui/uplink-memory.ts';
import {
	FORKED,
	OFFLINE,
	OVERLOADED,
	SOURCE_END_WORDS,
	WARNING_WORDS,
	absentWords,
	broadcasterWords,
	captureWords,
	failureWords,
	type Words,
} from '../_ui/words.ts';

/** How much delay is given for how much steadiness. */
export type Pace = 'steady' | 'low-delay';

/** What the page needs from the library; main.ts gives the real thing, tests a double. */
export interface StudioParts<Source extends SourcePort = SourcePort, Profile = unknown> {
	openBroadcaster(options: {
		profile: Profile;
		title: string;
		/** What the uplink carried on the last visit, bits a second. */
		uplinkGuessBps: number | undefined;
	}): Promise<BroadcasterPort<Source, Profile>>;
	openCamera(choice: CameraChoice): Promise<Source>;
	openScreen(): Promise<Source>;
	openFile(file: File): Promise<Source>;
	listDevices(): Promise<{ cameras: Device[]; microphones: Device[] }>;
	readonly profiles: Readonly<Record<Pace, Profile>>;
	/** The peer link of a channel, and the address to embed. */
	links(channelId: string): { watch: string; embed: string };
}

/** Stands for "none" among the devices. */
export const NO_DEVICE = 'none';
const TITLE_DELAY_MS = 600;

/** The broadcaster's page: a source, a broadcaster, and the words for both. */
export class Studio {
	kind: SourceKind = $state('camera');
	source: SourcePort | undefined = $state.raw();
	/** Whether the browser is asking the person, or a source is being opened. */
	choosing = $state(false);
	cameras: Device[] = $state.raw([]);
	microphones: Device[] = $state.raw([]);
	cameraId = $state('');
	microphoneId = $state('');
	title = $state('');
	pace: Pace = $state('steady');
	air: BroadcasterState = $state.raw({ type: 'idle' });
	stats: BroadcasterStatsPort | undefined = $state.raw();
	/** What went wrong with the last thing asked for. */
	trouble: Words | undefined = $state.raw();
	/** What is missing of the source, until another is chosen. */
	warning: Words | undefined = $state.raw();
	online = $state(true);
	links: { watch: string; embed: string } | undefined = $state.raw();

	readonly #parts: StudioParts;
	readonly #stops: (() => void)[] = [];
	#broadcaster: BroadcasterPort<SourcePort, unknown> | undefined;
	#opening: Promise<void> | undefined;
	#titleTimer: ReturnType<typeof setTimeout> | undefined;
	#choice = 0;
	#file: File | undefined;

	constructor(parts: StudioParts) {
		this.#parts = parts;
		this.title = recall('title') ?? '';
		this.cameraId = recall('camera') ?? '';
		this.microphoneId = recall('microphone') ?? '';
		if (recall('pace') === 'low-delay') this.pace = 'low-delay';
	}

	get live(): boolean {
		return this.air.type === 'live';
	}

	/** Between off and on air, or a source is still being opened. */
	get busy(): boolean {
		return this.choosing || this.air.type === 'starting' || this.air.type === 'stopping';
	}

	/** Whether people may be watching: leaving the page needs a second thought. */
	get onAir(): boolean {
		return this.live || this.air.type === 'starting' || this.air.type === 'stopping';
	}

	/** Whether there is something of a broadcast to keep. */
	get keepable(): boolean {
		return (this.live || this.air.type === 'ended') && (this.stats?.windowBytes ?? 0) > 0;
	}

	get viewers(): number {
		return this.stats?.viewers ?? 0;
	}

	get words(): Words {
		if (this.choosing) {
			return {
				what: 'Opening the source.',
				todo:
					this.kind === 'file' ? undefined : 'Your browser may ask whether this page may use it.',
			};
		}
		return broadcasterWords(this.air, {
			ready: this.source !== undefined || (this.kind === 'file' && this.#file !== undefined),
			viewers: this.viewers,
		});
	}

	/** At most one thing to attend to, the most pressing first. */
	get notice(): Words | undefined {
		if (this.trouble) return this.trouble;
		if (!this.online) return OFFLINE;
		const stats = this.live ? this.stats : undefined;
		const trackers = trackerWords(stats?.trackers ?? []);
		if (trackers) return trackers;
		if (stats?.isForked) return FORKED;
		return this.warning ?? (stats?.encoder?.isOverloaded ? OVERLOADED : undefined);
	}

	/** The library's broadcaster; the page's debugging handle. */
	get handle(): BroadcasterPort<SourcePort, unknown> | undefined {
		return this.#broadcaster;
	}

	/** Opens the channel; failures become `trouble`. */
	async open(): Promise<void> {
		this.#watchBrowser();
		await this.#openBroadcaster().catch(() => {}); // said in `trouble`
	}

	#openBroadcaster(): Promise<void> {
		this.#opening ??= this.#parts
			.openBroadcaster({
				profile: this.#parts.profiles[this.pace],
				title: this.title,
				uplinkGuessBps: recallUplink(),
			})
			.then(
				(broadcaster) => this.#follow(broadcaster),
				(error: unknown) => {
					this.#opening = undefined;
					this.trouble = failureWords(error);
					throw error;
				},
			);
		return this.#opening;
	}

	#follow(broadcaster: BroadcasterPort<SourcePort, unknown>) {
		this.#broadcaster = broadcaster;
		this.links = this.#parts.links(broadcaster.channel.id);
		this.air = broadcaster.state;
		this.#stops.push(
			broadcaster.on('state', (state) => {
				this.air = state;
				if (state.type === 'starting') this.stats = undefined; // of the broadcast before
			}),
			broadcaster.on('stats', (stats) => {
				this.stats = stats;
				keepUplink(stats.uplinkBps);
			}),
			broadcaster.on('warning', ({ code }) => {
				if (Object.hasOwn(WARNING_WORDS, code) && this.#isNews(code)) {
					this.warning = WARNING_WORDS[code];
				}
			}),
		);
	}

	/** Whether a warning says what the person neither chose nor was told better: how a source ended is known here. */
	#isNews(code: string): boolean {
		const { source, kind, microphoneId } = this;
		if (code === 'source-lost') return source?.hasVideo === true;
		if (code !== 'no-audio') return true;
		const chosen = kind === 'camera' ? microphoneId === NO_DEVICE : kind === 'file';
		return source !== undefined && (source.hasAudio || !chosen);
	}

	#watchBrowser() {
		const stop = new AbortController();
		const { signal } = stop;
		this.#stops.push(() => stop.abort());
		const setOnline = () => (this.online = navigator.onLine);
		setOnline();
		addEventListener('online', setOnline, { signal });
		addEventListener('offline', setOnline, { signal });
		addEventListener(
			'beforeunload',
			(event) => {
				if (this.onAir) event.preventDefault();
			},
			{ signal },
		);
		// Asks for nothing: names are known only where permission was given before.
		navigator.mediaDevices?.addEventListener('devicechange', () => void this.#list(), { signal });
	}

	/** Opens the camera and microphone that are chosen, or what the browser finds in the place of one that is gone. */
	async chooseCamera(): Promise<boolean> {
		return (await this.#takeDevices(this.cameraId, this.microphoneId)) !== undefined;
	}

	/** Goes over to other devices; a choice counts, and is kept, only once it has worked. */
	async setDevices(cameraId: string, microphoneId: string): Promise<boolean> {
		const absent = await this.#takeDevices(cameraId, microphoneId);
		if (!absent) return false;
		if (!absent.includes('camera')) keep('camera', cameraId);
		if (!absent.includes('microphone')) keep('microphone', microphoneId);
		return true;
	}

	/** Gives the devices that were not there; `undefined` when it came to nothing. */
	async #takeDevices(
		cameraId: string,
		microphoneId: string,
	): Promise<readonly DeviceKind[] | undefined> {
		const choice: CameraChoice = {
			video: cameraId !== NO_DEVICE,
			audio: microphoneId !== NO_DEVICE,
		};
		if (choice.video && cameraId) choice.videoDeviceId = cameraId;
		if (choice.audio && microphoneId) choice.audioDeviceId = microphoneId;
		const source = await this.#choose('camera', () => this.#parts.openCamera(choice));
		if (!source) return undefined;
		this.cameraId = source.absent.includes('camera') ? '' : cameraId;
		this.microphoneId = source.absent.includes('microphone') ? '' : microphoneId;
		return source.absent;
	}

	/** Has the browser ask which screen, window or tab to show. */
	async chooseScreen(): Promise<boolean> {
		return (await this.#choose('screen', () => this.#parts.openScreen())) !== undefined;
	}

	/** Takes a video file. */
	async chooseFile(file: File): Promise<boolean> {
		const chosen = await this.#choose('file', () => this.#parts.openFile(file));
		if (chosen) this.#file = file;
		return chosen !== undefined;
	}

	/** Opens the source for a broadcast that begins: what was chosen, a file from its start, and never a camera in place of anything else. */
	async #sourceToBegin(): Promise<boolean> {
		if (this.kind === 'file') return this.#file !== undefined && this.chooseFile(this.#file);
		if (this.source) return true;
		return this.kind === 'screen' ? this.chooseScreen() : this.chooseCamera();
	}

	/** Opens a source in the place of the one before; `undefined` when it came to nothing. */
	async #choose(
		kind: SourceKind,
		open: () => Promise<SourcePort>,
	): Promise<SourcePort | undefined> {
		const choice = ++this.#choice;
		const kindBefore = this.kind;
		this.trouble = undefined;
		this.kind = kind;
		this.choosing = true;
		let source: SourcePort | undefined;
		try {
			const opened = (source = await open());
			if (choice !== this.#choice) {
				opened.close(); // another was chosen meanwhile
				return undefined;
			}
			opened.onended = (why) => this.#sourceEnded(opened, why);
			if (this.onAir) await this.#broadcaster?.setSource(opened);
			this.source?.close();
			this.source = opened;
			this.warning = opened.absent.length > 0 ? absentWords(opened.absent) : undefined;
			if (kind === 'camera') void this.#list();
			return opened;
		} catch (error) {
			source?.close(); // open, and not taken
			if (choice === this.#choice) {
				this.trouble = captureWords(error, kind);
				if (this.source) this.kind = kindBefore; // what was shown goes on
			}
			return undefined;
		} finally {
			if (choice === this.#choice) this.choosing = false;
		}
	}

	#sourceEnded(source: SourcePort, why: SourceEnd) {
		if (this.source !== source) return;
		this.source = undefined;
		// A file that ends in the preview begins anew when it is broadcast.
		if (this.onAir || why !== 'finished') this.warning = SOURCE_END_WORDS[why];
		if (!this.onAir) source.close(); // on air the broadcaster still bridges the gap with it
	}

	async #list(): Promise<void> {
		try {
			const { cameras, microphones } = await this.#parts.listDevices();
			this.cameras = cameras;
			this.microphones = microphones;
		} catch {
			// Without names the pickers offer what the browser prefers.
		}
	}

	/** Goes on air; asks for the camera where nothing was chosen yet. A file begins at its start. */
	async goLive(): Promise<void> {
		if (this.busy || this.live) return;
		if (!(await this.#sourceToBegin())) return;
		this.trouble = undefined;
		try {
			await this.#openBroadcaster();
			const source = this.source;
			if (source) await this.#broadcaster?.goLive(source);
		} catch (error) {
			if (this.air.type !== 'failed') this.trouble = failureWords(error);
		}
	}

	/** Goes off air; the link stays for the next time. */
	async stop(): Promise<void> {
		if (!this.#broadcaster || !this.onAir || this.air.type === 'stopping') return;
		this.trouble = undefined;
		this.warning = undefined;
		try {
			await this.#broadcaster.stop();
		} catch (error) {
			this.trouble = failureWords(error);
		}
	}

	setTitle(title: string): void {
		this.title = title;
		clearTimeout(this.#titleTimer);
		this.#titleTimer = setTimeout(() => {
			keep('title', title);
			this.#broadcaster?.setTitle(title);
		}, TITLE_DELAY_MS);
	}

	setPace(pace: Pace): void {
		this.pace = pace;
		keep('pace', pace);
		this.#broadcaster?.setProfile(this.#parts.profiles[pace]).catch((error: unknown) => {
			if (this.air.type !== 'failed') this.trouble = failureWords(error);
		});
	}

	/** Lets go of source and channel; idempotent. */
	async close(): Promise<void> {
		for (const stop of this.#stops.splice(0)) stop();
		clearTimeout(this.#titleTimer);
		this.#choice++;
		this.source?.close();
		this.source = undefined;
		const broadcaster = this.#broadcaster;
		this.#broadcaster = undefined;
		await broadcaster?.close();
	}
}
