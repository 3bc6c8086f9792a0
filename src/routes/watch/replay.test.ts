import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TorrentPatron, TorrentStatus } from '../../lib/index.ts';
import { Replay } from './replay.svelte.ts';

const INFO_HASH = 'ab'.repeat(20);

/** A torrent engine that says what it is told to, and knows no files. */
class PatronDouble {
	#tell: ((event: { statuses: readonly TorrentStatus[] }) => void) | undefined;
	status = {
		infoHash: INFO_HASH,
		name: INFO_HASH,
		activity: 'describing',
		progress: 0,
		downloadedBytes: 0,
		uploadBps: 0,
		peers: 0,
	} as TorrentStatus;

	on(name: string, listener: (event: { statuses: readonly TorrentStatus[] }) => void): void {
		if (name === 'status') this.#tell = listener;
	}

	say(change: Partial<TorrentStatus>): void {
		this.status = { ...this.status, ...change };
		this.#tell?.({ statuses: [this.status] });
	}

	async add(): Promise<{ status: TorrentStatus }> {
		return { status: this.status };
	}
	async files(): Promise<[]> {
		return [];
	}
	close(): void {
		this.#tell = undefined;
	}
}

const NOBODY = 'Nobody who has this recording is here now.';
let patron: PatronDouble;
let replay: Replay;

beforeEach(() => {
	vi.useFakeTimers();
	patron = new PatronDouble();
	replay = new Replay(INFO_HASH, async () => patron as unknown as TorrentPatron);
	void replay.open({} as HTMLVideoElement);
});

afterEach(() => {
	replay.close();
	vi.useRealTimers();
});

describe('a recording that nobody gives', () => {
	test('is said to be missing after a while, and looked for on', async () => {
		await vi.advanceTimersByTimeAsync(5000);
		expect(replay.words?.what).toBe('Fetching the recording');
		await vi.advanceTimersByTimeAsync(2000);
		expect(replay.words?.what).toBe(NOBODY);
		expect(replay.words?.todo).toContain('goes on looking');
		patron.say({ activity: 'downloading', peers: 1, downloadedBytes: 20_000, progress: 0.1 });
		expect(replay.words?.what).toBe('Fetching the recording');
	});

	test('is missing though it is described, and though others wait for it', async () => {
		patron.say({ activity: 'downloading', peers: 2 });
		await vi.advanceTimersByTimeAsync(7000);
		expect(replay.words).toMatchObject({ what: NOBODY, why: expect.stringContaining('wait') });
	});

	test('is not missing when it was paused, which is said', async () => {
		patron.say({ activity: 'paused' });
		await vi.advanceTimersByTimeAsync(7000);
		expect(replay.words?.what).toBe('This recording is paused.');
	});

	test('is not missing while it is checked, or once all of it is here', async () => {
		for (let second = 0; second < 10; second++) {
			patron.say({ activity: 'checking' });
			await vi.advanceTimersByTimeAsync(1000);
		}
		expect(replay.words?.what).toBe('Fetching the recording');
		patron.say({ activity: 'seeding', progress: 1 });
		await vi.advanceTimersByTimeAsync(10_000);
		expect(replay.words?.what).toBe('Fetching the recording');
	});
});

test('while it plays, the line below says that the rest is missing', async () => {
	replay.ready = true;
	patron.say({ activity: 'downloading', peers: 1, progress: 0.5, downloadedBytes: 9 });
	await vi.advanceTimersByTimeAsync(100);
	expect(replay.line).toContain('With 1 other');
	patron.say({ peers: 0 });
	await vi.advanceTimersByTimeAsync(7000);
	expect(replay.words).toBeUndefined();
	expect(replay.line).toContain('Nobody who has the rest is here now');
	patron.say({ peers: 1, downloadedBytes: 90 });
	expect(replay.line).toContain('With 1 other');
});

test('a page that is closed waits for nothing more', async () => {
	await vi.advanceTimersByTimeAsync(100);
	replay.close();
	await vi.advanceTimersByTimeAsync(1000);
	expect(vi.getTimerCount()).toBe(0);
});
