import type { Clock } from './util/clock.ts';

/** The whole worker: a timer that hidden tabs don't slow down, which theirs are, to one a second. */
const TIMER_WORKER = 'onmessage=({data:[id,ms]})=>setTimeout(postMessage,ms,id)';

/**
 * The machine's clock. Timers run in a Worker where there can be one, so that a hidden tab relays on as before; else, as
 * in Node, they are the ordinary ones.
 */
export function machineClock(): Clock {
	const after = workerTimers() ?? plainTimer;
	return { now: () => performance.now(), wallNow: () => Date.now(), after };
}

let shared: Clock['after'] | undefined;

function workerTimers(): Clock['after'] | undefined {
	if (shared) return shared;
	// Node's timers are never slowed, and its Worker is another thing.
	if (typeof document === 'undefined' || typeof Worker === 'undefined') return undefined;
	let worker: Worker;
	try {
		// From a blob, since a sandboxed embed may load no worker from an address.
		const url = URL.createObjectURL(new Blob([TIMER_WORKER], { type: 'text/javascript' }));
		worker = new Worker(url);
		URL.revokeObjectURL(url);
	} catch {
		return undefined;
	}
	const due = new Map<number, () => void>();
	let lastId = 0;
	worker.onmessage = ({ data: id }: MessageEvent<number>) => {
		const callback = due.get(id);
		due.delete(id);
		callback?.();
	};
	worker.onerror = () => {
		// Refused by a policy after all: what was due runs late, everything later on plain timers.
		shared = plainTimer;
		for (const callback of due.values()) setTimeout(callback, 0);
		due.clear();
	};
	shared = (delayMs, callback) => {
		const id = ++lastId;
		due.set(id, callback);
		worker.postMessage([id, Math.max(0, delayMs)]);
		return () => due.delete(id);
	};
	return (delayMs, callback) => (shared ?? plainTimer)(delayMs, callback);
}

function plainTimer(delayMs: number, callback: () => void): () => void {
	const timer = setTimeout(callback, delayMs);
	return () => clearTimeout(timer);
}
