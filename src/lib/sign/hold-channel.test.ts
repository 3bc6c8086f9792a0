import { afterEach, expect, test, vi } from 'vitest';
import { channelOf } from '../model/channel.ts';
import { holdChannel } from './hold-channel.ts';

const channel = channelOf(new Uint8Array(32).fill(7));
const other = channelOf(new Uint8Array(32).fill(8));

/** Locks as Web Locks §3.2 has them for exclusive requests with `ifAvailable`. */
class Locks {
	readonly #held = new Set<string>();

	async request(
		name: string,
		_options: unknown,
		held: (lock: object | null) => Promise<void>,
	): Promise<void> {
		if (this.#held.has(name)) return held(null);
		this.#held.add(name);
		await held({});
		this.#held.delete(name);
	}
}

afterEach(() => vi.unstubAllGlobals());

test('a second tab is told that the channel is live, and may have it once the first lets go', async () => {
	vi.stubGlobal('navigator', { locks: new Locks() });
	const release = await holdChannel(channel);
	await expect(holdChannel(channel)).rejects.toMatchObject({ code: 'already-live' });
	await holdChannel(other);
	release();
	release();
	await new Promise((resolve) => setTimeout(resolve));
	await expect(holdChannel(channel)).resolves.toBeTypeOf('function');
});

test('a browser that forbids locks gives a clear error', async () => {
	vi.stubGlobal('navigator', {
		locks: { request: () => Promise.reject(new DOMException('x', 'SecurityError')) },
	});
	await expect(holdChannel(channel)).rejects.toMatchObject({ code: 'storage-failed' });
});
