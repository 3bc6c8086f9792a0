import type WebTorrent from 'webtorrent';

let loading: Promise<typeof WebTorrent> | undefined;

/** The webtorrent package, loaded when first needed and made fit for browsers and hidden tabs. */
export function loadWebTorrent(): Promise<typeof WebTorrent> {
	return (loading ??= load().catch((error: unknown) => {
		loading = undefined; // a failed download may be tried again
		throw error;
	}));
}

async function load(): Promise<typeof WebTorrent> {
	const globals = globalThis as {
		process?: unknown;
		requestIdleCallback?: unknown;
	};
	// Streams inside webtorrent call it; browsers have none.
	globals.process ??= {
		browser: true,
		env: {},
		version: '',
		nextTick: (run: (...args: unknown[]) => void, ...args: unknown[]) =>
			queueMicrotask(() => run(...args)),
	};
	// webtorrent takes requestIdleCallback when it loads and waits for it before each request. In a hidden
	// tab that is once a second, 16 kB/s; so it gets one that comes at once.
	const idle = globals.requestIdleCallback;
	if (idle) globals.requestIdleCallback = soon;
	try {
		const module = await import('webtorrent');
		(await import('./mend-simple-peer.ts')).mendSimplePeer();
		return module.default;
	} finally {
		if (idle) globals.requestIdleCallback = idle;
	}
}

/** Message events aren't throttled in hidden tabs, timers are. */
function soon(run: () => void): number {
	waiting.push(run);
	if (waiting.length === 1) {
		channel ??= openChannel();
		channel.port2.postMessage(undefined);
	}
	return 0;
}

const waiting: (() => void)[] = [];
let channel: MessageChannel | undefined;

function openChannel(): MessageChannel {
	const opened = new MessageChannel();
	opened.port1.onmessage = () => {
		for (const run of waiting.splice(0)) run();
	};
	return opened;
}
