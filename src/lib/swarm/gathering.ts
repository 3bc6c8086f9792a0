import type { Clock } from '../util/clock.ts';
import { GATHER_LIMIT_MS, GATHER_NONE_MS, GATHER_SETTLE_MS } from './bounds.ts';

/**
 * Waits until a connection's ICE candidates are worth sending: all of them; or `GATHER_SETTLE_MS` after one that others can
 * reach, so that one slow server doesn't hold up a join; or `GATHER_LIMIT_MS` in all, though never without any. Calls back
 * once; the returned function gives up. Uses the connection's `onicecandidate` and `onicegatheringstatechange`.
 */
export function whenGathered(
	connection: RTCPeerConnection,
	clock: Clock,
	hasServers: boolean,
	callback: () => void,
): () => void {
	let candidates = 0;
	let overdue = false;
	let settling = false;
	let done = false;
	const timers: (() => void)[] = [];

	function stop(): void {
		done = true;
		for (const cancel of timers) cancel();
		connection.onicecandidate = null;
		connection.onicegatheringstatechange = null;
	}
	function finish(): void {
		if (done) return;
		stop();
		callback();
	}
	function onState(): void {
		// Not every implementation ends with a null candidate, so that the state decides.
		if (connection.iceGatheringState === 'complete') finish();
	}

	connection.onicegatheringstatechange = onState;
	connection.onicecandidate = ({ candidate }) => {
		if (!candidate?.candidate) return onState();
		candidates++;
		if (overdue) return finish();
		const reachable = !hasServers || / typ (srflx|relay)/.test(candidate.candidate);
		if (reachable && !settling) {
			settling = true;
			timers.push(clock.after(GATHER_SETTLE_MS, finish));
		}
	};
	timers.push(
		clock.after(GATHER_LIMIT_MS, () => {
			overdue = true;
			if (candidates > 0) finish();
		}),
		clock.after(GATHER_NONE_MS, finish),
	);
	if (connection.iceGatheringState === 'complete') queueMicrotask(finish);
	return stop;
}
