// Stand-ins for the library's halls, moved by hand: what they are told to say, the pages show.
import type {
	BroadcasterEvents,
	BroadcasterPort,
	BroadcasterState,
	BroadcasterStatsPort,
	DeviceKind,
	HeldSegment,
	PlayerEvents,
	PlayerPort,
	PlayerState,
	SourceEnd,
	SourceKind,
	SourcePort,
	ViewerEvents,
	ViewerPort,
	ViewerState,
} from '../halls.ts';

class Double<Events extends object> {
	readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

	on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
		const set = this.#listeners.get(name) ?? new Set();
		this.#listeners.set(name, set.add(listener));
		return () => set.delete(listener);
	}

	say<Name extends keyof Events>(name: Name, event: Events[Name]): void {
		for (const listener of this.#listeners.get(name) ?? []) {
			(listener as (event: Events[Name]) => void)(event);
		}
	}
}

export const CHANNEL_ID = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';

export const STATS: BroadcasterStatsPort = {
	viewers: 0,
	copies: 0,
	streamBps: 2_400_000,
	health: 'good',
	healthReason: 'Everything gets out in time.',
	trackers: [{ url: 'wss://here.example/announce', state: 'open' }],
	encoder: undefined,
	isForked: false,
	farthestMs: undefined,
	uplinkBps: undefined,
	windowBytes: 0,
};

export class BroadcasterDouble
	extends Double<BroadcasterEvents>
	implements BroadcasterPort<SourcePort, unknown>
{
	readonly channel = { id: CHANNEL_ID };
	readonly calls: string[] = [];
	state: BroadcasterState = { type: 'idle' };
	stats = STATS;

	become(state: BroadcasterState): void {
		this.state = state;
		this.say('state', state);
	}

	tell(stats: Partial<BroadcasterStatsPort>): void {
		this.stats = { ...STATS, ...stats };
		this.say('stats', this.stats);
	}

	async goLive(): Promise<void> {
		this.calls.push('goLive');
		this.become({ type: 'starting' });
		this.become({ type: 'live', sinceMs: Date.now() });
	}
	async setSource(): Promise<void> {
		this.calls.push('setSource');
	}
	async setProfile(): Promise<void> {
		this.calls.push('setProfile');
	}
	setTitle(title: string): void {
		this.calls.push(`setTitle ${title}`);
	}
	heldSegments(): HeldSegment[] {
		return [];
	}
	async stop(): Promise<void> {
		this.calls.push('stop');
		this.become({ type: 'ended' });
	}
	async close(): Promise<void> {
		this.calls.push('close');
	}
}

export class ViewerDouble extends Double<ViewerEvents> implements ViewerPort {
	readonly calls: string[] = [];
	title = '';
	state: ViewerState = { type: 'connecting' };

	become(state: ViewerState): void {
		this.state = state;
		this.say('state', state);
	}

	heldSegments(): HeldSegment[] {
		return [];
	}
	async close(): Promise<void> {
		this.calls.push('close');
	}
	setSharing(sharing: object): void {
		this.calls.push(`setSharing ${JSON.stringify(sharing)}`);
	}
}

export class PlayerDouble extends Double<PlayerEvents> implements PlayerPort {
	readonly calls: string[] = [];
	state: PlayerState = { type: 'idle' };
	behindMs: number | undefined = 640;

	become(state: PlayerState): void {
		this.state = state;
		this.say('state', state);
	}

	async play(): Promise<void> {
		this.calls.push('play');
	}
	pause(): void {
		this.calls.push('pause');
	}
	seekToLive(): void {
		this.calls.push('seekToLive');
	}
	async close(): Promise<void> {
		this.calls.push('close');
	}
}

export class SourceDouble implements SourcePort {
	readonly kind: SourceKind;
	readonly label: string;
	readonly stream: MediaStream;
	readonly hasAudio: boolean;
	readonly hasVideo: boolean;
	absent: readonly DeviceKind[] = [];
	onended: ((why: SourceEnd) => void) | undefined;
	closed = false;

	constructor(kind: SourceKind, label: string, stream = {} as MediaStream, hasVideo = true) {
		this.kind = kind;
		this.label = label;
		this.stream = stream;
		this.hasVideo = hasVideo;
		this.hasAudio = typeof stream.getAudioTracks === 'function' && !!stream.getAudioTracks().length;
	}

	close(): void {
		this.closed = true;
	}
}
