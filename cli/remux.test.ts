import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { remux } from './remux.ts';
import { hasFfmpeg, makeClip } from './testing/media.ts';
import { tidyFolder, tidyUp } from './testing/shoal.ts';

afterAll(tidyUp);

describe.skipIf(!hasFfmpeg)('reading a stream', () => {
	it('holds no more than the reader’s cache of MPEG-TS, however long it is', async () => {
		const path = join(tidyFolder(), 'noise.ts');
		const noise = ['libx264', '-preset', 'ultrafast', '-qp', '0', '-vf', 'noise=alls=100:allf=t'];
		makeClip(path, { seconds: 12, video: noise });
		const bytes = statSync(path).size;
		expect(bytes).toBeGreaterThan(30_000_000);
		setFlagsFromString('--expose-gc');
		const collect = runInNewContext('gc') as () => void;
		const held = () => {
			collect();
			collect(); // the second waits for what the first has set free
			return process.memoryUsage().arrayBuffers;
		};

		const before = held();
		const stream = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
		let taken = 0;
		let most = 0;
		const { signal } = new AbortController();
		const options = { segmentMs: 500, startUs: 0, onWarning: () => undefined, signal };
		for await (const segment of remux(stream, options)) {
			taken += segment.bytes.length;
			if (taken > bytes / 2) most = Math.max(most, held() - before);
		}
		expect(taken).toBeGreaterThan(0.9 * bytes);
		// Its cache of 6 MiB, and a few segments of more than a megabyte on their way.
		expect(most).toBeLessThan(18_000_000);
	});
});
