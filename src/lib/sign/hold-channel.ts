import type { Channel } from '../model/channel.ts';
import { ShoalError } from '../model/error.ts';

/** The part of the Web Locks API that is used (Web Locks §3.2). */
interface Locks {
	request(
		name: string,
		options: { ifAvailable: boolean },
		held: (lock: unknown) => Promise<void>,
	): Promise<unknown>;
}

/** Lets go of the channel; idempotent. A closed tab lets go by itself. */
export type ReleaseChannel = () => void;

/**
 * Makes this tab the only one in the browser that publishes on the channel.
 * Rejects with `already-live` while another one is.
 */
export function holdChannel(channel: Channel): Promise<ReleaseChannel> {
	const { locks } = (globalThis as { navigator?: { locks?: Locks } }).navigator ?? {};
	// Without Web Locks there is nobody to ask; every browser that can broadcast has them.
	if (!locks) return Promise.resolve(() => undefined);
	return new Promise((resolve, reject) => {
		locks
			.request(`shoal/channel/${channel.id}`, { ifAvailable: true }, (lock) => {
				if (lock === null) {
					reject(new ShoalError('already-live', 'another tab is live on this channel'));
					return Promise.resolve();
				}
				return new Promise<void>((release) => resolve(release));
			})
			.catch((cause: unknown) => {
				reject(new ShoalError('storage-failed', 'the channel could not be held', { cause }));
			});
	});
}
