/** How well a broadcast gets out, in one word. */
export type Health = 'good' | 'tight' | 'short' | 'lost';

/** What health is judged by. */
export interface HealthSigns {
	/** Links to viewers. */
	readonly links: number;
	readonly viewers: number;
	/** Whether any tracker answers, and doesn't refuse the channel. */
	readonly tracked: boolean;
	/** How long the oldest block waits to be sent. */
	readonly sendDelayMs: number;
	/** The measured uplink; `undefined` until it was full once. */
	readonly uplinkBps: number | undefined;
	/** The stream's rate. */
	readonly streamBps: number;
	/** What the swarm could pass on in all, over what it needs; `undefined` when nothing is known. */
	readonly margin: number | undefined;
}

/** Below this share to spare, a swarm has nothing left when somebody leaves. */
const TIGHT_MARGIN = 1.2;
const TIGHT_DELAY_MS = 300;
const SHORT_DELAY_MS = 1000;

/** The health of a broadcast and why, in a sentence with a remedy. */
export function judgeHealth(signs: HealthSigns): { health: Health; reason: string } {
	const { links, tracked, sendDelayMs, uplinkBps, streamBps, margin } = signs;
	if (links === 0) {
		return tracked
			? { health: 'good', reason: 'Nobody watches yet. Share the peer link.' }
			: {
					health: 'lost',
					reason: 'No tracker has this broadcast, so nobody can find it. It keeps trying.',
				};
	}
	if (sendDelayMs > SHORT_DELAY_MS || (uplinkBps !== undefined && uplinkBps < streamBps * 1.05)) {
		return {
			health: 'short',
			reason: 'Your upload is slower than the stream. The picture is made smaller until it fits.',
		};
	}
	if (margin !== undefined && margin < 1) {
		return {
			health: 'short',
			reason: 'The viewers together pass on less than they need. A smaller picture helps them.',
		};
	}
	if (sendDelayMs > TIGHT_DELAY_MS) {
		return {
			health: 'tight',
			reason: 'Your upload is just enough. Pause other uploads on this connection.',
		};
	}
	if (margin !== undefined && margin < TIGHT_MARGIN) {
		return { health: 'tight', reason: 'The viewers pass on just enough, with little to spare.' };
	}
	if (!tracked) {
		return {
			health: 'tight',
			reason: 'No tracker has this broadcast. Who watches goes on; newcomers must wait.',
		};
	}
	return { health: 'good', reason: 'Everything gets out in time.' };
}

/**
 * Uplink that a viewer's stream takes, over the stream's rate: headers of packets, requests, announcements, pieces that come twice.
 * Swarms with less come to stand seconds behind (docs/scale.md).
 */
const UPLINK_PER_STREAM = 1.2;

/**
 * What the swarm can pass on over what it needs: own uplink and all viewers' uplinks, over viewers × what a stream takes. The
 * viewers that are neighbours stand for those that aren't.
 */
export function swarmMargin(options: {
	/** `undefined` for one that was never full: it carries what its links take. */
	readonly uplinkBps: number | undefined;
	readonly streamBps: number;
	readonly viewers: number;
	/** Uplinks that neighbours report, bits per second; 0 for those that don't share. */
	readonly neighbourUplinksBps: readonly number[];
}): number | undefined {
	const { uplinkBps, streamBps, viewers, neighbourUplinksBps: uplinks } = options;
	if (uplinks.length === 0 || streamBps <= 0) return undefined;
	const takenBps = streamBps * UPLINK_PER_STREAM;
	const mean = uplinks.reduce((sum, bps) => sum + bps, 0) / uplinks.length;
	const count = Math.max(viewers, uplinks.length);
	return ((uplinkBps ?? takenBps * uplinks.length) + mean * count) / (count * takenBps);
}
