import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunningServer } from '../tracker-server/server.ts';
import { startServer } from '../tracker-server/server.ts';
import { Output } from './output.ts';
import { shoal, tidyUp } from './testing/shoal.ts';
import { lossWatch, refusalWatch } from './tracker-words.ts';

let open: RunningServer;
let closed: RunningServer;
beforeAll(async () => {
	open = await startServer({ host: 'localhost', stun: false });
	closed = await startServer({ host: 'localhost', stun: false, tokenSecret: 's'.repeat(32) });
});
afterAll(async () => {
	await tidyUp();
	await Promise.all([open.close(), closed.close()]);
});

const KEY = `${'A'.repeat(42)}8`;

it.each([['seed'], ['watch'], ['relay'], ['archive']])(
	'"shoal %s" says once that a tracker wants a token, and what to do',
	async (name) => {
		const link = `${closed.url}/watch/#${KEY}`;
		const more = { seed: ['-'], watch: [link, '-o', 'no.mp4'], relay: [link] }[name];
		const args = more ?? [link, '-o', 'no.mp4'];
		const command = shoal([name, ...args, '--app', closed.url, '--quiet']);
		await command.says(/tracker ws:\S+ refuses: "this tracker does not serve.*--tracker ".*token=/);
		await new Promise((resolve) => setTimeout(resolve, 2500));
		await command.interrupt();
		expect(command.stderr.match(/refuses/g)).toHaveLength(1);
	},
);

it('piped, a viewer without a tracker says so once, however often it calls', async () => {
	const link = `${open.url}/watch/#${KEY}`;
	const args = ['--tracker', 'ws://127.0.0.1:9/announce', '--timeout', '6'];
	const watch = shoal(['watch', link, '-o', 'no.mp4', ...args]);
	expect(await watch.exit).toBe(4);
	expect(watch.stderr).toBe(
		'No tracker answers; trying again\nshoal: Nothing came for 6 s (no tracker answers; trying again)\n',
	);
});

it('a relay says in words how each of its channels fares', async () => {
	const relay = shoal(['relay', `${open.url}/watch/#${KEY}`]);
	await relay.says(/^AAAAAAAA…: Looking for others who watch$/m);
	expect(await relay.interrupt()).toBe(0);
});

/** What is said of a tracker as its states follow each other. */
function saidOf(watch: typeof lossWatch, ...states: [string, string?][]): string {
	let said = '';
	const stderr = { write: (text: string) => void (said += text) };
	const look = watch(new Output({}, { stdout: process.stdout, stderr } as never));
	for (const [state, lastError] of states) {
		look([{ url: 'ws://one', state, ...(lastError && { lastError }) } as never]);
	}
	return said;
}

it('a tracker that is called again has not answered yet, and that it was away is no refusal', () => {
	const away: [string, string][] = [
		['retrying', 'no connection'],
		['connecting', 'no connection'],
	];
	expect(saidOf(lossWatch, ...away, ...away)).toMatch(/^No tracker answers.*\n$/);
	expect(saidOf(lossWatch, ...away, ['open'])).toMatch(/^No .*\nThe tracker answers.*\n$/);
	expect(saidOf(refusalWatch, ...away, ['open'])).toBe('');
	const refusal = saidOf(refusalWatch, ...away, ['open', 'no\u001b[2J']);
	expect(refusal).toMatch(/^The tracker ws:\/\/one refuses: "no\?\[2J"/);
});
