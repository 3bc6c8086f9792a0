/** Longest a command may take to end after Ctrl-C, milliseconds. */
const GRACE_MS = 1800;

/** Runs once when the process is asked to end; a second signal, or taking too long, ends it on the spot. */
export function onStop(stop: (signal: NodeJS.Signals) => void): () => void {
	let asked = false;
	const listener = (signal: NodeJS.Signals) => {
		if (asked) process.exit(130);
		asked = true;
		setTimeout(() => process.exit(130), GRACE_MS).unref();
		stop(signal);
	};
	const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
	for (const signal of signals) process.on(signal, listener);
	return () => {
		for (const signal of signals) process.off(signal, listener);
	};
}

/** An abort signal that fires when the process is asked to end. */
export function stopSignal(): AbortSignal {
	const controller = new AbortController();
	onStop(() => controller.abort());
	return controller.signal;
}

/** Resolves when the signal has fired. */
export function aborted(signal: AbortSignal): Promise<void> {
	if (signal.aborted) return Promise.resolve();
	return new Promise((resolve) => {
		signal.addEventListener('abort', () => resolve(), { once: true });
	});
}
