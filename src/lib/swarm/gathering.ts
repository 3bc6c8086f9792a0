import type { Clock } from '../util/clock.ts';
import {
	GATHER_BEST_SETTLE_MS,
	GATHER_LIMIT_MS,
	GATHER_NONE_MS,
	GATHER_SETTLE_MS,
} from './bounds.ts';

type Reach = 'host' | 'srflx' | 'relay';

/**
 * Waits until a connection's ICE candidates are worth sending, so that neither a slow server nor a browser's own pauses (Chromium
 * takes 125 ms to look for TCP candidates) hold up a join: all are there; or, a moment after the first of the best kind that
 * these servers can give; or, a longer moment after one that reaches beyond the local network; or `GATHER_LIMIT_MS` are over, though
 * never without any candidate. Calls back once; the returned function gives up. Uses the connection's `onicecandidate`
 * and `onicegatheringstatechange`.
 */
export function whenGathered(
	connection: Pick<
		RTCPeerConnection,
		'iceGatheringState' | 'onicecandidate' | 'onicegatheringstatechange'
	>,
	clock: Clock,
	iceServers: readonly RTCIceServer[],
	callback: () => void,
): () => void {
	const best = bestReach(iceServers);
	let candidates = 0;
	let isOverdue = false;
	let finishAtMs = Infinity;
	let isDone = false;
	const timers: (() => void)[] = [];

	function stop(): void {
		isDone = true;
		for (const cancel of timers) cancel();
		connection.onicecandidate = null;
		connection.onicegatheringstatechange = null;
	}
	function finish(): void {
		if (isDone) return;
		stop();
		callback();
	}
	function finishWithin(delayMs: number): void {
		if (clock.now() + delayMs >= finishAtMs) return;
		finishAtMs = clock.now() + delayMs;
		timers.push(clock.after(delayMs, finish));
	}
	function checkState(): void {
		// Not every implementation ends with a null candidate, so that the state decides.
		if (connection.iceGatheringState === 'complete') finish();
	}

	connection.onicegatheringstatechange = checkState;
	connection.onicecandidate = ({ candidate }) => {
		if (!candidate?.candidate) return checkState();
		candidates++;
		if (isOverdue) return finish();
		const [, type] = / udp .* typ (host|srflx|relay)/i.exec(candidate.candidate) ?? [];
		if (type === best) finishWithin(GATHER_BEST_SETTLE_MS);
		else if (type === 'srflx' || type === 'relay') finishWithin(GATHER_SETTLE_MS);
	};
	timers.push(
		clock.after(GATHER_LIMIT_MS, () => {
			isOverdue = true;
			if (candidates > 0) finish();
		}),
		clock.after(GATHER_NONE_MS, finish),
	);
	return stop;
}

/** The most reachable kind of candidate that these servers can give. */
function bestReach(iceServers: readonly RTCIceServer[]): Reach {
	const urls = iceServers.flatMap((server) => server.urls);
	if (urls.some((url) => /^turns?:/i.test(url))) return 'relay';
	return urls.length > 0 ? 'srflx' : 'host';
}
