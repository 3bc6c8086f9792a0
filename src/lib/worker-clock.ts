import type { Clock } from './util/clock.ts';

/** The whole worker: a timer that hidden tabs don't slow down, which theirs are, to one a second. */
const TIMER_WORKER = 'onmessage=({data:[id,ms]})=>setTimeout(postMessage,ms,id)';

/**
 * The machine's clock. While a page is hidden its timers run in a Worker, where there can be one, so that it relays on as before;
 * while it is shown, and in Node, they are the ordinary ones, which cost no way there and back.
 */
export function machineClock(): Clock {
	shared ??= pageTimers() ?? plainTimer;
	return { now: () => performance.now(), wallNow: () => Date.now(), after: shared };
}

let shared: Clock['after'] | undefined;

interface Timer {
	readonly callback: () => void;
	readonly atMs: number;
	/** The ordinary timer; `undefined` when the worker has it. */
	plain: ReturnType<typeof setTimeout> | undefined;
}

function pageTimers(): Clock['after'] | undefined {
	// Node's timers are never slowed, and its Worker is another thing.
	if (typeof document === 'undefined' || typeof Worker === 'undefined') return undefined;
	let worker: Worker | undefined;
	const due = new Map<number, Timer>();
	let lastId = 0;

	function run(id: number): void {
		const timer = due.get(id);
		due.delete(id);
		timer?.callback();
	}
	function runPlainly(id: number, timer: Timer): void {
		const delayMs = Math.max(0, timer.atMs - performance.now());
		timer.plain = setTimeout(run, delayMs, id);
	}
	function runInWorker(id: number, timer: Timer): void {
		clearTimeout(timer.plain);
		timer.plain = undefined;
		worker?.postMessage([id, Math.max(0, timer.atMs - performance.now())]);
	}
	try {
		// From a blob, since a sandboxed embed may load no worker from an address.
		const url = URL.createObjectURL(new Blob([TIMER_WORKER], { type: 'text/javascript' }));
		worker = new Worker(url);
		URL.revokeObjectURL(url);
	} catch {
		return undefined;
	}
	worker.onmessage = ({ data: id }: MessageEvent<number>) => run(id);
	worker.onerror = () => {
		// Refused by a policy after all: what it had, and everything later, runs plainly and late.
		worker = undefined;
		for (const [id, timer] of due) if (timer.plain === undefined) runPlainly(id, timer);
	};
	document.addEventListener('visibilitychange', () => {
		if (!document.hidden || !worker) return;
		for (const [id, timer] of due) if (timer.plain !== undefined) runInWorker(id, timer);
	});
	return (delayMs, callback) => {
		const id = ++lastId;
		const timer: Timer = { callback, atMs: performance.now() + delayMs, plain: undefined };
		due.set(id, timer);
		if (document.hidden && worker) runInWorker(id, timer);
		else runPlainly(id, timer);
		return () => {
			clearTimeout(timer.plain);
			due.delete(id);
		};
	};
}

function plainTimer(delayMs: number, callback: () => void): () => void {
	const timer = setTimeout(callback, delayMs);
	return () => clearTimeout(timer);
}
