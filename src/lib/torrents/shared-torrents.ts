import { openBrowserKeeping } from './browser-keeping.ts';
import { OpfsVault, isVaultSupported } from './opfs-vault.ts';
import type { HostMessage, PatronMessage } from './service-message.ts';
import { TorrentEngine } from './torrent-engine.ts';
import type { TorrentEngineOptions } from './torrent-engine.ts';
import type { Keeping } from './torrent-host.ts';
import { TorrentHost } from './torrent-host.ts';
import { TorrentPatron } from './torrent-patron.ts';

/** Lock that the page with the engine holds. */
const HOST_LOCK = 'shoal/torrents/host';
const PATRON_LOCK = 'shoal/torrents/patron/';
const CHANNEL = 'shoal/torrents';
/** After an engine couldn't be started, another try is made. */
const START_AGAIN_MS = 5000;

type SharedOptions = Pick<
	TorrentEngineOptions,
	'trackers' | 'iceServers' | 'downloadLimitBps' | 'uploadLimitBps'
>;

/**
 * A user of the one engine that all pages of this browser share, with what earlier visits left.
 *
 * The engine has to live in a page: a SharedWorker can't make an RTCPeerConnection. So one page leads, the one that
 * holds a Web Lock, and the others talk to it over a BroadcastChannel. When it closes, the browser gives the lock to the
 * next page in line; that one starts an engine from what is kept, and every patron asks again what is unanswered.
 * Without Web Locks (an address that isn't secure) each page has an engine of its own.
 */
export async function openSharedTorrents(
	owner: string,
	options: SharedOptions,
): Promise<TorrentPatron> {
	if (!('locks' in navigator)) return openAlone(owner, options);
	const channel = new BroadcastChannel(CHANNEL);
	const leaving = new AbortController();
	let local: { receive(message: PatronMessage): void } | undefined;
	const patron: TorrentPatron = new TorrentPatron({
		owner,
		send: (message) => (local ? local.receive(message) : channel.postMessage(message)),
		onClose: () => {
			leaving.abort();
			channel.close();
		},
	});
	// Held as long as the page lives, so that the host learns of its end. Nothing is said before: the host asks for the same lock when it
	// hears of this page, and would take it for gone if it came first.
	await new Promise<void>((resolve) => {
		void navigator.locks.request(PATRON_LOCK + patron.id, () => {
			resolve();
			return aborted(leaving.signal);
		});
	});
	channel.onmessage = ({ data }: MessageEvent<HostMessage | PatronMessage>) => {
		if (!local && isHostMessage(data)) patron.receive(data);
	};
	const lead = async () => {
		if (leaving.signal.aborted) return;
		const host = await startHost(options, channel, leaving.signal);
		try {
			if (leaving.signal.aborted) return;
			local = {
				receive: (message) =>
					host.receive(message, (reply) => queueMicrotask(() => patron.receive(reply))),
			};
			channel.postMessage({ type: 'host' } satisfies HostMessage);
			patron.hello();
			await aborted(leaving.signal);
		} finally {
			await host.close();
		}
	};
	const queue = () => {
		navigator.locks.request(HOST_LOCK, { signal: leaving.signal }, lead).catch((error: unknown) => {
			if (leaving.signal.aborted) return; // it left before its turn
			// An engine that can't start here, as its code couldn't be had, may start later or in the next page in line.
			patron.refuseAll(error);
			setTimeout(() => {
				if (!leaving.signal.aborted) queue();
			}, START_AGAIN_MS);
		});
	};
	queue();
	patron.hello();
	return patron;
}

interface RunningHost {
	receive(message: PatronMessage, send: (message: HostMessage) => void): void;
	close(): Promise<void>;
}

async function startHost(
	options: SharedOptions,
	channel: BroadcastChannel,
	signal: AbortSignal,
): Promise<RunningHost> {
	const { engine, keeping } = await openEngine(options);
	const host = new TorrentHost(engine, keeping);
	await host.restore();
	const seen = new Set<string>();
	const previous = channel.onmessage;
	channel.onmessage = (event: MessageEvent<HostMessage | PatronMessage>) => {
		const message = event.data;
		if (isHostMessage(message)) {
			previous?.call(channel, event);
			return;
		}
		host.receive(message, (reply) => channel.postMessage(reply));
		if (message.type !== 'hello' || seen.has(message.patron)) return;
		seen.add(message.patron);
		// Granted when the patron's page is gone, however it went.
		navigator.locks
			.request(PATRON_LOCK + message.patron, { signal }, () => host.leave(message.patron))
			.catch(() => undefined);
	};
	return {
		receive: (message, send) => host.receive(message, send),
		async close() {
			host.close();
			await engine.close();
		},
	};
}

async function openEngine(
	options: SharedOptions,
): Promise<{ engine: TorrentEngine; keeping: Keeping | undefined }> {
	let vault: OpfsVault | undefined;
	let keeping: Keeping | undefined;
	if (isVaultSupported()) {
		vault = new OpfsVault();
		// Where nothing can be kept (private windows) torrents live in memory.
		keeping = await openBrowserKeeping(vault).catch(() => undefined);
		if (!keeping || !(await vault.list().catch(() => undefined))) {
			vault = undefined;
			keeping = undefined;
		}
	}
	const kept = vault;
	const { default: MemoryChunkStore } = await import('memory-chunk-store');
	const storeFor = (infoHash: string) => kept?.storeFor(infoHash) ?? MemoryChunkStore;
	const engine = await TorrentEngine.open({ ...options, storeFor });
	return { engine, keeping: keeping ?? memoryKeeping() };
}

/** Seeding from the person's own files works without any storage. */
function memoryKeeping(): Keeping {
	const vault = new OpfsVault();
	return {
		load: () => Promise.resolve([]),
		save: () => Promise.reject(new Error('nothing is kept here')),
		forget: () => Promise.resolve(),
		seedStore: (infoHash, files) => vault.storeOf(infoHash, files),
		blob: () => Promise.resolve(undefined),
		sweep: () => Promise.resolve(),
	};
}

async function openAlone(owner: string, options: SharedOptions): Promise<TorrentPatron> {
	const { engine, keeping } = await openEngine(options);
	const host = new TorrentHost(engine, keeping);
	await host.restore();
	const patron: TorrentPatron = new TorrentPatron({
		owner,
		send: (message) =>
			host.receive(message, (reply) => queueMicrotask(() => patron.receive(reply))),
		onClose: () => {
			host.close();
			void engine.close();
		},
	});
	patron.hello();
	return patron;
}

function isHostMessage(message: HostMessage | PatronMessage): message is HostMessage {
	return message.type !== 'hello' && message.type !== 'request' && message.type !== 'bye';
}

function aborted(signal: AbortSignal): Promise<void> {
	if (signal.aborted) return Promise.resolve();
	return new Promise((resolve) =>
		signal.addEventListener('abort', () => resolve(), { once: true }),
	);
}
