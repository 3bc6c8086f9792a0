import { Studio, type StudioParts } from '../../seed/studio.svelte.ts';
import type { BroadcasterStatsPort } from '../halls.ts';
import { BroadcasterDouble, CHANNEL_ID, STATS, SourceDouble } from './doubles.ts';
import { scene } from './scene.ts';

interface SeedStage {
	readonly studio: Studio;
	readonly broadcaster: BroadcasterDouble;
	readonly parts: StudioParts;
}

const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));
const never = () => new Promise<never>(() => {});

async function onAir(stage: SeedStage, stats: Partial<BroadcasterStatsPort>): Promise<void> {
	await stage.studio.chooseCamera();
	await stage.studio.goLive();
	stage.broadcaster.become({ type: 'live', sinceMs: Date.now() - 761_000 });
	stage.broadcaster.tell(stats);
}

const REFUSING = {
	url: 'wss://club.example/announce',
	state: 'open',
	lastError: 'a token is needed here',
} as const;
const MANY: Partial<BroadcasterStatsPort> = { viewers: 24, copies: 1.3, farthestMs: 640 };

/** What the seed page can be in, by name. */
export const SEED_STATES: Readonly<Record<string, (stage: SeedStage) => unknown>> = {
	'first-visit': () => {},
	'permission-asked': ({ studio, parts }) => {
		parts.openCamera = never;
		void studio.chooseCamera();
	},
	'permission-denied': ({ studio, parts }) => {
		parts.openCamera = failing('capture-denied');
		return studio.chooseCamera();
	},
	'no-device': ({ studio, parts }) => {
		parts.openCamera = failing('no-device');
		return studio.chooseCamera();
	},
	'device-gone': ({ studio, parts }) => {
		const open = parts.openCamera;
		parts.openCamera = async (choice) => Object.assign(await open(choice), { absent: ['camera'] });
		return studio.chooseCamera();
	},
	'screen-picker-closed': ({ studio, parts }) => {
		parts.openScreen = failing('capture-denied');
		return studio.chooseScreen();
	},
	'bad-file': ({ studio, parts }) => {
		parts.openFile = failing('bad-file');
		return studio.chooseFile(new File([], 'notes.txt'));
	},
	ready: ({ studio }) => studio.chooseCamera(),
	'ready-file': ({ studio }) => studio.chooseFile(new File([], 'a-very-long-file-name.mp4')),
	'ready-sound-only': ({ studio, parts }) => {
		parts.openCamera = async () => new SourceDouble('camera', 'Microphone', scene(true), false);
		return studio.chooseCamera();
	},
	'long-title': async ({ studio }) => {
		await studio.chooseCamera();
		studio.title = 'День в гавани: лодки, чайки, туман над водой и люди на старом причале';
	},
	'going-live': async ({ studio, broadcaster }) => {
		await studio.chooseCamera();
		broadcaster.become({ type: 'starting' });
	},
	'live-0': (stage) => onAir(stage, {}),
	'live-1': (stage) => onAir(stage, { viewers: 1, copies: 1, farthestMs: 480 }),
	'live-many': (stage) => onAir(stage, MANY),
	'short-uplink': (stage) =>
		onAir(stage, {
			...MANY,
			copies: 0.8,
			health: 'short',
			healthReason:
				'Your upload is slower than the stream. The picture is made smaller until it fits.',
		}),
	'tracker-gone': (stage) =>
		onAir(stage, {
			...MANY,
			trackers: [{ url: 'wss://here.example/announce', state: 'retrying' }],
		}),
	'tracker-refuses': (stage) =>
		onAir(stage, {
			health: 'lost',
			healthReason: 'No tracker has this broadcast, so nobody can find it. It keeps trying.',
			trackers: [REFUSING],
		}),
	'one-tracker-refuses': (stage) =>
		onAir(stage, { ...MANY, trackers: [...STATS.trackers, REFUSING] }),
	reconnecting: (stage) =>
		onAir(stage, {
			...MANY,
			health: 'lost',
			healthReason: 'No tracker has this broadcast, so nobody can find it. It keeps trying.',
		}),
	'source-lost': async (stage) => {
		await onAir(stage, MANY);
		stage.studio.source?.onended?.('unplugged');
	},
	'file-broke': async (stage) => {
		await onAir(stage, MANY);
		stage.studio.source?.onended?.('unreadable');
	},
	overloaded: async (stage) => {
		await onAir(stage, { ...MANY, encoder: { isOverloaded: true } });
	},
	forked: (stage) => onAir(stage, { ...MANY, isForked: true }),
	offline: async (stage) => {
		await onAir(stage, MANY);
		Object.defineProperty(navigator, 'onLine', { get: () => false });
		dispatchEvent(new Event('offline'));
	},
	stopping: async (stage) => {
		await onAir(stage, MANY);
		stage.broadcaster.become({ type: 'stopping' });
	},
	ended: async (stage) => {
		await onAir(stage, MANY);
		await stage.studio.stop();
	},
	'already-live': async ({ studio, broadcaster }) => {
		await studio.chooseCamera();
		broadcaster.goLive = failing('already-live');
		await studio.goLive();
	},
	'encoder-broke': async (stage) => {
		await onAir(stage, MANY);
		stage.broadcaster.become({ type: 'failed', error: { code: 'encoder-failed' } });
	},
	'no-encoder': async ({ studio, broadcaster }) => {
		await studio.chooseCamera();
		broadcaster.become({ type: 'failed', error: { code: 'no-encoder' } });
	},
};

/** The page's model in the state of that name. */
export function studioIn(name: string): Studio {
	const broadcaster = new BroadcasterDouble();
	const source = (kind: 'camera' | 'screen' | 'file', label: string) => async () =>
		new SourceDouble(kind, label, scene(true));
	const parts: StudioParts = {
		openBroadcaster: async () => broadcaster,
		openCamera: source('camera', 'Built-in camera'),
		openScreen: source('screen', 'Window'),
		openFile: async (file: File) => new SourceDouble('file', file.name, scene(true)),
		listDevices: async () => ({
			cameras: [{ id: 'c1', label: 'Built-in camera with a rather long product name (046d:0825)' }],
			microphones: [{ id: 'm1', label: 'Desk microphone' }],
		}),
		profiles: { steady: {}, 'low-delay': {} },
		links: () => ({
			watch: `https://shoal.example/watch/#${CHANNEL_ID}`,
			embed: `https://shoal.example/embed/#${CHANNEL_ID}`,
		}),
	};
	const studio = new Studio(parts);
	const open = studio.open.bind(studio);
	studio.open = async () => {
		await open();
		await SEED_STATES[name]?.({ studio, broadcaster, parts });
	};
	return studio;
}
